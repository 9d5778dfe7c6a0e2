"""Plan and interval: a modal or words, always a price before anything changes (M3)."""

from bot.listeners import finding, seats
from bot.parsing import parse_plan
from bot.views import change, confirmation, note_loading
from bot.views.blocks import modal
from bot.views.refusals import refusal_text
from bot.visit import Visit
from domain.actions import plan
from domain.actions.changes import check_may_change
from domain.records import Subscription
from domain.rules import refusals


async def asked(visit: Visit, text: str) -> None:
    """`/billing plan business yearly`; without words the modal opens."""
    wish = parse_plan(text, visit.desk.catalogue, visit.words.language)
    if wish.plan is None and wish.interval is None and wish.seats is not None:
        await seats.asked(visit, text)  # nothing but seats
        return
    live = await finding.subscription(visit)
    if wish.plan is None and wish.interval is None:
        await _open(visit, live)
        return
    await visit.ack()
    seats_asked = wish.seats.from_(live.seats) if wish.seats else None
    offering = plan.offer(
        visit.desk, visit.actor, subscription=live, plan=wish.plan, interval=wish.interval, seats_asked=seats_asked
    )
    quote = await visit.unhurried(offering, visit.words("Working out the price…"))
    method = await finding.payment_method(quote.scope)
    await visit.reply(confirmation.offer(visit.words, visit.desk, quote, payment_method=method))


async def pressed(visit: Visit) -> None:
    """A *Change plan* button."""
    await _open(visit, await finding.subscription(visit, visit.action.get("value")))


async def _open(visit: Visit, live: Subscription) -> None:
    await check_may_change(visit.actor, live, "plan")
    scope = await finding.scope_of(live)
    await visit.open(change.plan_form(visit.words, visit.desk, live, scope=scope.name))
    await visit.ack()


async def submitted(visit: Visit) -> None:
    """A plan and an interval were picked."""
    live = await finding.subscription(visit, visit.view["private_metadata"])
    t = visit.words
    waiting = modal(t.plain("Change plan"), note_loading(t("Working out the price…")), close=t.plain("Close"))
    picked = visit.state["kassor.plan.plan"]["selected_option"]["value"]
    interval = visit.state["kassor.plan.interval"]["selected_option"]["value"]
    if (picked, interval) == (live.plan, live.interval.value) and live.next_at is None:
        same = refusals.NothingToChange(plan=live.plan, interval=interval, seats=live.seats)
        await visit.field_errors({"plan": refusal_text(same, t, visit.desk)})
        return
    await visit.ack(response_action="update", view=waiting)
    quote = await plan.offer(visit.desk, visit.actor, subscription=live, plan=picked, interval=interval)
    method = await finding.payment_method(quote.scope)
    await visit.reply(confirmation.offer(t, visit.desk, quote, payment_method=method))
