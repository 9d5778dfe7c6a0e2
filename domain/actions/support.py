"""Asking the support desk (R17): one click away at every step, a record before it is a message, answered in Slack."""

from collections.abc import Collection
from typing import Any
from uuid import UUID, uuid4

from tortoise.transactions import in_transaction

from domain import audit, clock, directory
from domain.actions.common import check_actor, live_subscription
from domain.actions.deciding import find, tell_requester
from domain.actions.sales import MOST_TEXT, tell_the_desk
from domain.desk import Desk
from domain.records import Customer, DeskRequest, Member, Scope
from domain.records.requests import Desk as Which
from domain.records.requests import RequestState, Topic
from domain.rules.refusals import ActorNotEligible, DeskClosed, NothingWritten, NotStaff, RequestDecided


async def ask(desk: Desk, actor: Member, *, scope: Scope | None, text: str, place: str = "") -> DeskRequest:
    """Send support a question, with where in the product it was asked and who pays there; never an amount.

    Guests may ask too. Raises ActorNotEligible (bots, deactivated), NothingWritten, DeskClosed.
    """
    if actor.is_bot or actor.is_deactivated:
        raise ActorNotEligible(reason="bot" if actor.is_bot else "deactivated")
    if scope is None or scope.workspace_id != actor.workspace_id:
        scope = await directory.whole(actor.workspace_id)
    if desk.settings.support_channel is None:
        raise DeskClosed(desk=Which.SUPPORT.value)
    if not text.strip():
        raise NothingWritten
    live = await live_subscription(scope)
    customer = await Customer.get_or_none(scope_id=scope.id)
    facts: dict[str, Any] = {
        "text": text.strip()[:MOST_TEXT],
        "place": place[:60],
        "plan": live.plan if live else desk.catalogue.free.key,
        "customer": customer.id if customer else None,
    }
    async with in_transaction():
        made = await DeskRequest.create(
            id=uuid4(),
            desk=Which.SUPPORT,
            topic=Topic.HELP.value,
            scope=scope,
            requester=actor,
            facts=facts,
            asked_at=clock.now(),
        )
        await tell_the_desk(desk, made, workspace_id=scope.workspace_id)
    made.scope, made.requester = scope, actor
    return made


def check_staff(desk: Desk, actor: Member, *, channel: str | None, there: Collection[str]) -> None:
    """Support is whoever is in its channel: `there`, Slack user ids just read from Slack. Raises ActorNotEligible, NotStaff."""
    check_actor(actor)
    in_place = channel is not None and channel == desk.settings.support_channel
    if not in_place or actor.slack_user_id not in there:
        raise NotStaff(desk=Which.SUPPORT.value)


async def answer(
    desk: Desk,
    actor: Member,
    request_id: str | UUID,
    words: str,
    *,
    channel: str | None,
    there: Collection[str],
) -> DeskRequest:
    """Answer a question, once; whoever asked is told by whom and in which words.

    Raises NotStaff, RequestGone, RequestDecided (who has answered), NothingWritten.
    """
    check_staff(desk, actor, channel=channel, there=there)
    request = await find(request_id, Which.SUPPORT)
    if not words.strip() and request.state == RequestState.OPEN:
        raise NothingWritten
    async with in_transaction():
        won = await DeskRequest.filter(id=request.id, state=RequestState.OPEN).update(
            state=RequestState.ANSWERED,
            decided_by_id=actor.id,
            decided_at=clock.now(),
            carried_out_at=clock.now(),
            answer={"words": words.strip()[:MOST_TEXT]},
        )
        if won:
            await tell_requester(request)
            await audit.record(
                desk,
                scope=request.scope,
                actor=actor,
                verb="support_answered",
                reference=str(request.id),
                dedup_key=f"request:{request.id}:answered",
            )
    fresh = await find(request.id, Which.SUPPORT)
    if not won:
        assert fresh.decided_by is not None  # nobody else ends a request
        assert fresh.decided_at is not None
        by = fresh.decided_by.slack_user_id
        raise RequestDecided(by=by, state=fresh.state.value, at=fresh.decided_at.isoformat())
    return fresh


async def check_open(request_id: str | UUID) -> DeskRequest:
    """A question that waits for its answer. Raises RequestGone, RequestDecided."""
    request = await find(request_id, Which.SUPPORT)
    if request.state != RequestState.OPEN:
        assert request.decided_by is not None  # nobody else ends a request
        assert request.decided_at is not None
        by = request.decided_by.slack_user_id
        raise RequestDecided(by=by, state=request.state.value, at=request.decided_at.isoformat())
    return request
