"""`kassor backup`: so that nothing is lost with a disk."""

import json
from pathlib import Path
from typing import Annotated

import typer

from cli.commands.common import AsJson, fail, settings


def backup(
    file: Annotated[Path, typer.Argument(help="The new file; one that is there is never overwritten.")],
    as_json: AsJson = False,
) -> None:
    """Copy a SQLite installation into a file, while it runs. For PostgreSQL there is pg_dump (docs/backup.md)."""
    from cli.backup import CannotBackUp, back_up

    try:
        size = back_up(settings().database_url, file)
    except CannotBackUp as problem:
        fail("No backup was made:", [str(problem)])
    typer.echo(json.dumps({"file": str(file), "bytes": size}) if as_json else f"{file}: {size:,} bytes, and whole.")
