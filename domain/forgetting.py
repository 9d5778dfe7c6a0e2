"""Forgetting a workspace's people, once it has left: names, addresses and what they wrote go; what the law wants of invoices stays.

Amounts, numbers, dates and states are kept, and so is who did what, as one nameless person or another: the ledger still adds up.
Rows are emptied, not removed, but for those that are nothing else than personal (tokens, who is on which team). Every table and
field is in docs/privacy.md. What Stripe keeps is Stripe's: erase it there first, or a late webhook brings the address back.
"""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tortoise.expressions import Q
from tortoise.models import Model
from tortoise.transactions import in_transaction

from domain import clock, directory
from domain.queue import QueueState
from domain.records import (
    AuditEntry,
    CopyRecipient,
    Customer,
    DeskRequest,
    DirectChannel,
    Event,
    Installation,
    Invoice,
    Member,
    Notice,
    Quote,
    Scope,
    ScopeMember,
    Subscription,
    Workspace,
)
from domain.records.quotes import QuoteState
from domain.records.requests import RequestState

FORGOTTEN = "forgotten"
PAGE = 500


@dataclass(frozen=True)
class Standing:
    """What forgetting a workspace would touch, in rows by record, and what stands in the way, in sentences."""

    rows: dict[str, int]
    obstacles: tuple[str, ...]


class NotYet(Exception):  # noqa: N818 - it says what it is
    """The workspace can't be forgotten yet: `obstacles` says why, and what to do first."""

    def __init__(self, obstacles: tuple[str, ...]) -> None:
        self.obstacles = obstacles
        super().__init__("; ".join(obstacles))


async def standing(workspace: Workspace) -> Standing:
    """Look, change nothing."""
    events = Event.filter(lane__in=await _lanes(workspace))
    rows = {
        "member": await Member.filter(workspace_id=workspace.id).count(),
        "scope_member": await ScopeMember.filter(scope__workspace_id=workspace.id).count(),
        "customer": await Customer.filter(scope__workspace_id=workspace.id).count(),
        "invoice": await Invoice.filter(scope__workspace_id=workspace.id).count(),
        "quote": await Quote.filter(scope__workspace_id=workspace.id).count(),
        "desk_request": await DeskRequest.filter(scope__workspace_id=workspace.id).count(),
        "notice": await Notice.filter(workspace_id=workspace.id).count(),
        "event": await events.exclude(payload="").count(),
        "audit_entry": await AuditEntry.filter(workspace_id=workspace.id).count(),
        "installation": await Installation.filter(team_id=workspace.id).count(),
    }
    obstacles = []
    if workspace.installed:
        obstacles.append(
            "Kassör is still installed there, and would read its members again: have it removed in Slack first"
        )
    if live := await Subscription.filter(scope__workspace_id=workspace.id, is_live=True).values_list("id", flat=True):
        obstacles.append(f"subscriptions are live ({', '.join(str(each) for each in live)}): let them end first")
    if await Quote.filter(scope__workspace_id=workspace.id, state=QuoteState.ACCEPTED).exists():
        obstacles.append("an accepted offer is still being carried out: wait until it is")
    asked = DeskRequest.filter(scope__workspace_id=workspace.id, carried_out_at=None)
    if await asked.exclude(state=RequestState.DECLINED).exists():
        obstacles.append("sales or support has not finished with a request: decline, carry out or answer it first")
    if await events.filter(state=QueueState.QUEUED).exists():
        obstacles.append("events of Stripe's still wait to be worked on: wait until they are")
    return Standing(rows, tuple(obstacles))


async def forget(workspace: Workspace) -> Standing:
    """Forget its people, all or nothing. Once more does no harm. Raises NotYet."""
    async with in_transaction():
        found = await standing(workspace)
        if found.obstacles:
            raise NotYet(found.obstacles)
        words = await _names(workspace)
        await _empty_words(workspace, words)
        await _empty_fields(workspace)
        await _people(workspace)
        await _note(workspace, found.rows)
    return found


async def _lanes(workspace: Workspace) -> list[str]:
    """Whose events are this workspace's: its customers', and its objects' own."""
    mine = {"scope__workspace_id": workspace.id}
    keys: list[Any] = [
        *await Customer.filter(**mine).values_list("id", flat=True),
        *await Subscription.filter(**mine).values_list("id", flat=True),
        *await Invoice.filter(**mine).values_list("id", flat=True),
        *await Quote.filter(**mine, checkout_session_id__not_isnull=True).values_list("checkout_session_id", flat=True),
    ]
    return [str(key) for key in keys]


