"""The button that says the amount. The intent is committed before Slack is answered; what follows can be cut off anywhere."""

from uuid import UUID

from bot import home, people
from bot.listeners import finding
from bot.views import confirmation
from bot.views.blocks import note
from bot.visit import Visit
from domain.actions import changes, upgrade
from domain.records import Quote, Subscription
from domain.records.quotes import QuoteKind, QuoteState
from domain.rules.refusals import NotSubscribed, QuoteChanged, QuoteOver


async def accept(visit: Visit) -> None:
    """Commit, acknowledge, carry out, and show what came of it. A stale press gets a fresh price, not an error."""
    quote = await _own_quote(visit)
    verbs = upgrade if quote.kind == QuoteKind.UPGRADE else changes
    try:
        quote = await verbs.accept(visit.desk, visit.actor, quote.id)
    except QuoteOver as over:
        await visit.ack()
        if over.state not in {QuoteState.EXPIRED.value, QuoteState.SUPERSEDED.value}:
            raise
        await _show_fresh(visit, await visit.unhurried(_again(visit, quote), visit.words("Working out the price…")))
        return
    await visit.ack()
    saying = visit.words("Opening the payment page…") if quote.kind == QuoteKind.UPGRADE else visit.words("One moment…")
    try:
        quote = await visit.unhurried(verbs.carry_out(visit.desk, quote), saying)
    except QuoteChanged as changed:
        fresh = await Quote.get(id=changed.fresh).prefetch_related("scope", "requester", "owner")
        await _show_fresh(visit, fresh)
        return
    if quote.kind == QuoteKind.UPGRADE and quote.state != QuoteState.APPLIED:
        await visit.reply(confirmation.payment_page(visit.words, visit.desk, quote))
        await people.hear(visit.client, quote.scope)
    else:
        await visit.reply(confirmation.done(visit.words, visit.desk, quote))
        await home.publish(visit.client, visit.desk, visit.actor)


async def drop(visit: Visit) -> None:
    """Not now."""
    await visit.ack()
    await visit.reply(note(visit.words("All right, nothing was changed.")))


async def _own_quote(visit: Visit) -> Quote:
    """The quote on the button, if it is this person's. Raises QuoteOver."""
    try:
        key = UUID(str(visit.action.get("value")))
    except ValueError:
        raise QuoteOver(state="unknown") from None
    found = await Quote.get_or_none(id=key, requester_id=visit.actor.id).prefetch_related("scope", "requester", "owner")
    if found is None:
        raise QuoteOver(state="unknown")
    return found


async def _again(visit: Visit, quote: Quote) -> Quote:
    """The same wish at today's price. Raises the reason when it can't be had any more."""
    if quote.kind == QuoteKind.UPGRADE:
        return await upgrade.offer(
            visit.desk,
            visit.actor,
            scope=quote.scope,
            plan=quote.plan,
            interval=quote.interval.value,
            seats=quote.seats_asked,
            owner=quote.owner,
            currency=quote.currency,
        )
    live = await Subscription.get_or_none(id=quote.subscription_id, is_live=True)
    if live is None:
        raise NotSubscribed(scope=quote.scope.name)
    return await changes.reoffer(visit.desk, quote, live)


async def _show_fresh(visit: Visit, quote: Quote) -> None:
    method = await finding.payment_method(quote.scope)
    await visit.reply(confirmation.offer(visit.words, visit.desk, quote, payment_method=method, changed=True))
