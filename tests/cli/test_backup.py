"""`kassor backup`: whole, also of what is not in the file itself yet; for its owner alone; over nothing that is there."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cli.backup import CannotBackUp, back_up
from tests.cli.test_console import GOOD, kassor


@pytest.fixture
def source(sqlite_template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(sqlite_template, tmp_path / "kassor.db"))


def test_it_holds_what_was_committed_last_while_the_database_is_open(source: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(source)) as busy:
        busy.execute("PRAGMA journal_mode=WAL")
        busy.execute("INSERT INTO watermark (id, at) VALUES ('x', '2026-01-01')")
        busy.commit()
        busy.execute("INSERT INTO watermark (id, at) VALUES ('not committed', '2026-01-01')")
        back_up(f"sqlite://{source}?journal_mode=WAL", tmp_path / "copy.db")
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("SELECT id FROM watermark").fetchall() == [("x",)]
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600


def test_another_backup_is_never_overwritten(source: Path, tmp_path: Path) -> None:
    (tmp_path / "old.db").write_text("precious")
    with pytest.raises(CannotBackUp, match="is there already"):
        back_up(f"sqlite://{source}", tmp_path / "old.db")
    assert (tmp_path / "old.db").read_text() == "precious"


@pytest.mark.parametrize(
    ("url", "says"),
    [("postgres://kassor:very-secret@db.example/kassor", "pg_dump"), ("sqlite://no-such.db", "no database at")],
)
def test_what_cannot_be_done_is_said_and_exits_2(url: str, says: str, tmp_path: Path) -> None:
    done = kassor("backup", str(tmp_path / "copy.db"), **GOOD, DATABASE_URL=url)
    assert done.returncode == 2
    assert says in done.stderr
    assert "very-secret" not in done.stderr
    assert not (tmp_path / "copy.db").exists()


def test_a_file_that_is_no_database_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "broken.db").write_text("this is no database, however long it goes on " * 50)
    with pytest.raises(CannotBackUp, match="can't be read"):
        back_up(f"sqlite://{tmp_path}/broken.db", tmp_path / "copy.db")
    assert not (tmp_path / "copy.db").exists()
