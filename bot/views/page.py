"""The billing page: the App Home, and `/billing` as a message; the same blocks (R34–R37). And what help says."""

from bot.views.blocks import Content, Json, actions, button, confirm, context, divider, facts, header, section
from bot.views.terms import plan_name, terms_line
from bot.words import Raw, Words, escape, link, mention
from domain.actions.page import BillingPage
from domain.desk import Desk
from domain.records import Invoice, Subscription

GO = "kassor.go."  # + upgrade, seats, plan, owner, invoice, payment, information, cancel, resume, help, again


def home(t: Words, desk: Desk, pages: list[BillingPage]) -> Json:
    """The App Home tab: the whole first, then the teams that pay for themselves (R37)."""
    blocks: list[Json] = [header(t.plain("Billing"))]
    for number, page in enumerate(pages):
        if number:
            blocks.append(divider())
        blocks += body(t, desk, page)
    blocks += [divider(), *_foot(t, desk)]
    return {"type": "home", "callback_id": "kassor.home", "blocks": blocks[:100]}


def message(t: Words, desk: Desk, pages: list[BillingPage]) -> Content:
    """`/billing` alone: status and actions (the same as the App Home)."""
    blocks: list[Json] = []
    for number, page in enumerate(pages[:3]):
        if number:
            blocks.append(divider())
        blocks += body(t, desk, page)
    title = t.plain("Billing")
    return Content(text=f"{title}: {pages[0].scope.name}", blocks=[*blocks, *_foot(t, desk)][:50], title=title)


def body(t: Words, desk: Desk, page: BillingPage) -> list[Json]:
    """One scope's part of the page, as its reader may see it."""
    if page.plan == desk.catalogue.free.key:
        return _basic(t, desk, page)
    if page.role == "owner" and page.subscription is not None:
        return _owned(t, desk, page, page.subscription)
    return _about(t, desk, page)


