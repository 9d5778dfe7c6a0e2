"""A team's own plan, once its whole organisation has one: ended at once, and what is left of it credited (M4).

Nobody presses anything: `sync` writes the intent (an ABSORB quote) together with the organisation's subscription, and the resume
tick carries it out. What each state of the team's subscription comes to:

- paid (active, also when cancelled for the period's end or with a change waiting): ended with credit for the unused time;
- invoice unpaid (overdue, or to be paid by hand): it is given up, and what was owed is taken off the credit, never below nothing;
- in a trial, or paused: ended; there is nothing to credit;
- a change that waits for the bank: dropped, it was never paid.
"""

import logging

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from domain import audit, clock, notices, sync
from domain.actions.common import mark_failed
from domain.desk import Desk
from domain.notices import NoticeKind
from domain.records import Customer, Quote, Scope, Subscription
from domain.records.people import ScopeKind
from domain.records.quotes import QuoteKind, QuoteState
from domain.rules.refusals import NotSubscribed, QuoteOver, Refusal
from domain.sync.absorbs import intend_absorbing
from domain.sync.consequences import terms

log = logging.getLogger("kassor.absorbing")


async def intend_missing(desk: Desk) -> int:
    """Write the intents that no upgrade wrote: a team and its organisation that were paid at the same moment."""
    del desk
    new = 0
    teams = Subscription.filter(is_live=True, scope__kind=ScopeKind.TEAM).prefetch_related("scope")
    workspaces = {team.scope.workspace_id for team in await teams}
    wholes = Subscription.filter(is_live=True, scope__workspace_id__in=list(workspaces))
    for whole in await wholes.exclude(scope__kind=ScopeKind.TEAM).prefetch_related("owner"):
        try:
            async with in_transaction():
                new += await intend_absorbing(whole, whole.owner)
        except IntegrityError:
            log.info("a change of a team under %s is being accepted; looked at again soon", whole.id)
    return new


async def carry_out(desk: Desk, quote: Quote) -> Quote:
    """End a team's plan and move its credit to the organisation; can be cut off anywhere and run again.

    Raises PaymentsAway, PaymentsRefused (both leave the intent), QuoteOver.
    """
    await quote.refresh_from_db()
    await quote.fetch_related("scope", "requester", "owner")
    if quote.state == QuoteState.APPLIED:
        return quote
    if quote.state != QuoteState.ACCEPTED or quote.kind != QuoteKind.ABSORB:
        raise QuoteOver(state=quote.state.value)
    whole = await Subscription.get(id=quote.before["by"]).prefetch_related("scope")
    team = await Subscription.get(id=quote.subscription_id).prefetch_related("scope")
    if not whole.is_live and team.is_live:  # the organisation's has ended meanwhile: the team keeps its own
        await mark_failed(quote, NotSubscribed(scope=whole.scope.name))
        return quote
    owed = await _note_what_is_owed(desk, quote, team)
    await desk.payments.cancel_now(team.id, credit=True, why="absorbed")
    for invoice_id in owed:
        await desk.payments.give_up_invoice(invoice_id)
    moved = await _move_credit(desk, quote, team, whole, sum(owed.values()))
    await sync.subscription(desk, team.id, actor=quote.requester)
    for invoice_id in owed:
        await sync.invoice(desk, invoice_id)
    await _settle(desk, quote, team, whole, moved)
    await quote.refresh_from_db()
    return quote


async def _note_what_is_owed(desk: Desk, quote: Quote, team: Subscription) -> dict[str, int]:
    """Unpaid invoices by id, with their amounts: remembered before the first of them is given up.

    Drafts are given up here already, before the credit is there: finalised later they would use it up.
    """
    if "owed" not in quote.before:
        found = await desk.payments.subscription(team.id)
        pending = found.latest_invoice_id if found is not None and found.pending_update else None
        if pending is not None:  # a change the bank hasn't heard about: nothing of it is in force
            await desk.payments.give_up_invoice(pending)
        unpaid = [each for each in await desk.payments.unpaid(team.id) if each.id != pending]
        before = quote.before | {"owed": {each.id: each.amount for each in unpaid}}
        before["drafts"] = [each.id for each in unpaid if each.status == "draft"]
        async with in_transaction():  # another scheduler may have noted them, and given some up while we were reading
            noted = await Quote.filter(id=quote.id).select_for_update().get()
            if "owed" not in noted.before:
                await Quote.filter(id=quote.id).update(before=before)
                noted.before = before
        quote.before = noted.before
    for draft in quote.before["drafts"]:
        await desk.payments.give_up_invoice(draft)
    owed: dict[str, int] = quote.before["owed"]
    return owed


async def _move_credit(
    desk: Desk, quote: Quote, team: Subscription, whole: Subscription, owed: int
) -> dict[str, object]:
    """From the team's customer to the organisation's; in another currency it stays where it is. Returns what a notice says."""
    credit, currency = await desk.payments.credited_at_end(team.id)
    left = max(0, credit - owed)
    payer = await Customer.get_or_none(id=whole.customer_id)
    same = currency == (payer.currency if payer and payer.currency else whole.currency)
    taken = credit if same else credit - left  # what was never paid is no credit
    if taken:
        await desk.payments.adjust_balance(team.customer_id, taken, currency, key=f"{quote.id}:from")
    if same and left:
        await desk.payments.adjust_balance(whole.customer_id, -left, currency, key=f"{quote.id}:to")
    return {"credit": left, "currency": currency, "moved": same}


async def _settle(desk: Desk, quote: Quote, team: Subscription, whole: Subscription, moved: dict[str, object]) -> None:
    """Applied, told to the team's owner and the organisation's, and on the record: one transaction."""
    scope = await Scope.get(id=team.scope_id)
    facts = moved | {
        "scope": scope.name,
        "organisation": whole.scope.name,
        "plan": whole.plan,
        "subscription": team.id,
    }
    key = f"absorbed:{team.id}"
    async with in_transaction():
        if not await Quote.filter(id=quote.id, state=QuoteState.ACCEPTED).update(
            state=QuoteState.APPLIED, settled_at=clock.now(), failure=None
        ):
            return
        fresh = await Subscription.get(id=team.id)
        for told, record in (("team", fresh), ("organisation", whole)):
            if told == "organisation" and record.owner_id == fresh.owner_id:
                continue
            await notices.tell(
                NoticeKind.ABSORBED,
                workspace_id=scope.workspace_id,
                facts=facts,
                dedup_key=f"{key}:{told}",
                owner_of=record,
            )
        await audit.record(
            desk,
            scope=scope,
            actor=quote.requester,
            verb="absorbed",
            before=terms(team),
            after={"plan": whole.plan},
            reference=team.id,
            dedup_key=key,
        )


async def resume(desk: Desk, quote: Quote) -> None:
    """`carry_out` for the tick: what Stripe refuses is logged and tried again, for a team must not go on paying."""
    try:
        await carry_out(desk, quote)
    except Refusal as refusal:
        log.warning("the plan of %s could not be ended yet: %s", quote.subscription_id, refusal)
    except Exception:
        log.exception("the plan of %s could not be ended; the next tick tries again", quote.subscription_id)
