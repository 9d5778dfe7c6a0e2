"""How far long work has come: on stderr, in a terminal only."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


@contextmanager
def shown() -> Iterator[Progress]:
    """A line a task: what it is, a bar, how many, and for how long."""
    out = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=out, disable=not out.is_terminal) as progress:
        yield progress


@contextmanager
def counting() -> Iterator[Callable[[str, int, int | None], None]]:
    """For work that says of each of its parts how many are done, and of how many: None where nobody knows beforehand."""
    tasks: dict[str, TaskID] = {}
    with shown() as progress:

        def count(what: str, done: int, of: int | None) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=of)
            progress.update(tasks[what], completed=done, total=of)

        yield count
