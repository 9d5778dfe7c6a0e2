"""Stored events a second: Kassör's whole web process beside its yardsticks, in alternating rounds."""

from contextlib import ExitStack

from benchmarks.results import Results, median
from benchmarks.servers import Databases, djstripe, kassor, load, reference

CONNECTIONS = {1: 3_000, 16: 5_000, 64: 8_000}  # → events a round
FLOOR = {1: 10.0, 16: 20.0, 64: 30.0}  # times dj-stripe


def run(results: Results, *, rounds: int) -> None:
    """PostgreSQL: against dj-stripe, the reference and a single INSERT, at 1, 16 and 64 connections."""
    with ExitStack() as stack:
        databases = Databases(stack)
        ours, _ = stack.enter_context(kassor(databases.postgres()))
        urls = {
            "kassor": ours,
            "reference": stack.enter_context(reference("group", databases.postgres(migrated=False))),
            "single_insert": stack.enter_context(reference("single", databases.postgres(migrated=False))),
            "djstripe": stack.enter_context(djstripe(databases.postgres(migrated=False))),
            "djstripe_persistent": stack.enter_context(djstripe(databases.postgres(migrated=False), persistent=True)),
        }
        for url in urls.values():
            load(url, 8, 200)  # warm
        for connections, events in CONNECTIONS.items():
            found: dict[str, list[dict[str, float]]] = {name: [] for name in urls}
            for _ in range(rounds):
                for name, url in urls.items():
                    found[name].append(load(url, connections, events // 20 if name.startswith("djstripe") else events))
            rate = {name: median([each["rate"] for each in rounds_]) for name, rounds_ in found.items()}
            p99 = {name: median([each["p99_ms"] for each in rounds_]) for name, rounds_ in found.items()}
            here = f"receiver.postgres.c{connections}"
            for name in urls:
                results.add(f"{here}.{name}", rate[name], "events/s")
            results.add(f"{here}.p99", p99["kassor"], "ms")
            results.add(f"{here}.vs_djstripe", rate["kassor"] / rate["djstripe"], "×", least=FLOOR[connections])
            results.add(f"{here}.vs_djstripe_persistent", rate["kassor"] / rate["djstripe_persistent"], "×")
            results.add(
                f"{here}.vs_reference", rate["kassor"] / rate["reference"], "×", least=1.0 if connections > 1 else None
            )
            results.add(
                f"{here}.vs_single_insert",
                rate["kassor"] / rate["single_insert"],
                "×",
                least=0.95 if connections == 1 else None,
            )
            results.add(f"{here}.p99_vs_reference", p99["kassor"] / p99["reference"], "×", most=1.2)


def run_sqlite(results: Results, *, rounds: int) -> None:
    """SQLite, write-ahead log and synchronous=FULL: against aiosqlite group commit."""
    with ExitStack() as stack:
        databases = Databases(stack)
        ours, _ = stack.enter_context(kassor(databases.sqlite("kassor.db")))
        theirs = stack.enter_context(reference("sqlite", str(databases.folder / "reference.db")))
        for connections in (1, 16, 64):
            found: dict[str, list[float]] = {ours: [], theirs: []}
            for _ in range(rounds):
                for url, rates in found.items():
                    rates.append(load(url, connections, CONNECTIONS[connections] // 2)["rate"])
            here = f"receiver.sqlite.c{connections}"
            results.add(f"{here}.kassor", median(found[ours]), "events/s")
            results.add(f"{here}.reference", median(found[theirs]), "events/s")
            results.add(f"{here}.vs_reference", median(found[ours]) / median(found[theirs]), "×", least=0.9)


def run_two(results: Results, *, rounds: int) -> None:
    """Two web processes on one database against one."""
    with ExitStack() as stack:
        databases = Databases(stack)
        shared = databases.postgres()
        alone, _ = stack.enter_context(kassor(databases.postgres()))
        pair = [stack.enter_context(kassor(shared))[0] for _ in range(2)]
        one, two = [], []
        for _ in range(rounds):
            one.append(load(alone, 64, CONNECTIONS[64])["rate"])
            two.append(load(pair, 64, CONNECTIONS[64])["rate"])
        results.add("receiver.postgres.two_processes", median(two), "events/s")
        results.add("receiver.postgres.two_vs_one", median(two) / median(one), "×", least=1.0)
