"""What an operator can ask of `kassor`, one command a function; the work is in the rooms beside this one."""

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from cryptography.fernet import Fernet

from cli.events import app as events_app
from domain.config import Settings, SettingsError, load
from domain.rules.catalogue import CatalogueError
from domain.rules.refusals import PaymentsAway

app = typer.Typer(
    help="Kassör, the billing desk inside Slack.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
catalogue_app = typer.Typer(help="What is for sale.", no_args_is_help=True)
app.add_typer(catalogue_app, name="catalogue")
app.add_typer(events_app, name="events")


class Role(StrEnum):
    """What one process of Kassör does; `all` is everything, for one machine."""

    ALL = "all"
    WEB = "web"
    WORKER = "worker"
    SCHEDULER = "scheduler"


def _fail(headline: str, problems: list[str]) -> NoReturn:
    """Say everything that is wrong, at once, and exit 2."""
    typer.echo(headline, err=True)
    for problem in problems:
        typer.echo(f"  - {problem}", err=True)
    raise typer.Exit(2)


def _settings() -> Settings:
    try:
        return load(os.environ)
    except SettingsError as error:
        _fail("Kassör can't start. Set these right in its environment (docs/configuration.md):", error.problems)


def _run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    try:
        asyncio.run(work())
    except CatalogueError as error:
        _fail("The catalogue can't be used:", error.problems)
    except PaymentsAway:
        _fail("Stripe does not answer, or asks to wait.", ["try again in a minute; nothing is lost"])
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


@app.command()
def serve(
    role: Annotated[Role, typer.Argument(help="One role, as the Procfile has it, or everything.")] = Role.ALL,
) -> None:
    """Run Kassör: everything in one process, or one role of several."""
    from cli.serve import run  # the console answers --help without loading the product

    settings = _settings()
    _run(lambda: run(settings, role.value))


@app.command()
def migrate() -> None:
    """Bring the database up to date."""
    from domain.database import migrate_database

    settings = _settings()
    _run(lambda: migrate_database(settings.database_url))
    typer.echo("The database is up to date.")


@app.command()
def sandbox(
    port: Annotated[
        int, typer.Option(envvar="PORT", min=1, max=65_533, help="Slack here, Stripe next, Kassör after.")
    ] = 8000,
    database_url: Annotated[
        str | None, typer.Option(envvar="DATABASE_URL", help="Kassör's database; a fresh SQLite file by default.")
    ] = None,
) -> None:
    """A whole world to try Kassör in: a Slack workspace, a Stripe account and a clock, in your browser."""
    typer.echo("Opening the sandbox…")
    try:
        from cli.sandbox import run

        asyncio.run(run(port=port, database_url=database_url))
    except KeyboardInterrupt:  # Ctrl-C before the first line of `run` could take it
        raise typer.Exit(0) from None
    except CatalogueError as error:
        _fail("The catalogue can't be used:", error.problems)


@app.command()
def tour(
    port: Annotated[int, typer.Option(help="A sandbox running here is used; otherwise one is started.")] = 8000,
) -> None:
    """Walk the whole journey in a sandbox and print it; exit 1 if any step fails."""
    from cli.tour import run

    outcome: list[bool] = []

    async def walk() -> None:
        outcome.append(await run(port=port))

    _run(walk)
    if not all(outcome):
        raise typer.Exit(1)


@catalogue_app.command("push")
def catalogue_push(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be made, make nothing.")] = False,
) -> None:
    """Make the catalogue's products and prices in Stripe. An amount is never edited: a changed one is a new price."""
    from cli.wiring import pushed_catalogue

    settings = _settings()

    async def push() -> None:
        lines = await pushed_catalogue(settings, dry_run=dry_run)
        for line in lines:
            typer.echo(line)
        if not lines:
            typer.echo("Everything is in Stripe already.")

    _run(push)


@app.command(
    epilog="Examples:  kassor audit --since 7d  ·  kassor audit --scope Design --verb seats_changed  ·  "
    "kassor audit --workspace T0FJALL01 --since 2026-01-01 --until 2026-12-31 --csv > 2026.csv"
)
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
    from cli.audit import Form, Wish, WrongWish, run

    if as_json and as_csv:
        _fail("That can't be shown:", ["--json and --csv are two forms. Choose one."])
    form = Form.JSON if as_json else Form.CSV if as_csv else Form.TABLE
    wish = Wish(workspace, scope, actor, verb, since, until, limit, form)
    settings = _settings()

    async def look() -> None:
        if not await run(settings.database_url, wish, typer.echo):
            typer.echo("Nothing is on record for that.", err=True)

    try:
        _run(look)
    except WrongWish as wrong:
        _fail("That can't be shown:", wrong.problems)


@app.command()
def reconcile() -> None:
    """Ask Stripe what was missed, mend it, and say what that was. Runs by itself on start and every hour."""
    from cli.wiring import reconciled

    settings = _settings()

    async def mend() -> None:
        lines = await reconciled(settings)
        for line in lines:
            typer.echo(line)
        typer.echo("Mended; the worker carries out the rest." if lines else "Nothing was missed.")

    _run(mend)


@app.command()
def manifest(
    url: Annotated[str, typer.Argument(help="The https:// address Slack will reach Kassör at.")],
) -> None:
    """Print the Slack app manifest for that address, to paste at api.slack.com/apps."""
    import json

    from bot.manifest import manifest as make

    typer.echo(json.dumps(make(url), indent=2, ensure_ascii=False))


@app.command()
def key() -> None:
    """Make a new key for KASSOR_ENCRYPTION_KEYS."""
    typer.echo(Fernet.generate_key().decode())


def python_command() -> list[str]:
    """How to run this console again in a child process."""
    return [sys.executable, "-m", "cli"]


def tree() -> Path:
    """The folder `python -m cli` works in."""
    return Path(__file__).resolve().parent.parent
