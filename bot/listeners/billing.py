"""The rest of the billing page: invoices, payment method, billing information, cancelling and staying, help (R36)."""

from bot import home
from bot.listeners import finding
from bot.views import page as views
from bot.views.blocks import note
from bot.visit import Visit
from domain.actions import cancel as leaving
from domain.actions import invoices as invoice_actions
from domain.actions import page, payment_method
from domain.records import Member, Scope, Subscription


async def latest(visit: Visit, _: str = "") -> None:
    """The latest invoice (R50)."""
    await visit.ack()
    await _latest(visit, await finding.subscription(visit))


async def latest_pressed(visit: Visit) -> None:
    """A *Show latest invoice* button."""
    await visit.ack()
    await _latest(visit, await finding.subscription(visit, visit.action.get("value")))


async def _latest(visit: Visit, live: Subscription) -> None:
    found = await invoice_actions.latest(visit.actor, scope=await finding.scope_of(live))
    await visit.reply(views.invoice(visit.words, found))


async def invoices(visit: Visit, _: str = "") -> None:
    """Earlier invoices (R32)."""
    await visit.ack()
    scope = await _scope_with_invoices(visit)
    found = await invoice_actions.listing(visit.actor, scope=scope)
    await visit.reply(views.invoices(visit.words, found, scope=scope.name))


async def _scope_with_invoices(visit: Visit) -> Scope:
    """Of the live subscription the person means, else of the one they owned last (R48)."""
    last = await Subscription.filter(owner_id=visit.actor.id).order_by("-is_live", "-started_at").first()
    return await finding.scope_of(last or await finding.subscription(visit))


async def again_pressed(visit: Visit) -> None:
    """*Send me a copy* (I6)."""
    await visit.ack()
    await invoice_actions.send_again(visit.desk, visit.actor, invoice_id=str(visit.action.get("value")))
    await visit.reply(note(visit.words("A copy is on its way to you.")))


async def payment(visit: Visit, _: str = "") -> None:
    """Card or PayPal (R52, R53)."""
    await visit.ack()
    await _payment(visit, await finding.subscription(visit))


async def payment_pressed(visit: Visit) -> None:
    """A *Change payment method* button."""
    await visit.ack()
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
    await _information(visit, await finding.subscription(visit, visit.action.get("value")))


async def _information(visit: Visit, live: Subscription) -> None:
    t = visit.words
    url = await visit.unhurried(
        payment_method.billing_information_link(visit.desk, visit.actor, subscription=live), t("Opening Stripe's page…")
    )
    text = t("Name, address and VAT number are kept at Stripe, and shown on every invoice from then on.")
    await visit.reply(views.link_out(t.plain("Billing information"), text, t.plain("Update at Stripe"), url))


async def cancel(visit: Visit, _: str = "") -> None:
    """`/billing cancel` shows the page, where the button asks before it does anything."""
    await visit.ack()
    live = await finding.subscription(visit)
    await leaving.check_may_cancel(visit.actor, live)
    found = await page.page(visit.desk, visit.actor, scope=await finding.scope_of(live))
    await visit.reply(views.message(visit.words, visit.desk, [found]))


async def cancel_pressed(visit: Visit) -> None:
    """*Cancel subscription*, confirmed (R46)."""
    await visit.ack()
    live = await finding.subscription(visit, visit.action.get("value"))
    t = visit.words
    fresh = await visit.unhurried(leaving.cancel(visit.desk, visit.actor, subscription=live), t("One moment…"))
    day = t.day(fresh.cancel_at or fresh.current_period_end)
    if not fresh.is_live:
        said = t("It has ended, and nothing is owed. Everybody is on the free plan, and nothing is deleted.")
    elif fresh.status == "trialing":
        said = t("The trial is cancelled and nothing is ever charged. Everything works until {day}.", day=day)
    else:
        said = t("It is cancelled. Everything works until {day}, and you can change your mind until then.", day=day)
    await _done(visit, said)


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
    await visit.unhurried(leaving.resume(visit.desk, visit.actor, subscription=live), t("One moment…"))
    await _done(visit, t("The subscription goes on as before."))


async def _done(visit: Visit, text: str) -> None:
    await visit.reply(note(f":white_check_mark: {text}"))
    await home.publish(visit.client, visit.desk, visit.actor)


async def help_(visit: Visit, _: str = "") -> None:
    """What this person may do, with their own workspace's examples."""
    await visit.ack()
    pages = await home.pages_of(visit.desk, visit.actor)
    colleague = await _somebody_else(visit)
    await visit.reply(views.help_text(visit.words, visit.desk, pages[0], person=colleague))


async def help_pressed(visit: Visit) -> None:
    """A *Get help* button."""
    await help_(visit)


async def _somebody_else(visit: Visit) -> str | None:
    others = Member.filter(workspace_id=visit.team_id, is_bot=False, is_guest=False, is_deactivated=False)
    found = await others.exclude(id=visit.actor.id).order_by("name").first()
    return found.slack_user_id if found else None
