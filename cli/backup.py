"""`kassor backup`: a copy of a SQLite installation at one moment, while it is written to.

Copying the file itself is no backup: what was committed last is in the log beside it. PostgreSQL brings tools of its own.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path


class CannotBackUp(Exception):  # noqa: N818 - the operator's, and said in words
    """What stands in the way."""


def back_up(database_url: str, target: Path) -> int:
    """Copy the database into a new file that only its owner can read; its size in bytes. Raises CannotBackUp."""
    if not database_url.startswith("sqlite://"):
        raise CannotBackUp("it is PostgreSQL: pg_dump makes its backups (docs/backup.md)")
    source = Path(database_url.removeprefix("sqlite://").partition("?")[0])
    if not source.is_file():
        raise CannotBackUp(f"there is no database at {source}")
    try:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        raise CannotBackUp(f"{target} is there already; a backup never overwrites another") from None
    except OSError as error:
        raise CannotBackUp(f"{target} can't be written: {error.strerror}") from None
    try:
        with closing(sqlite3.connect(source)) as there, closing(sqlite3.connect(target)) as here:
            there.backup(here)
            [(verdict,)] = here.execute("PRAGMA integrity_check(1)").fetchall()
    except sqlite3.Error as error:
        target.unlink()
        raise CannotBackUp(f"the database can't be read ({error})") from None
    if verdict != "ok":
        target.unlink()
        raise CannotBackUp(f"the copy is not whole: {verdict}")
    return target.stat().st_size
