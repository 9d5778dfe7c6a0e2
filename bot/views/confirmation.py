"""A price before anything is bought: what changes, what is charged now, what comes next, and a button that says the amount (M1)."""

from typing import Any

from bot.views.blocks import Content, actions, button, context, divider, facts, header, section
from bot.views.doors import support_button
from bot.views.terms import interval_word, per_interval, plan_name, seats_word
from bot.words import Raw, Words, escape, mention
from domain.desk import Desk
from domain.records import Quote
from domain.records.quotes import QuoteApplies, QuoteKind

Json = dict[str, Any]
ACCEPT, DROP = "kassor.quote.accept", "kassor.quote.drop"


def offer(t: Words, desk: Desk, quote: Quote, *, payment_method: str | None, changed: bool = False) -> Content:
    """A quote as a message or modal, with the button that accepts it. `changed`: the price is not what was shown before."""
    blocks: list[Json] = [header(_title(t, quote))]
    if changed:
        blocks.append(
            section(":warning: " + t("*The price has changed since you saw it.* Nothing was charged. This is it now:"))
        )
    blocks.append(facts(_before_and_after(t, desk, quote)))
    if quote.seats != quote.seats_asked:
        blocks.append(
            context(
                t(
                    "You asked for {asked}. Plans come in sizes, and {size} is the next.",
                    asked=t.number(quote.seats_asked),
                    size=t.number(quote.seats),
                )
            )
        )
    blocks += [divider(), section(_price(t, quote))]
    if quote.applies == QuoteApplies.NOW and payment_method:
        blocks.append(context(t("Charged to {method}.", method=payment_method)))
    if quote.applies == QuoteApplies.CHECKOUT:
        blocks.append(context(t("You pay on Stripe's page, by card or PayPal. Tax is added there if it applies.")))
    words = _button(t, quote)
    blocks.append(
        actions(
            button(words, ACCEPT, str(quote.id), style="primary"),
            button(t.plain("Not now"), DROP, str(quote.id)),
            support_button(t, quote.kind.value, str(quote.scope.id)),
            block_id="quote",
        )
    )
    return Content(text=f"{_title(t, quote)}: {words}", blocks=blocks, title=_title(t, quote))


def _title(t: Words, quote: Quote) -> str:
    return {
        QuoteKind.UPGRADE: t.plain("Upgrade"),
        QuoteKind.SEATS: t.plain("Change seats"),
        QuoteKind.PLAN: t.plain("Change plan"),
    }[quote.kind]


def _before_and_after(t: Words, desk: Desk, quote: Quote) -> list[tuple[str, str]]:
    before = quote.before or {}
    owner = quote.owner.slack_user_id if quote.kind == QuoteKind.UPGRADE and quote.owner else None

    def arrow(old: str | None, new: str) -> str:
        return f"{old} → *{new}*" if old and old != new else new

    pairs = [
        (t("For"), escape(quote.scope.name)),
        (
            t("Plan"),
            arrow(plan_name(desk, before["plan"]) if before.get("plan") else None, plan_name(desk, quote.plan)),
        ),
        (t("Seats"), arrow(t.number(before["seats"]) if before.get("seats") else None, t.number(quote.seats))),
        (
            t("Interval"),
            arrow(
                interval_word(t, before["interval"]) if before.get("interval") else None,
                interval_word(t, quote.interval.value),
            ),
        ),
    ]
    return [*pairs, (t("Billing owner"), mention(owner))] if owner else pairs


def _price(t: Words, quote: Quote) -> str:
    lines = []
    trial = int((quote.before or {}).get("trial_days") or 0)
    credit = sum(line["amount"] for line in quote.lines if line["amount"] < 0)
    if quote.applies == QuoteApplies.NOW:
        charge = sum(line["amount"] for line in quote.lines if line["amount"] >= 0)
        lines.append(t("For the rest of the period: {money}", money=t.money(charge, quote.currency)))
        if credit:
            lines.append(t("Credit for unused time: {money}", money=t.money(credit, quote.currency)))
    if quote.tax_now:
        lines.append(t("Of which tax: {money}", money=t.money(quote.tax_now, quote.currency)))
    now = t.money(quote.due_now, quote.currency)
    if trial:
        lines.append(
            "*" + t.n("Free for {count} day", "Free for {count} days", trial) + "* – " + t("nothing is charged today")
        )
    else:
        lines.append("*" + t("To pay now: {money}", money=Raw(now)) + "*")
    then = per_interval(t, quote.next_total, quote.currency, quote.interval.value)
    if quote.next_at is not None:
        lines.append(t("From {day}: {money}", day=t.day(quote.next_at), money=then))
    else:
        lines.append(t("Renews at {money}", money=then))
    return "\n".join(lines)


def _button(t: Words, quote: Quote) -> str:
    money = t.money(quote.due_now, quote.currency)
    if quote.applies == QuoteApplies.RENEWAL:
        return (
            t.plain("Change at renewal")
            if quote.next_at is None
            else t.plain("Change on {day}", day=t.day(quote.next_at))
        )
    if quote.applies == QuoteApplies.CHECKOUT:
        return t.plain("Go to payment · {money}", money=money) if quote.due_now else t.plain("Start the free trial")
    return t.plain("Pay {money} now", money=money) if quote.due_now > 0 else t.plain("Change now")


def payment_page(t: Words, desk: Desk, quote: Quote) -> Content:
    """An accepted upgrade: the way to Stripe's page."""
    title = t.plain("Almost there")
    what = f"{plan_name(desk, quote.plan)} · {interval_word(t, quote.interval.value)} · {seats_word(t, quote.seats)}"
    text = t("*{what}* for {scope} is ready to be paid.", what=Raw(what), scope=quote.scope.name)
    pairs = _before_and_after(t, desk, quote)
    amount = t.money(quote.due_now, quote.currency)
    words = t.plain("Pay {money} at Stripe", money=amount) if quote.due_now else t.plain("Enter payment details")
    return Content(
        text=text,
        title=title,
        blocks=[
            header(title),
            section(text),
            facts(pairs),
            section(_price(t, quote)),
            actions(
                button(words, "kassor.checkout.open", style="primary", url=quote.checkout_url or ""),
                support_button(t, "payment_page", str(quote.scope.id)),
                block_id="pay",
            ),
            context(t("The page is open for 23 hours. I'll write to you here as soon as Stripe says it is paid.")),
        ],
    )


def done(t: Words, desk: Desk, quote: Quote) -> Content:
    """A change that was made (now), or waits for the period's end."""
    terms = f"{plan_name(desk, quote.plan)} · {interval_word(t, quote.interval.value)} · {seats_word(t, quote.seats)}"
    if quote.applies == QuoteApplies.RENEWAL and quote.next_at is not None:
        text = t("*It is arranged.* On {day} you get {terms}.", day=t.day(quote.next_at), terms=Raw(terms))
    elif quote.due_now > 0:
        text = t(
            "*Done.* You have {terms} now. {money} was charged.",
            terms=Raw(terms),
            money=t.money(quote.due_now, quote.currency),
        )
    else:
        text = t("*Done.* You have {terms} now.", terms=Raw(terms))
    return Content(text=text, blocks=[section(f":white_check_mark: {text}")], title=_title(t, quote))
