"""What an operator can ask of `kassor`, one command a function; the work is in the rooms beside this one."""

import asyncio
import json
import re
import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from cryptography.fernet import Fernet

from cli.commands import asking, forgetting, keeping, moving, setting_up
from cli.commands.common import AsJson, fail, run
from cli.commands.common import settings as read_settings
from cli.commands.examples import give_examples
from cli.events import app as events_app
from cli.notices import app as notices_app
from domain.rules.catalogue import CatalogueError

app = typer.Typer(
    help="Kassör, the billing desk inside Slack.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
catalogue_app = typer.Typer(help="What is for sale.", no_args_is_help=True)
app.add_typer(catalogue_app, name="catalogue")
app.add_typer(events_app, name="events")
app.add_typer(notices_app, name="notices")
app.command("settings")(setting_up.show_settings)
app.command("doctor")(setting_up.doctor)
app.command("customer")(asking.customer)
app.command("backup")(keeping.backup)
app.command("forget")(forgetting.forget)
app.command("move")(moving.move)
app.command("stripe-setup")(setting_up.stripe_setup)
catalogue_app.command("show")(setting_up.catalogue_show)


class Role(StrEnum):
    """What one process of Kassör does; `all` is everything, for one machine."""

    ALL = "all"
    WEB = "web"
    WORKER = "worker"
    SCHEDULER = "scheduler"


@app.command()
def serve(
    role: Annotated[Role, typer.Argument(help="One role, as the Procfile has it, or everything.")] = Role.ALL,
) -> None:
    """Run Kassör: everything in one process, or one role of several."""
    from cli.serve import run as go  # the console answers --help without loading the product

    settings = read_settings()
    run(go(settings, role.value))


@app.command()
def migrate(as_json: AsJson = False) -> None:
    """Bring the database up to date."""
    from domain.database import migrate_database

    settings = read_settings()
    run(migrate_database(settings.database_url))
    typer.echo('{"up_to_date": true}' if as_json else "The database is up to date.")


@app.command()
def sandbox(
    port: Annotated[
        int, typer.Option(envvar="PORT", min=1, max=65_533, help="Slack here, Stripe next, Kassör after.")
    ] = 8000,
    database_url: Annotated[
        str | None, typer.Option(envvar="DATABASE_URL", help="Kassör's database; a fresh SQLite file by default.")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(file_okay=False, help="Keep the world in this folder, and go on with the one there.")
    ] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Begin the world kept there anew.")] = False,
    begins: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="The world's time at first, in UTC; now by default."),
    ] = None,
    socket: Annotated[bool, typer.Option("--socket", help="By Socket Mode: Slack sends nothing over HTTP.")] = False,
) -> None:
    """A whole world to try Kassör in: a Slack workspace, a Stripe account and a clock, in your browser."""
    typer.echo("Opening the sandbox…")
    try:
        from cli.sandbox import run as go

        first = begins.replace(tzinfo=UTC) if begins else None
        asyncio.run(go(port=port, database_url=database_url, keep=keep, reset=reset, begins=first, socket_mode=socket))
    except KeyboardInterrupt:  # Ctrl-C before the first line of `run` could take it
        raise typer.Exit(0) from None
    except CatalogueError as error:
        fail("The catalogue can't be used:", error.problems)


@app.command()
def tour(
    port: Annotated[int, typer.Option(help="A sandbox running here is used; otherwise one is started.")] = 8000,
    watch: Annotated[
        bool, typer.Option("--watch", help="Slowly, in a browser: it begins when the page is open.")
    ] = False,
    pace: Annotated[
        float, typer.Option(min=0, max=60, help="Seconds for each thing somebody does, with --watch.")
    ] = 3.0,
) -> None:
    """Walk the whole journey in a sandbox and print it; exit 1 if any step fails."""
    from cli.tour import run as go

    outcome: list[bool] = []

    async def walk() -> None:
        outcome.append(await go(port=port, pace=pace if watch else None))

    run(walk())
    if not all(outcome):
        raise typer.Exit(1)


