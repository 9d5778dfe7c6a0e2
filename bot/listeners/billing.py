"""The rest of the billing page: invoices, payment method, billing information, cancelling and staying (R36)."""

from bot import home
from bot.listeners import finding
from bot.listeners.page import named_page
from bot.views import invoices as invoice_views
from bot.views import page as views
from bot.views.blocks import Json, actions, button, context, note
from bot.views.doors import support_button
from bot.views.links import GO
from bot.visit import Visit
from domain import clock
from domain.actions import cancel as leaving
from domain.actions import invoices as invoice_actions
from domain.actions import page, payment_method
from domain.records import Scope, Subscription
from domain.rules.refusals import NotSubscribed


async def latest(visit: Visit, _: str = "") -> None:
    """The latest invoice (R50)."""
    await visit.ack()
    await _latest(visit, await finding.subscription(visit))


async def latest_pressed(visit: Visit) -> None:
    """A *Show latest invoice* button."""
    await visit.ack()
    visit.beside()
    await _latest(visit, await finding.subscription(visit, visit.action.get("value")))


async def _latest(visit: Visit, live: Subscription) -> None:
    found = await invoice_actions.latest(visit.actor, scope=await finding.scope_of(live))
    await visit.reply(invoice_views.latest(visit.words, found))


async def invoices(visit: Visit, _: str = "") -> None:
    """Earlier invoices (R32)."""
    await visit.ack()
    await _invoices(visit, await _scope_with_invoices(visit))


async def invoices_pressed(visit: Visit) -> None:
    """*Show all invoices* (R34)."""
    await visit.ack()
    visit.beside()
    scope_id = str(visit.action.get("value") or "")
    await _invoices(visit, await (finding.scope(visit, scope_id) if scope_id else _scope_with_invoices(visit)))


async def invoices_turned(visit: Visit) -> None:
    """*Show newer*, *Show older*."""
    await visit.ack()
    scope_id, number = named_page(visit)
    await _invoices(visit, await finding.scope(visit, scope_id), number)


async def _invoices(visit: Visit, scope: Scope, number: int = 0, sent: str | None = None) -> None:
    found = await invoice_actions.paged(visit.actor, scope=scope, page=number)
    await visit.reply(invoice_views.invoices(visit.words, found, sent=sent))


async def _scope_with_invoices(visit: Visit) -> Scope:
    """Of the subscription the person means; of the one they owned last when nothing of theirs is live (R48)."""
    try:
        return await finding.scope_of(await finding.subscription(visit))
    except NotSubscribed:
        last = await Subscription.filter(owner_id=visit.actor.id).order_by("-started_at").first()
        if last is None:
            raise
        return await finding.scope_of(last)


async def again_pressed(visit: Visit) -> None:
    """*Send me a copy* (I6): the button is replaced by what happened, and the rest stays."""
    await visit.ack()
    invoice_id, colon, _ = str(visit.action.get("value")).partition(":")
    invoice = await invoice_actions.send_again(visit.desk, visit.actor, invoice_id=invoice_id)
    if colon:
        await _invoices(visit, invoice.scope, named_page(visit)[1], sent=invoice.id)
    else:
        await visit.reply(invoice_views.latest(visit.words, invoice, sent=True))


async def payment(visit: Visit, _: str = "") -> None:
    """Card or PayPal (R52, R53)."""
    await visit.ack()
    await _payment(visit, await finding.subscription(visit))


async def payment_pressed(visit: Visit) -> None:
    """A *Change payment method* button."""
    await visit.ack()
    visit.beside()
    await _payment(visit, await finding.subscription(visit, visit.action.get("value")))


async def _payment(visit: Visit, live: Subscription) -> None:
    t = visit.words
    url = await visit.unhurried(
        payment_method.edit_link(visit.desk, visit.actor, subscription=live), t("Opening Stripe's page…")
    )
    text = t("Choose card or PayPal on Stripe's page. I'll confirm here when it's done.")
    await visit.reply(views.link_out(t.plain("Payment method"), text, t.plain("Choose at Stripe"), url))


async def information(visit: Visit, _: str = "") -> None:
    """Name, address, VAT number (R27)."""
    await visit.ack()
    await _information(visit, await finding.subscription(visit))


async def information_pressed(visit: Visit) -> None:
    """An *Update billing information* button."""
    await visit.ack()
    visit.beside()
    await _information(visit, await finding.subscription(visit, visit.action.get("value")))


async def _information(visit: Visit, live: Subscription) -> None:
    t = visit.words
    url = await visit.unhurried(
        payment_method.billing_information_link(visit.desk, visit.actor, subscription=live), t("Opening Stripe's page…")
    )
    text = t("Name, address and VAT number are kept at Stripe, and shown on every invoice from then on.")
    await visit.reply(views.link_out(t.plain("Billing information"), text, t.plain("Update at Stripe"), url))


async def cancel(visit: Visit, _: str = "") -> None:
    """`/billing cancel` shows what there is instead, and the button that asks before it does anything (R45, R47)."""
    await visit.ack()
    live = await finding.subscription(visit)
    await leaving.check_may_cancel(visit.actor, live)
    found = await page.page(visit.desk, visit.actor, scope=await finding.scope_of(live))
    await visit.reply(views.leaving(visit.words, visit.desk, found, live))


async def cancel_pressed(visit: Visit) -> None:
    """*Cancel subscription*, *Cancel the trial* or *Cancel now*, confirmed (R45, R46, M5)."""
    await visit.ack()
    live = await finding.subscription(visit, visit.action.get("value"))
    t = visit.words
    fresh = await visit.unhurried(leaving.cancel(visit.desk, visit.actor, subscription=live), t("One moment…"))
    if not fresh.is_live:
        await _done(
            visit, t("It has ended, and nothing is owed. Everybody is on the free plan, and nothing is deleted.")
        )
        return
    ends = t.day(fresh.cancel_at or fresh.current_period_end)
    text = (
        t("The trial is cancelled and nothing is ever charged. Everything works until {day}.", day=ends)
        if fresh.status == "trialing"
        else t("It is cancelled. Everything works until {day}, and you can change your mind until then.", day=ends)
    )
    await _done(visit, text, views.stay_button(t, fresh))


async def resume(visit: Visit, _: str = "") -> None:
    """`/billing resume`: stay after all."""
    await visit.ack()
    await _resume(visit, await finding.subscription(visit))


async def resume_pressed(visit: Visit) -> None:
    """A *Keep the subscription* button."""
    await visit.ack()
    await _resume(visit, await finding.subscription(visit, visit.action.get("value")))


async def _resume(visit: Visit, live: Subscription) -> None:
    t = visit.words
    fresh = await visit.unhurried(leaving.resume(visit.desk, visit.actor, subscription=live), t("One moment…"))
    await _done(visit, t("The subscription goes on as before."), views.leave_button(t, fresh))


async def _done(visit: Visit, text: str, *undo: Json) -> None:
    """What happened and when, in place of the button; the way back, and the page, one click away."""
    t = visit.words
    row = [*undo, button(t.plain("Show billing"), f"{GO}page"), support_button(t, "cancel")]
    await visit.reply(note(f":white_check_mark: {text}", context(t.time(clock.now())), actions(*row, block_id="done")))
    await home.publish(visit.client, visit.desk, visit.actor)
