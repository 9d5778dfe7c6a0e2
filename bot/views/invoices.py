"""Invoices as the billing owner reads them: the latest (R50), all of them a page at a time (R32, R34), each with its PDF."""

from bot.views.blocks import Content, Json, actions, button, context, section
from bot.views.doors import support_button
from bot.views.links import GO
from bot.words import Raw, Words, escape, link
from domain.actions.invoices import InvoicePage
from domain.records import Invoice

NEWER, OLDER = "kassor.invoices.newer", "kassor.invoices.older"  # value: scope:page


def invoice_line(t: Words, invoice: Invoice) -> str:
    """One invoice: number, day, amount, state, and the way to it."""
    states = {"paid": t("paid"), "open": t("to pay"), "uncollectible": t("unpaid"), "draft": t("draft")}
    number = invoice.number or invoice.id
    shown = link(invoice.hosted_invoice_url, number) if invoice.hosted_invoice_url else Raw(escape(number))
    day = t.day(invoice.finalized_at or invoice.created_at)
    money = t.money(invoice.total, invoice.currency)
    parts = [shown, day, money, states.get(invoice.status, escape(invoice.status))]
    if invoice.invoice_pdf:
        parts.append(link(invoice.invoice_pdf, "PDF"))
    return " · ".join(parts)


def invoices(t: Words, found: InvoicePage, *, sent: str | None = None) -> Content:
    """A page of invoices, each with a button that sends its copy; `sent` is the one whose copy is on its way (I6)."""
    title = t.plain("Invoices")
    blocks: list[Json] = [section(t("*Invoices of {scope}*", scope=found.scope.name))]
    for each in found.invoices:
        if each.id == sent:
            blocks += [section(invoice_line(t, each)), _on_its_way(t)]
            continue
        again = button(t.plain("Send me a copy"), f"{GO}again", f"{each.id}:{found.page}")
        blocks.append(section(invoice_line(t, each), again))
    if not found.invoices:
        blocks.append(section(t("There is no invoice yet. It comes as soon as the first payment is made.")))
    row = []
    if found.page > 0:
        row.append(button(t.plain("Show newer"), NEWER, f"{found.scope.id}:{found.page - 1}"))
    if found.page + 1 < found.pages:
        row.append(button(t.plain("Show older"), OLDER, f"{found.scope.id}:{found.page + 1}"))
    if found.pages > 1:
        blocks.append(context(t("Page {page} of {pages}", page=t.number(found.page + 1), pages=t.number(found.pages))))
    blocks.append(actions(*row, support_button(t, "invoices"), block_id="pages"))
    return Content(text=f"{title}: {found.scope.name}", blocks=blocks, title=title)


def latest(t: Words, found: Invoice, *, sent: bool = False) -> Content:
    """The latest invoice: pay or open it, its PDF, a copy (R49, R50)."""
    title = t.plain("Latest invoice")
    row = []
    if found.hosted_invoice_url:
        words = t.plain("Pay it") if found.status == "open" else t.plain("Open it")
        row.append(button(words, "kassor.invoice.open", style="primary", url=found.hosted_invoice_url))
    if found.invoice_pdf:
        row.append(button(t.plain("Download the PDF"), "kassor.invoice.pdf", url=found.invoice_pdf))
    if not sent:
        row.append(button(t.plain("Send me a copy"), f"{GO}again", found.id))
    row += [button(t.plain("Show all invoices"), f"{GO}invoices", str(found.scope_id)), support_button(t, "invoice")]
    blocks = [section(f"*{title}*\n{invoice_line(t, found)}"), actions(*row, block_id="invoice")]
    if sent:
        blocks.insert(1, _on_its_way(t))
    return Content(text=f"{title}: {found.number or found.id}", blocks=blocks, title=title)


def _on_its_way(t: Words) -> Json:
    return context(":white_check_mark: " + t("A copy is on its way to you."))
