"""`kassor settings`, `doctor`, `stripe-setup`, `catalogue show`: from nothing to a working installation."""

import os
from pathlib import Path
from typing import Annotated

import typer

from cli.commands.common import AsJson, fail, run, settings


def doctor(as_json: AsJson = False) -> None:
    """Look at everything Kassör needs, and say how to mend what is wrong; exit 1 if anything is."""
    from cli.doctor.rounds import run as go

    if not go(os.environ, typer.echo, as_json=as_json):
        raise typer.Exit(1)


def stripe_setup(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, do nothing.")] = False,
    new: Annotated[
        bool,
        typer.Option("--new", help="Another endpoint beside the one there is: a new secret, or a new API version."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make the webhook endpoint in Stripe for KASSOR_PUBLIC_URL, with exactly the events that matter; or mend it.

    A new endpoint's signing secret is printed once: add it to STRIPE_WEBHOOK_SECRETS.
    """
    from cli.stripe_setup import set_up

    if not os.environ.get("STRIPE_WEBHOOK_SECRETS", "").strip():
        os.environ["STRIPE_WEBHOOK_SECRETS"] = "whsec_"  # this command is what makes the first one
    run(set_up(settings(), typer.echo, dry_run=dry_run, new=new, as_json=as_json))


def catalogue_show(as_json: AsJson = False) -> None:
    """Print what is for sale as people see it, in both languages. Needs no settings but KASSOR_CATALOGUE."""
    from cli.catalogue import show
    from domain.rules.catalogue import CatalogueError

    try:
        show(os.environ.get("KASSOR_CATALOGUE"), typer.echo, as_json=as_json)
    except CatalogueError as error:
        fail("The catalogue can't be used:", error.problems)


def show_settings(
    markdown: Annotated[bool, typer.Option("--markdown", help="The reference, as in docs/configuration.md.")] = False,
    into: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Write the reference between this file's marks.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List every setting and how it is set here; of a secret only whether it is."""
    from cli.settings import NoPlace, show, write_into
    from domain.settings import as_markdown

    if into is not None:
        try:
            typer.echo(f"{into} is written." if write_into(into) else f"{into} says so already.")
        except NoPlace as problem:
            fail("The reference can't be written:", [str(problem)])
    elif markdown:
        typer.echo(as_markdown(), nl=False)
    else:
        show(os.environ, typer.echo, as_json=as_json)
