"""`kassor events`: what Stripe told us, what became of it, and doing it again.

A payload holds personal data, so it is shown only when asked for. What is named and not there, or said and not understood, is an
error on stderr and exit 2.
"""

import json
from typing import Annotated, Any

import typer

from cli import asking
from domain import clock, queue
from domain.queue import QueueState
from domain.records import Event

app = typer.Typer(help="Stripe's events: look at them, do them again.", no_args_is_help=True)

As_json = Annotated[bool, typer.Option("--json", help="One JSON document, for a program.")]
State = Annotated[QueueState | None, typer.Option(help="Only those that wait, are done, or are buried.")]
Kind = Annotated[str | None, typer.Option("--type", help="Only this type, or a family of them: invoice.*")]
Older = Annotated[str | None, typer.Option("--older-than", help="Received longer ago than: 90s, 15m, 6h, 2d.")]
Since = Annotated[
    str | None, typer.Option(help="Received at or after: 2026-11-25, 2026-11-25T14:00, or 6h (ago). UTC.")
]
Until = Annotated[str | None, typer.Option(help="Received before; written like --since.")]


@app.command("list")
def list_events(
    state: State = None,
    kind: Kind = None,
    older_than: Older = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, newest first.")] = 50,
    as_json: As_json = False,
) -> None:
    """List events, newest first, and how many there are of each state."""

    async def look() -> None:
        chosen = _chosen(state=state, kind=kind, older_than=older_than, since=since, until=until)
        found = await chosen.order_by("-received_at", "-id").limit(limit).only(*_FIELDS)
        counts = {each.value: await Event.filter(state=each).count() for each in QueueState}
        if as_json:
            typer.echo(json.dumps({"counts": counts, "events": [_facts(event) for event in found]}, indent=2))
            return
        for event in found:
            typer.echo(_line(event))
        if not found:
            typer.echo("No events like that.")
        typer.echo(", ".join(f"{count} {name}" for name, count in counts.items()) + " in all.")

    asking.run(look())


@app.command()
def show(
    event_id: Annotated[str, typer.Argument(help="evt_…")],
    payload: Annotated[bool, typer.Option("--payload", help="Its payload too: it holds personal data.")] = False,
    as_json: As_json = False,
) -> None:
    """Show one event: what, when, how often it was tried and what went wrong."""

    async def look() -> None:
        event = await Event.get_or_none(id=event_id)
        if event is None:
            raise asking.Wrong(f"There is no event {event_id}. `kassor events list` shows those there are.")
        facts = _facts(event)
        if payload:
            facts["payload"] = event.payload or None
        if as_json:
            typer.echo(json.dumps(facts, indent=2, ensure_ascii=False))
            return
        for name, value in facts.items():
            if name != "payload":
                typer.echo(f"{name:<13} {'' if value is None else value}")
        if payload:
            typer.echo(_readable(event.payload) if event.payload else "The payload has been pruned.")

    asking.run(look())


@app.command()
def replay(
    event_ids: Annotated[list[str] | None, typer.Argument(help="evt_… evt_…", show_default=False)] = None,
    buried: Annotated[bool, typer.Option("--buried", help="All that were given up.")] = False,
    kind: Kind = None,
    since: Since = None,
    until: Until = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say how many, change nothing.")] = False,
    as_json: As_json = False,
) -> None:
    """Queue events again as if they were new: some by id, a type, all buried, a time range, or these together.

    Harmless twice: an event only makes Kassör look at Stripe again. An event whose payload has been pruned can't be done again.
    """

    async def again() -> None:
        if not (event_ids or buried or kind or since or until):
            raise asking.Wrong("Say which: ids, --buried, --type, --since or --until.")
        if event_ids:
            there: set[object] = set(await Event.filter(id__in=event_ids).values_list("id", flat=True))
            if missing := [each for each in event_ids if each not in there]:
                raise asking.Wrong(f"There is no event {', '.join(missing)}. Nothing was queued.")
        chosen = _chosen(state=QueueState.BURIED if buried else None, kind=kind, since=since, until=until)
        if event_ids:
            chosen = chosen.filter(id__in=event_ids)
        keys = await chosen.exclude(payload="").values_list("id", flat=True)
        pruned = await chosen.filter(payload="").count()
        if not dry_run:
            for start in range(0, len(keys), 500):
                await queue.replay(Event, keys[start : start + 500])
        if as_json:
            typer.echo(json.dumps({"queued": 0 if dry_run else len(keys), "matching": len(keys), "pruned": pruned}))
            return
        typer.echo(f"{len(keys)} {'would be' if dry_run else 'are'} queued again.")
        if pruned:
            typer.echo(f"{pruned} can't be: the payload has been pruned. `kassor reconcile` reads Stripe again.")

    asking.run(again())


_FIELDS = (
    "id",
    "type",
    "state",
    "created_at",
    "received_at",
    "available_at",
    "attempts",
    "last_error",
    "done_at",
    "lane",
)


def _chosen(
    *,
    state: QueueState | None = None,
    kind: str | None = None,
    older_than: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> Any:
    chosen = Event.all()
    if state is not None:
        chosen = chosen.filter(state=state)
    if kind is not None:
        family = kind.removesuffix("*")
        chosen = chosen.filter(type__startswith=family) if family != kind else chosen.filter(type=kind)
    if older_than is not None:
        chosen = chosen.filter(received_at__lt=clock.now() - asking.span(older_than, "--older-than"))
    if since is not None:
        chosen = chosen.filter(received_at__gte=asking.moment(since, "--since"))
    if until is not None:
        chosen = chosen.filter(received_at__lt=asking.moment(until, "--until"))
    return chosen


def _facts(event: Event) -> dict[str, Any]:
    return {
        "id": event.id,
        "type": event.type,
        "state": event.state.value,
        "about": event.lane or None,
        "created_at": asking.when(event.created_at),
        "received_at": asking.when(event.received_at),
        "due_at": asking.when(event.available_at) if event.state == QueueState.QUEUED else None,
        "done_at": asking.when(event.done_at),
        "attempts": event.attempts,
        "error": event.last_error,
    }


def _line(event: Event) -> str:
    old = asking.old(event.received_at)
    error = " ".join((event.last_error or "").split())
    return f"{event.state.value:<7} {old:>6}  {event.type:<40} {event.id}" + (f"  {error[:80]}" if error else "")


def _readable(payload: str) -> str:
    try:
        return json.dumps(json.loads(payload), indent=2, ensure_ascii=False)
    except ValueError:
        return payload
