"""`kassor move`: from SQLite to PostgreSQL."""

from typing import Annotated

import typer

from cli.commands.common import AsJson, fail, run, settings


def move(
    to: Annotated[
        str, typer.Option("--to", envvar="KASSOR_MOVE_TO", help="The new database: postgres://user:password@host/name.")
    ],
    finish: Annotated[
        bool,
        typer.Option("--finish", help="Kassör is stopped: copy the rest, and let the new database be the true one."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Copy this SQLite installation to PostgreSQL, compared row by row. Cut off, it goes on where it was.

    Run it once while Kassör runs, then stop Kassör and run it again with --finish. The source is only read.
    """
    from cli.move import CannotMove
    from cli.move import move as go
    from domain.moving import CannotMend

    try:
        run(go(settings(), to, typer.echo, finish=finish, as_json=as_json))
    except CannotMove as error:
        fail(error.headline, error.problems)
    except CannotMend as error:
        fail(str(error), ["run the same command again; should it stay so, keep the old database and tell us"])