@catalogue_app.command("push")
def catalogue_push(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be made, make nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make the catalogue's products and prices in Stripe. An amount is never edited: a changed one is a new price."""
    from cli.wiring import pushed_catalogue

    settings = read_settings()

    async def push() -> None:
        lines = await pushed_catalogue(settings, dry_run=dry_run)
        if as_json:
            typer.echo(json.dumps({"dry_run": dry_run, "made": lines}, ensure_ascii=False))
            return
        for line in lines:
            typer.echo(line)
        if not lines:
            typer.echo("Everything is in Stripe already.")

    run(push())


@app.command()
def audit(
    workspace: Annotated[str, typer.Option(help="A workspace's id, name or Slack domain.")] = "",
    scope: Annotated[str, typer.Option(help="An organisation's or team's name or id.")] = "",
    actor: Annotated[
        str, typer.Option(help="Who did it: a Slack user id or a name; `nobody` for Stripe and time.")
    ] = "",
    verb: Annotated[str, typer.Option(help="What was done, such as upgraded, seats_changed, handed_over.")] = "",
    since: Annotated[str, typer.Option(help="From a day (2026-11-25), a moment (UTC) or an age (36h, 7d, 2w).")] = "",
    until: Annotated[str, typer.Option(help="To a day (all of it), a moment or an age.")] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many, the newest; the table's is 50.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="For a spreadsheet.")] = False,
) -> None:
    """Show who did what to billing, when, from where, before and after: newest last."""
    from cli.audit import Form, Wish, WrongWish
    from cli.audit import run as go

    if as_json and as_csv:
        fail("That can't be shown:", ["--json and --csv are two forms. Choose one."])
    form = Form.JSON if as_json else Form.CSV if as_csv else Form.TABLE
    wish = Wish(workspace, scope, actor, verb, since, until, limit, form)
    settings = read_settings()

    async def look() -> None:
        if not await go(settings.database_url, wish, typer.echo):
            typer.echo("Nothing is on record for that.", err=True)

    try:
        run(look())
    except WrongWish as wrong:
        fail("That can't be shown:", wrong.problems)


@app.command()
def reconcile(
    restored: Annotated[
        bool,
        typer.Option("--restored", help="The database comes from a backup: look in Slack for what was sent since."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Ask Stripe what was missed, mend it, and say what that was. Runs by itself on start and every hour."""
    from cli.progress import counting
    from cli.wiring import reconciled

    settings = read_settings()

    async def mend() -> None:
        with counting() as progress:
            lines = await reconciled(settings, restored=restored, progress=progress)
        if as_json:
            typer.echo(json.dumps({"mended": lines}, ensure_ascii=False))
            return
        for line in lines:
            typer.echo(line)
        typer.echo("Mended; the worker carries out the rest." if lines else "Nothing was missed.")

    run(mend())


@app.command(
    epilog="Examples:  kassor manifest https://kassor.example  ·  kassor manifest --socket-mode  ·  kassor manifest --explain"
)
def manifest(
    url: Annotated[str | None, typer.Argument(help="The https:// address Slack will reach Kassör at.")] = None,
    socket_mode: Annotated[
        bool, typer.Option("--socket-mode", help="Kassör opens the connection; an address is for OAuth alone.")
    ] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Each permission with its reason instead.")] = False,
) -> None:
    """Print the Slack app manifest for that address, to paste at api.slack.com/apps."""
    from bot.install_pages import permissions
    from bot.manifest import manifest as make
    from bot.words import Words

    if explain:
        for scope, why in permissions(Words("en-US")).items():
            typer.echo(f"{scope:<18}{why}")
        return
    if url is not None and re.fullmatch(r"https://[^\s?#]+", url) is None and not _is_here(url):
        fail(
            "Slack takes no such address:",
            [f"{url}: give the https:// address of Kassör"],
        )
    if url is None and not socket_mode:
        fail("The manifest needs an address:", ["give the https:// address of Kassör, or --socket-mode"])
    typer.echo(json.dumps(make(url, socket_mode=socket_mode), indent=2, ensure_ascii=False))


def _is_here(url: str) -> bool:
    """The sandbox's Kassör, on this machine."""
    return re.fullmatch(r"http://(127\.0\.0\.1|localhost)(:[0-9]+)?/?", url) is not None


@app.command()
def key() -> None:
    """Make a new key for KASSOR_ENCRYPTION_KEYS."""
    typer.echo(Fernet.generate_key().decode())


give_examples(app)


def python_command() -> list[str]:
    """How to run this console again in a child process."""
    return [sys.executable, "-m", "cli"]


def tree() -> Path:
    """The folder `python -m cli` works in."""
    return Path(__file__).resolve().parent.parent