def _basic(t: Words, desk: Desk, page: BillingPage) -> list[Json]:
    """On Basic: what an upgrade would give (R35)."""
    members = t.n("{count} member", "{count} members", page.members)
    now = t(
        "*{scope}* is on {plan}, with {members}.", scope=page.scope.name, plan=desk.catalogue.free.name, members=members
    )
    blocks = [section(now)]
    for plan in desk.catalogue.for_sale:
        features = ", ".join(
            escape(feature) for feature in plan.features.get(t.language) or plan.features.get("en") or ()
        )
        currency = desk.catalogue.default_currency
        if currency in plan.price:
            price = t(
                "from {money} per seat and month",
                money=t.money(desk.catalogue.seat_price(plan, "year", currency).amount // 12, currency),
            )
        else:
            price = t("price on request")
        blocks.append(section(f"*{escape(plan.name)}* – {price}\n{features}"))
    blocks.append(
        actions(
            button(t.plain("Upgrade"), f"{GO}upgrade", str(page.scope.id), style="primary"),
            button(t.plain("Get help"), f"{GO}help"),
            block_id=f"basic_{page.scope.id}",
        )
    )
    return blocks


def _about(t: Words, desk: Desk, page: BillingPage) -> list[Json]:
    """ "About this workspace": plan and owner's name, nothing about money (R35)."""
    who = mention(page.owner or "")
    pairs = [
        (t("For"), escape(page.scope.name)),
        (t("Plan"), plan_name(desk, page.plan)),
        (t("Billing owner"), who),
    ]
    blocks = [header(t.plain("About this workspace")), facts(pairs)]
    if page.owner_is_gone and page.role == "admin":
        blocks.append(
            section(t("{who} has left Slack, so nobody can change the subscription. You can take over.", who=who))
        )
    elif page.role == "admin":
        blocks.append(context(t("You are admin. Invoices and payment are {who}'s.", who=who)))
    return blocks


def _owned(t: Words, desk: Desk, page: BillingPage, live: Subscription) -> list[Json]:
    used = t("{used} of {seats} in use", used=t.number(page.members), seats=t.number(live.seats))
    pairs = [
        (t("Plan"), terms_line(t, desk, live.plan, live.interval.value, None)),
        (t("Seats"), used),
        (t("Next invoice"), _next(t, page, live)),
        (t("Payment method"), escape(page.payment_method) if page.payment_method else t("not given yet")),
    ]
    blocks = [section(f"*{escape(page.scope.name)}*"), facts(pairs), *_state(t, desk, live)]
    key = live.id
    blocks.append(
        actions(
            button(t.plain("Change seats"), f"{GO}seats", key, style="primary"),
            button(t.plain("Change plan"), f"{GO}plan", key),
            button(t.plain("Show latest invoice"), f"{GO}invoice", key),
            button(t.plain("Change payment method"), f"{GO}payment", key),
            button(t.plain("Update billing information"), f"{GO}information", key),
            button(t.plain("Hand over billing"), f"{GO}owner", key),
            _leave_or_stay(t, live),
            block_id=f"owned_{key}",
        )
    )
    if page.invoices:
        blocks.append(
            section(f"*{t('Invoices')}*\n" + "\n".join(invoice_line(t, invoice) for invoice in page.invoices))
        )
    return blocks


def _next(t: Words, page: BillingPage, live: Subscription) -> str:
    if page.next_at is None or page.next_total is None:
        return t("none: it ends by itself")
    return t("{money} on {day}", money=t.money(page.next_total, live.currency), day=t.day(page.next_at))


def _state(t: Words, desk: Desk, live: Subscription) -> list[Json]:
    """What is special right now."""
    if live.status in {"past_due", "unpaid"}:
        return [
            section(
                ":warning: " + t("*The latest invoice is unpaid.* Change payment method or pay it, and all is well.")
            )
        ]
    found = []
    if live.status == "trialing" and live.trial_end is not None:
        found.append(section(":hourglass: " + t("Free trial until {day}.", day=t.day(live.trial_end))))
    if live.cancel_at is not None:
        found.append(
            section(
                ":information_source: " + t("It ends on {day}. Until then everything works.", day=t.day(live.cancel_at))
            )
        )
    elif live.next_at is not None:
        interval = live.next_interval.value if live.next_interval else None
        terms = terms_line(t, desk, live.next_plan, interval, live.next_seats)
        found.append(section(":calendar: " + t("From {day}: {terms}.", day=t.day(live.next_at), terms=Raw(terms))))
    return found


def _leave_or_stay(t: Words, live: Subscription) -> Json:
    if live.cancel_at is not None:
        return button(t.plain("Keep the subscription"), f"{GO}resume", live.id)
    day = t.day(live.current_period_end)
    if live.status in {"past_due", "unpaid"}:  # M5
        words, ask = t.plain("End the subscription now"), t.plain("End the subscription now?")
        what = t(
            "The invoice is unpaid, so it ends at once and nothing is owed. Everybody is on the free plan then; nothing is deleted."
        )
    elif live.status == "trialing":
        words, ask = t.plain("Cancel the trial"), t.plain("Cancel the trial?")
        what = t(
            "Nothing is ever charged. Everything works until {day}; then everybody is on the free plan. Nothing is deleted.",
            day=day,
        )
    else:
        words, ask = t.plain("Cancel subscription"), t.plain("Cancel the subscription?")
        what = t("Everything works until {day}; then everybody is on the free plan. Nothing is deleted.", day=day)
    leave = button(words, f"{GO}cancel", live.id)
    leave["confirm"] = confirm(ask, what, words, t.plain("Keep it"))
    return leave


def invoice_line(t: Words, invoice: Invoice) -> str:
    """One invoice: number, day, amount, state, and the way to it."""
    states = {"paid": t("paid"), "open": t("to pay"), "uncollectible": t("unpaid"), "draft": t("draft")}
    number = invoice.number or invoice.id
    shown = link(invoice.hosted_invoice_url, number) if invoice.hosted_invoice_url else Raw(escape(number))
    day = t.day(invoice.finalized_at or invoice.created_at)
    return (
        f"{shown} · {day} · {t.money(invoice.total, invoice.currency)} · {states.get(invoice.status, invoice.status)}"
    )


def invoices(t: Words, found: list[Invoice], *, scope: str) -> Content:
    """Invoices, each with a button that sends its copy (R32)."""
    title = t.plain("Invoices")
    blocks: list[Json] = [section(t("*Invoices of {scope}*", scope=scope))]
    blocks += [
        section(invoice_line(t, invoice), button(t.plain("Send me a copy"), f"{GO}again", invoice.id))
        for invoice in found
    ]
    if not found:
        blocks.append(section(t("There is no invoice yet. It comes as soon as the first payment is made.")))
    return Content(text=title, blocks=blocks, title=title)


def invoice(t: Words, found: Invoice) -> Content:
    """The latest invoice."""
    title = t.plain("Latest invoice")
    row = [button(t.plain("Send me a copy"), f"{GO}again", found.id)]
    if found.hosted_invoice_url:
        words = t.plain("Pay it") if found.status == "open" else t.plain("Open it")
        row.insert(0, button(words, "kassor.invoice.open", style="primary", url=found.hosted_invoice_url))
    return Content(
        text=f"{title}: {found.number}",
        blocks=[section(f"*{title}*\n{invoice_line(t, found)}"), actions(*row, block_id="invoice")],
        title=title,
    )


def help_text(t: Words, desk: Desk, page: BillingPage, *, person: str | None) -> Content:
    """Only what this person may do, with examples of their own workspace."""
    someone = mention(person) if person else "@…"
    lines = [t("`/billing` – the plan and what you can do")]
    if page.plan == desk.catalogue.free.key:
        size = desk.catalogue.size_for(max(page.members, desk.catalogue.sizes[0])) or page.members
        lines += [
            t("`/upgrade` – choose a plan"),
            t("`/upgrade premium yearly {size}` – straight to the price", size=size),
        ]
    elif page.role == "owner" and page.subscription is not None:
        more = desk.catalogue.size_for(page.subscription.seats + 1) or page.subscription.seats
        lines += [
            t("`/seats +5` or `/seats {size}` – more or fewer seats", size=more),
            t("`/billing-owner` {who} – hand over billing", who=someone),
            t("`/billing plan business yearly` – another plan or interval"),
            t(
                "`/billing invoices` – all invoices · `/billing payment` – card or PayPal · `/billing cancel` – stop renewing"
            ),
        ]
    else:
        lines.append(t("{who} is billing owner and takes care of the rest.", who=mention(page.owner or "")))
    title = t.plain("What you can do")
    return Content(text=title, blocks=[section(f"*{title}*\n" + "\n".join(lines))], title=title)


def _foot(t: Words, desk: Desk) -> list[Json]:
    found = [
        link(desk.catalogue.links[name], words)
        for name, words in (("pricing", t.plain("Prices")), ("cancellation", t.plain("Cancelling")))
        if desk.catalogue.links.get(name)
    ]
    return [context(" · ".join([*found, t("`/billing help` shows what you can write")]))]


def link_out(title: str, text: str, button_text: str, url: str) -> Content:
    """A page of Stripe's, one click away; the address is this reader's alone."""
    blocks = [
        section(text),
        actions(button(button_text, "kassor.stripe.open", style="primary", url=url), block_id="out"),
    ]
    return Content(text=text, blocks=blocks, title=title)