async def _names(workspace: Workspace) -> frozenset[str]:
    """Every word by which one of its people is known."""
    rows = await Member.filter(workspace_id=workspace.id).values_list("slack_user_id", "name", "email")
    return frozenset(str(word) for row in rows for word in row if word)


def without(value: Any, words: frozenset[str]) -> Any:
    """The same JSON, with every text that is one of `words` replaced."""
    if isinstance(value, dict):
        return {name: without(each, words) for name, each in value.items()}
    if isinstance(value, list):
        return [without(each, words) for each in value]
    return FORGOTTEN if isinstance(value, str) and value in words else value


async def _empty_words(workspace: Workspace, words: frozenset[str]) -> None:
    """The ledger stays, and why an offer failed, without names."""
    for quote in await Quote.filter(scope__workspace_id=workspace.id, failure__not_isnull=True):
        await Quote.filter(id=quote.id).update(failure=without(quote.failure, words))
    after = None
    while True:
        page = AuditEntry.filter(workspace_id=workspace.id).order_by("id").limit(PAGE)
        entries = await (page.filter(id__gt=after) if after else page)
        for entry in entries:
            before, then = without(entry.before, words), without(entry.after, words)
            if (before, then) != (entry.before, entry.after):
                await AuditEntry.filter(id=entry.id).update(before=before, after=then)
        if len(entries) < PAGE:
            return
        after = entries[-1].id


async def _empty_fields(workspace: Workspace) -> None:
    mine = Q(scope__workspace_id=workspace.id)
    await _update(
        Customer, mine, name=None, email=None, address=None, payment_method_id=None, payment_method_label=None
    )
    await _update(Invoice, mine, hosted_invoice_url=None, invoice_pdf=None)  # whoever has the link reads the address
    await _update(Quote, mine, origin=None, checkout_url=None)
    await _update(DeskRequest, mine, facts={}, answer=None)
    notices = Notice.filter(workspace_id=workspace.id)
    await notices.update(facts={}, last_error=None, sent_to=None, slack_channel=None, slack_file_id=None)
    await notices.exclude(state=QueueState.DONE).update(state=QueueState.DONE, leased_until=None, done_at=clock.now())
    lanes = await _lanes(workspace)
    for start in range(0, len(lanes), PAGE):
        await Event.filter(lane__in=lanes[start : start + PAGE]).update(payload="", last_error=None)
    for customer in await Customer.filter(mine).values_list("id", flat=True):
        # a method that is gone says whose it was inside only
        gone = Event.filter(type="payment_method.detached", payload__contains=f'"{customer}"')
        await gone.update(payload="", last_error=None)


async def _update(model: type[Model], which: Q, **values: Any) -> None:
    keys = await model.filter(which).values_list("id", flat=True)
    for start in range(0, len(keys), PAGE):
        await model.filter(pk__in=list(keys[start : start + PAGE])).update(**values)


async def _people(workspace: Workspace) -> None:
    """Each stays one person, nameless; who was on which team, and the token, are gone."""
    for scope in await Scope.filter(workspace_id=workspace.id):
        await ScopeMember.filter(scope_id=scope.id).delete()
    await Installation.filter(team_id=workspace.id).delete()
    people = CopyRecipient.filter(subscription__scope__workspace_id=workspace.id, until=None)
    for key in await people.values_list("id", flat=True):
        await CopyRecipient.filter(id=key).update(until=clock.now())
    for key in await Member.filter(workspace_id=workspace.id).values_list("id", flat=True):
        await DirectChannel.filter(id=key).delete()
        await Member.filter(id=key).update(
            slack_user_id=f"GONE{key}", name=FORGOTTEN, email=None, locale="en-US", tz="UTC", is_deactivated=True
        )


async def _note(workspace: Workspace, rows: dict[str, int]) -> None:
    whole = await directory.whole(workspace.id)
    key = f"{FORGOTTEN}:{workspace.id}:{uuid4()}"
    await AuditEntry.create(
        id=uuid4(),
        at=clock.now(),
        workspace_id=workspace.id,
        scope_id=whole.id,
        source="console",
        verb=FORGOTTEN,
        after={"rows": sum(rows.values())},
        dedup_key=key,
    )
