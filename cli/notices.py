"""`kassor notices`: what people are to be told, what became of it, and doing it again.

A notice holds what somebody was told, so its facts are shown only when asked for.
"""

import json
from typing import Annotated, Any
from uuid import UUID

import typer
from tortoise.expressions import Q

from cli import asking
from domain import clock
from domain.notices import NoticeKind
from domain.queue import QueueState
from domain.records import Notice, Workspace

app = typer.Typer(help="Messages to people: look at them, send them again.", no_args_is_help=True)

As_json = Annotated[bool, typer.Option("--json", help="One JSON document, for a program.")]
State = Annotated[QueueState | None, typer.Option(help="Only those that wait, are done (sent), or are buried.")]
Kind = Annotated[str | None, typer.Option(help="Only this kind, such as invoice_copy.")]
Place = Annotated[str | None, typer.Option("--workspace", help="Only a workspace's: its id, name or Slack domain.")]
Older = Annotated[str | None, typer.Option("--older-than", help="Written longer ago than: 90s, 15m, 6h, 2d.")]
_AT_ONCE = 500


@app.command("list")
def list_notices(
    state: State = None,
    kind: Kind = None,
    workspace: Place = None,
    older_than: Older = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, newest first.")] = 50,
    as_json: As_json = False,
) -> None:
    """List messages, newest first, and how many there are of each state."""

    async def look() -> None:
        chosen = await _chosen(state=state, kind=kind, workspace=workspace, older_than=older_than)
        found = await chosen.order_by("-created_at", "-id").limit(limit)
        counts = {each.value: await Notice.filter(state=each).count() for each in QueueState}
        if as_json:
            typer.echo(json.dumps({"counts": counts, "notices": [_facts(notice) for notice in found]}, indent=2))
            return
        for notice in found:
            typer.echo(_line(notice))
        if not found:
            typer.echo("No messages like that.")
        typer.echo(", ".join(f"{count} {name}" for name, count in counts.items()) + " in all.")

    asking.run(look())


@app.command()
def show(
    notice_id: Annotated[str, typer.Argument(help="A message's id, as `list` has it.")],
    facts: Annotated[bool, typer.Option("--facts", help="What it tells, too: it may hold amounts and names.")] = False,
    as_json: As_json = False,
) -> None:
    """Show one message: to whom, when, how often it was tried and what went wrong."""

    async def look() -> None:
        [notice] = await _named([notice_id])
        shown = _facts(notice) | ({"facts": notice.facts} if facts else {})
        if as_json:
            typer.echo(json.dumps(shown, indent=2, ensure_ascii=False))
            return
        for name, value in shown.items():
            written = json.dumps(value, ensure_ascii=False) if name == "facts" else value
            typer.echo(f"{name:<14} {'' if written is None else written}")

    asking.run(look())


@app.command()
def retry(
    notice_ids: Annotated[list[str] | None, typer.Argument(help="Ids, as `list` has them.", show_default=False)] = None,
    buried: Annotated[bool, typer.Option("--buried", help="All that were given up.")] = False,
    kind: Kind = None,
    workspace: Place = None,
    older_than: Older = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say how many, change nothing.")] = False,
    as_json: As_json = False,
) -> None:
    """Try messages again now: some by id, a kind, a workspace's, all buried, or these together.

    Harmless twice: what has been sent is never sent again, and what may have arrived is looked for in Slack first.
    """

    async def again() -> None:
        if not (notice_ids or buried or kind or workspace or older_than):
            raise asking.Wrong("Say which: ids, --buried, --kind, --workspace or --older-than.")
        named = [notice.id for notice in await _named(notice_ids)] if notice_ids else None
        state = QueueState.BURIED if buried else None
        chosen = await _chosen(state=state, kind=kind, workspace=workspace, older_than=older_than)
        if named is not None:
            chosen = chosen.filter(id__in=named)
        sent = await chosen.filter(state=QueueState.DONE).count()
        keys = await _free(chosen).values_list("id", flat=True)
        if not dry_run:
            for start in range(0, len(keys), _AT_ONCE):
                await _again(keys[start : start + _AT_ONCE])
        if as_json:
            typer.echo(json.dumps({"queued": 0 if dry_run else len(keys), "matching": len(keys), "sent_already": sent}))
            return
        typer.echo(f"{len(keys)} {'would be' if dry_run else 'are'} tried again.")
        if sent:
            typer.echo(f"{sent} have been sent already and are left alone.")

    asking.run(again())


def _free(chosen: Any) -> Any:
    """Those that haven't been sent and that no process has in hand: what one has is about to be sent anyway."""
    unclaimed = Q(leased_until__isnull=True) | Q(leased_until__lte=clock.now())
    return chosen.exclude(state=QueueState.DONE).filter(unclaimed)


async def _again(keys: list[Any]) -> None:
    """Queue them as if new; one that was sent, or taken, in this very moment is left alone."""
    due = _free(Notice.filter(id__in=keys))
    await due.update(state=QueueState.QUEUED, available_at=clock.now(), leased_until=None, attempts=0)


async def _named(ids: list[str]) -> list[Notice]:
    wrong = [each for each in ids if not _is_id(each)]
    found = await Notice.filter(id__in=[each for each in ids if _is_id(each)])
    there = {str(notice.id) for notice in found}
    missing = wrong + [each for each in ids if _is_id(each) and str(UUID(each)) not in there]
    if missing:
        raise asking.Wrong(f"There is no message {', '.join(missing)}. `kassor notices list` shows those there are.")
    return found


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


async def _chosen(*, state: QueueState | None, kind: str | None, workspace: str | None, older_than: str | None) -> Any:
    chosen = Notice.all()
    if state is not None:
        chosen = chosen.filter(state=state)
    if kind is not None:
        if kind not in {each.value for each in NoticeKind}:
            raise asking.Wrong(f"--kind {kind}: there is no such kind. One of {', '.join(sorted(NoticeKind))}.")
        chosen = chosen.filter(kind=kind)
    if workspace is not None:
        named = await Workspace.filter(Q(id=workspace) | Q(name=workspace) | Q(domain=workspace))
        if not named:
            raise asking.Wrong(f"--workspace {workspace}: there is no workspace with that id, name or Slack domain.")
        if len(named) > 1:
            raise asking.Wrong(
                f"--workspace {workspace} is several: {', '.join(each.id for each in named)}. Say which id."
            )
        chosen = chosen.filter(workspace_id=named[0].id)
    if older_than is not None:
        chosen = chosen.filter(created_at__lt=clock.now() - asking.span(older_than, "--older-than"))
    return chosen


def _facts(notice: Notice) -> dict[str, Any]:
    return {
        "id": str(notice.id),
        "kind": notice.kind,
        "state": notice.state.value,
        "workspace": notice.workspace_id,
        "for": notice.channel or notice.owner_of_id or (f"member {notice.member_id}" if notice.member_id else None),
        "created_at": asking.when(notice.created_at),
        "due_at": asking.when(notice.available_at) if notice.state == QueueState.QUEUED else None,
        "sent_at": asking.when(notice.done_at),
        "sent_to": notice.sent_to,
        "conversation": notice.slack_channel,
        "ts": notice.slack_ts,
        "attempts": notice.attempts,
        "error": notice.last_error,
    }


def _line(notice: Notice) -> str:
    old = asking.old(notice.created_at)
    error = " ".join((notice.last_error or "").split())
    where = notice.channel or notice.workspace_id
    return f"{notice.state.value:<7} {old:>6}  {notice.kind:<22} {where:<12} {notice.id}" + (
        f"  {error[:80]}" if error else ""
    )
