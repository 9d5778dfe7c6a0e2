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
        blocks.append(context(_other_seats(t, quote)))
    blocks += [divider(), section(_price(t, quote))]
    if quote.applies == QuoteApplies.NOW and payment_method:
        blocks.append(context(t("Charged to {method}.", method=payment_method)))
    if teams := int((quote.before or {}).get("teams") or 0):
        blocks.append(context(_teams(t, teams)))
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


def _other_seats(t: Words, quote: Quote) -> str:
    """Why these are not the seats that were asked for."""
    asked = quote.seats_asked
    if quote.kind == QuoteKind.PLAN:
        return t(
            "The number of seats stays when the plan changes. For {asked} seats, type `/seats {typed}` afterwards.",
            asked=t.number(asked),
            typed=asked,
        )
    return t(
        "You asked for {asked}. Plans come in sizes, and {size} is the next.",
        asked=t.number(asked),
        size=t.number(quote.seats),
    )


def _teams(t: Words, count: int) -> str:
    """What becomes of the plans that teams have of their own (M4)."""
    return t.n(
        "{count} team has a plan of its own. It ends when this is paid, and what is left of it is taken off the next invoice.",
        "{count} teams have plans of their own. They end when this is paid, and what is left is taken off the next invoice.",
        count,
    )


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
    before = quote.before or {}
    trial = int(before.get("trial_days") or 0)
    in_trial = before.get("trial_end") and quote.applies == QuoteApplies.NOW
    lines = [] if trial or in_trial else _sums(t, quote)
    now = t.money(quote.due_now, quote.currency)
    if in_trial:
        lines.append("*" + t("You are in the free trial: nothing is charged now.") + "*")
    elif trial:
        lines.append(
            "*" + t.n("Free for {count} day", "Free for {count} days", trial) + "* – " + t("nothing is charged today")
        )
    else:
        lines.append("*" + t("To pay now: {money}", money=Raw(now)) + "*")
    then = per_interval(t, quote.next_total, quote.currency, _renews_every(quote))
    if before.get("cancel_at") and quote.next_at is not None:
        lines.append(t("It is still cancelled: it ends on {day}, and nothing is renewed.", day=t.day(quote.next_at)))
    elif quote.next_at is not None:
        lines.append(t("From {day}: {money}", day=t.day(quote.next_at), money=then))
    else:
        lines.append(t("Renews at {money}", money=then))
    return "\n".join(lines)


def _renews_every(quote: Quote) -> str:
    """The interval of the renewal shown: more seats now leave a change of interval waiting that comes with it."""
    waiting = (quote.before or {}).get("waiting") or []
    stays = quote.kind == QuoteKind.SEATS and quote.applies == QuoteApplies.NOW
    return str(waiting[1]) if stays and len(waiting) > 1 and waiting[1] else quote.interval.value


def _sums(t: Words, quote: Quote) -> list[str]:
    """What makes up the amount to pay now, each a line, so that the sum is theirs (M1)."""

    def money(amount: int) -> str:
        return t.money(amount, quote.currency)

    charge = sum(line["amount"] for line in quote.lines if line["amount"] >= 0)
    credit = sum(line["amount"] for line in quote.lines if line["amount"] < 0)
    total = quote.due_now + quote.balance_now
    lines = []
    if quote.applies == QuoteApplies.NOW:
        new = (quote.before or {}).get("interval") not in {None, quote.interval.value}
        words = t("For the new period: {money}", money=money(charge)) if new else None
        lines.append(words or t("For the rest of the period: {money}", money=money(charge)))
    elif quote.applies == QuoteApplies.CHECKOUT and (quote.discount_now or quote.tax_now or quote.balance_now):
        lines.append(t("For the first period: {money}", money=money(charge)))
    if credit:
        lines.append(t("Credit for unused time: {money}", money=money(credit)))
    if quote.discount_now:
        lines.append(t("Discount: {money}", money=money(-quote.discount_now)))
    if (
        quote.tax_now and charge + credit - quote.discount_now + quote.tax_now == total
    ):  # added to the prices, not in them
        lines.append(t("Tax: {money}", money=money(quote.tax_now)))
    if quote.balance_now > 0:
        lines.append(t("Credit from before: {money}", money=money(-quote.balance_now)))
    elif quote.balance_now < 0 and total >= 0:
        lines.append(t("Owed from before: {money}", money=money(-quote.balance_now)))
    elif quote.balance_now < 0:
        lines.append(t("Kept as credit for the next invoice: {money}", money=money(-quote.balance_now)))
    if quote.tax_now and charge + credit - quote.discount_now + quote.tax_now != total:
        lines.append(t("Of which tax: {money}", money=money(quote.tax_now)))
    return lines


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
