"""What every command does alike: say all that is wrong and exit 2, read the settings, run."""

import asyncio
import os
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from domain.config import Settings

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document, for a program.")]


def fail(headline: str, problems: list[str]) -> NoReturn:
    """Say everything that is wrong, at once, and exit 2."""
    typer.echo(headline, err=True)
    for problem in problems:
        typer.echo(f"  - {problem}", err=True)
    raise typer.Exit(2)


def settings() -> "Settings":
    """The settings from the environment; exits 2 with all that is wrong."""
    from domain.config import SettingsError, load

    try:
        return load(os.environ)
    except SettingsError as error:
        fail("The settings are not right (docs/configuration.md):", error.problems)


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run it; what an operator can do something about is said in words, exit 2."""
    from socket import gaierror

    from asyncpg import PostgresError
    from tortoise.exceptions import BaseORMException

    from domain.rules.catalogue import CatalogueError
    from domain.rules.refusals import PaymentsAway, PaymentsRefused

    try:
        asyncio.run(work)
    except CatalogueError as error:
        fail("The catalogue can't be used:", error.problems)
    except PaymentsAway:
        fail(
            "Stripe does not answer, asks to wait, or does not accept the key.",
            ["try again in a minute, and see `kassor doctor`; nothing is lost"],
        )
    except PaymentsRefused as refusal:
        fail("Stripe refuses.", [f"its log says why, at request {refusal.reference}; is the key allowed to do this?"])
    except (BaseORMException, PostgresError, ConnectionError, gaierror) as error:
        fail(
            f"The database can't be read ({type(error).__name__}).",
            ["is DATABASE_URL right, and `kassor migrate` done?"],
        )
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
