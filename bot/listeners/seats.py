"""Seats: a modal or a number, always a price before anything changes (M2, R42, R44)."""

from bot.listeners import finding
from bot.parsing import parse_seats_text
from bot.views import change, confirmation, note_loading
from bot.views.blocks import modal
from bot.views.refusals import refusal_text
from bot.visit import Visit
from domain import directory
from domain.actions import seats
from domain.actions.changes import check_may_change
from domain.records import Subscription
from domain.rules import refusals
from domain.rules.sizes import size_for, sizes_on_offer

_ON_THE_FIELD = (
    refusals.SeatsTooFew,
    refusals.SeatsTooMany,
    refusals.SeatsBelowMembers,
    refusals.TooManyMembers,
    refusals.NothingToChange,
)


async def asked(visit: Visit, text: str) -> None:
    """`/seats …`: with a number it is priced at once, without one the modal opens."""
    wish = parse_seats_text(text)
    live = await finding.subscription(visit)
    if wish is None:
        await _open(visit, live)
        return
    await visit.ack()
    offering = seats.offer(visit.desk, visit.actor, subscription=live, asked=wish)
    quote = await visit.unhurried(offering, visit.words("Working out the price…"))
    method = await finding.payment_method(quote.scope)
    await visit.reply(confirmation.offer(visit.words, visit.desk, quote, payment_method=method))


async def pressed(visit: Visit) -> None:
    """A *Change seats* button."""
    await _open(visit, await finding.subscription(visit, visit.action.get("value")))


async def grow_pressed(visit: Visit) -> None:
    """*Change to … seats*, when members have outgrown them (M6): a price for what fits the members there are today."""
    subscription_id = str(visit.action.get("value")).partition(":")[0]
    live = await finding.subscription(visit, subscription_id)
    await check_may_change(visit.actor, live, "seats")
    await visit.ack()
    scope = await finding.scope_of(live)
    members = await directory.members_in(scope, visit.desk.catalogue)
    if members <= live.seats:
        await visit.reply(change.seats_suffice(visit.words, live, scope=scope.name, members=members))
        return
    size = size_for(members, members, visit.desk.catalogue)
    offering = seats.offer_seats(visit.desk, visit.actor, subscription=live, seats=size)
    quote = await visit.unhurried(offering, visit.words("Working out the price…"))
    method = await finding.payment_method(quote.scope)
    await visit.reply(confirmation.offer(visit.words, visit.desk, quote, payment_method=method))


async def _open(visit: Visit, live: Subscription) -> None:
    await check_may_change(visit.actor, live, "seats")
    scope = await finding.scope_of(live)
    members = await directory.members_in(scope, visit.desk.catalogue)
    if not sizes_on_offer(members, visit.desk.catalogue):
        raise refusals.TooManyMembers(members=members, largest=visit.desk.catalogue.sizes[-1])
    await visit.open(change.seats_form(visit.words, visit.desk, live, scope=scope.name, members=members))
    await visit.ack()


async def submitted(visit: Visit) -> None:
    """A size was picked."""
    live = await finding.subscription(visit, visit.view["private_metadata"])
    size = int(visit.state["kassor.seats.size"]["selected_option"]["value"])
    try:
        await seats.check(visit.desk, visit.actor, subscription=live, seats=size)
    except _ON_THE_FIELD as refusal:
        await visit.field_errors({"seats": refusal_text(refusal, visit.words, visit.desk)})
        return
    t = visit.words
    waiting = modal(t.plain("Change seats"), note_loading(t("Working out the price…")), close=t.plain("Close"))
    await visit.ack(response_action="update", view=waiting)
    quote = await seats.offer_seats(visit.desk, visit.actor, subscription=live, seats=size)
    method = await finding.payment_method(quote.scope)
    await visit.reply(confirmation.offer(t, visit.desk, quote, payment_method=method))
