"""What a person can write: only what they may do, with examples of their own workspace."""

from bot.views.blocks import Content, Json, actions, button, section
from bot.views.doors import support_button
from bot.views.links import GO, links_line
from bot.words import Words, mention
from domain.actions.page import BillingPage
from domain.desk import Desk


def help_text(t: Words, desk: Desk, page: BillingPage, *, person: str | None, teams: int = 0) -> Content:
    """The commands that would be answered with a yes. `person` is a colleague's id, `teams` the person's paying teams."""
    lines = [t("`/billing` – the plan and what you can do")]
    if page.plan == desk.catalogue.free.key and page.role != "guest":
        lines += _on_free(t, desk, page)
    elif page.role == "owner" and page.subscription is not None:
        lines += _of_owner(t, desk, page, person)
    elif page.owner:
        lines.append(t("{who} is billing owner and takes care of the rest.", who=mention(page.owner)))
    if page.may_claim:
        lines.append(t("`/billing claim` – take over billing from an owner who has left"))
    if teams:
        lines.append(t("`/billing #channel` or `/billing @group` – a paying team's own page"))
    lines.append(t("`/billing support` – ask support · `/billing links` – prices and terms"))
    title = t.plain("What you can do")
    row: list[Json] = [button(t.plain("Show billing"), f"{GO}page"), support_button(t, "help")]
    blocks = [section(f"*{title}*\n" + "\n".join(lines)), actions(*row, block_id="help")]
    return Content(text=title, blocks=[*blocks, *links_line(t, desk)], title=title)


def _on_free(t: Words, desk: Desk, page: BillingPage) -> list[str]:
    size = desk.catalogue.size_for(max(page.members, desk.catalogue.sizes[0])) or page.members
    priced = next((plan for plan in desk.catalogue.for_sale if plan.price), None)
    lines = [t("`/upgrade` – choose a plan")]
    if priced is not None:
        lines.append(t("`/upgrade {plan} yearly {size}` – straight to the price", plan=priced.key, size=size))
    lines.append(t("`/billing sales` – several teams, payment by invoice or a quote"))
    if page.was_owner:
        lines.append(t("`/billing invoices` – all invoices"))
    return lines


def _of_owner(t: Words, desk: Desk, page: BillingPage, person: str | None) -> list[str]:
    live = page.subscription
    assert live is not None  # the caller has looked
    someone = mention(person) if person else "@…"
    lines = []
    if live.is_manually_invoiced:
        lines.append(t("`/billing sales` – change or cancel a plan that is paid by invoice"))
    else:
        more = desk.catalogue.size_for(live.seats + 1) or live.seats
        other = next((plan for plan in desk.catalogue.for_sale if plan.price and plan.key != live.plan), None)
        lines.append(t("`/seats +5` or `/seats {size}` – more or fewer seats", size=more))
        if other is not None:
            lines.append(t("`/billing plan {plan} yearly` – another plan or interval", plan=other.key))
        if live.cancel_at is not None:
            lines.append(t("`/billing resume` – keep the subscription"))
        else:
            lines.append(t("`/billing cancel` – stop renewing"))
        lines.append(t("`/billing payment` – card or PayPal"))
    return [
        *lines,
        t("`/billing usage` – who uses the seats"),
        t("`/billing invoice` – the latest invoice · `/billing invoices` – all invoices"),
        t("`/billing copies` {who} – who else gets a copy of every invoice", who=someone),
        t("`/billing information` – name, address and VAT number"),
        t("`/billing-owner` {who} – hand over billing · `/billing admins` – appoint admins", who=someone),
    ]
