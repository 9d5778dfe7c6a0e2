"""The copy of an invoice (I1): what it is for, what it comes to, whether it is paid and how to pay it, in the reader's language."""

from typing import Any

from bot.views import recipients
from bot.views.blocks import SECTION, Content, Json, actions, button, context, facts, header, section
from bot.views.links import GO
from bot.views.terms import plan_name
from bot.words import Words, escape, link
from domain.desk import Desk
from domain.records import Invoice, Subscription

MOST_EARLIER = 24  # shown with one copy: two years of monthly invoices; all are behind the button
LINKS = (
    5_000  # characters of links to earlier ones: Slack takes some 12,000 of text in all, and Stripe's links are long
)


def invoice_copy(
    t: Words,
    desk: Desk,
    found: list[Invoice],
    *,
    scope: str,
    subscription: Subscription | None,
    is_periodic: bool,
    told: dict[str, Any] | None = None,
    settled: str | None = None,
) -> Content:
    """The newest invoice whole, and the earlier ones whose copies were missed a line each. `found`: oldest first, never empty.

    `settled` is what has become of one that was to be paid: it stands where the way to pay did.

    A copy for somebody the owner has chosen (I6; its `told` says by whom) leads to the invoice and to no more copies: Stripe's page
    may be paid on by whoever has it, which is what finance is there for, but nothing asks them to pay.
    """
    told = told or {}
    is_second = "recipient_of" in told
    newest, earlier = found[-1], found[:-1]
    title = t.plain("Invoice {number}", number=newest.number or "")
    blocks: list[Json] = [header(title), facts(_facts(t, desk, newest, scope, subscription))]
    if settled is not None:
        blocks.append(section(settled))
    elif newest.status == "open" and newest.collection_method == "send_invoice":
        blocks.append(section(_how_to_pay(t, newest)))
    row = [*_to_view(t, newest), recipients.stop_button(t, told["recipient"])] if is_second else _buttons(t, newest)
    blocks.append(actions(*row, block_id="invoice"))
    if earlier:
        blocks += [
            section(t("*Earlier invoices that you haven't had a copy of:*")),
            *(section(text) for text in _paragraphs(_earlier_lines(t, earlier[-MOST_EARLIER:]))),
        ]
    if is_second:
        blocks.append(recipients.whence(t, scope, told))
    elif is_periodic:
        blocks.append(context(t("You get a copy of the latest invoice every period because you are billing owner.")))
    return Content(text=f"{title}: {t.money(newest.total, newest.currency)}, {_state(t, newest)}", blocks=blocks)


def file_follows(t: Words, content: Content) -> Content:
    """The same, when the PDF could not be had in time."""
    said = context(
        t("The PDF can't be fetched right now. It follows here by itself; until then it is behind the button.")
    )
    return Content(text=content.text, blocks=[*content.blocks, said])


def file_of(t: Words, found: Invoice) -> Content:
    """What carries a PDF that follows its message."""
    said = t("Here is the PDF of invoice {number}.", number=found.number or found.id)
    return Content(text=said, blocks=[section(said)])


def _facts(
    t: Words, desk: Desk, found: Invoice, scope: str, subscription: Subscription | None
) -> list[tuple[str, str]]:
    pairs = [(t("For"), escape(scope)), (t("Amount"), t.money(found.total, found.currency))]
    if subscription is not None:
        pairs.append((t("Plan"), escape(plan_name(desk, subscription.plan))))
    seats = found.seats or (subscription.seats if subscription is not None else None)
    if seats:
        pairs.append((t("Seats"), t.number(seats)))
    pairs += [(t("Period"), _period(t, found)), (t("State"), _state(t, found))]
    if found.status == "open" and found.amount_remaining != found.total:
        pairs.append((t("Left to pay"), t.money(found.amount_remaining, found.currency)))
    return pairs


def _period(t: Words, found: Invoice) -> str:
    return t("{start} – {end}", start=t.day(found.period_start), end=t.day(found.period_end))


def _how_to_pay(t: Words, found: Invoice) -> str:
    left = t.money(found.amount_remaining, found.currency)
    if found.due_at is None:
        return t(
            "{money} is to be paid. Open the invoice to pay it; what a bank transfer needs is in it too.", money=left
        )
    return t(
        "{money} is to be paid by {day}. Open the invoice to pay it; what a bank transfer needs is in it too.",
        money=left,
        day=t.day(found.due_at),
    )


def _buttons(t: Words, found: Invoice) -> list[Json]:
    row = []
    if found.hosted_invoice_url and found.status == "open":
        row.append(
            button(t.plain("Pay the invoice"), "kassor.invoice.pay", style="primary", url=found.hosted_invoice_url)
        )
    row += _to_view(t, found)
    row.append(button(t.plain("Show all invoices"), f"{GO}invoices", str(found.scope_id)))
    return row


def _to_view(t: Words, found: Invoice) -> list[Json]:
    url = found.hosted_invoice_url
    return [button(t.plain("View the invoice"), "kassor.invoice.open", url=url)] if url else []


def _paragraphs(lines: list[str]) -> list[str]:
    """Lines put together as far as a section reaches: Stripe's links are long, and no invoice's line may be cut."""
    made: list[str] = []
    for line in lines:
        if made and len(made[-1]) + 1 + len(line) <= SECTION:
            made[-1] += f"\n{line}"
        else:
            made.append(line)
    return made


def _earlier_lines(t: Words, earlier: list[Invoice]) -> list[str]:
    """A line for each, with links to it where there is room: the newest have them first, and all are behind the button."""
    lines = [_earlier_line(t, each, linked=False) for each in earlier]
    room = LINKS
    for number in reversed(range(len(earlier))):
        linked = _earlier_line(t, earlier[number])
        room -= len(linked) - len(lines[number])
        if room < 0:
            break
        lines[number] = linked
    return lines


def _earlier_line(t: Words, found: Invoice, *, linked: bool = True) -> str:
    number = found.number or found.id
    shown = link(found.hosted_invoice_url, number) if linked and found.hosted_invoice_url else escape(number)
    parts = [shown, t.money(found.total, found.currency), _period(t, found), _state(t, found)]
    if linked and found.invoice_pdf:
        parts.append(link(found.invoice_pdf, "PDF"))
    return " · ".join(parts)


def _state(t: Words, found: Invoice) -> str:
    if found.total < 0:  # more was given back than was bought: Stripe calls that paid
        return t("Credited, and taken off what comes next")
    if found.status == "void" or found.total == 0:  # a trial's, say, or a coupon took it all
        return t("Nothing to pay")
    if found.status == "paid":
        return t("Paid")
    if found.status == "open" and found.due_at is not None:
        return t("To pay by {day}", day=t.day(found.due_at))
    return t("Not paid yet")
