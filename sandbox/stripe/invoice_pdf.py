"""An invoice as a real PDF, in the customer's language."""

from typing import Any

from babel import Locale
from fpdf import FPDF, FontFace, XPos, YPos

from sandbox.stripe.page_words import WORDS, day, described, latin, money
from sandbox.stripe.sums import sums_of

Json = dict[str, Any]
_GREEN, _GREY, _LIGHT, _INK = (31, 111, 84), (110, 118, 125), (236, 240, 238), (26, 29, 33)
_MARGIN, _WIDTH = 18, 174  # millimetres of an A4
_COLUMNS = (92, 18, 30, 34)


class _Paper(FPDF):
    def __init__(self, footer: str, page: str) -> None:
        super().__init__(format="A4", unit="mm")
        self._footer, self._page_word = footer, page
        self.set_margins(_MARGIN, _MARGIN)
        self.set_auto_page_break(True, margin=24)
        self.alias_nb_pages()

    def footer(self) -> None:
        """Every page's foot: whose invoice it is, and which page of how many."""
        self.set_y(-16)
        self.set_font("helvetica", size=8)
        self.set_text_color(*_GREY)
        self.cell(_WIDTH / 2, 5, self._footer)
        self.cell(_WIDTH / 2, 5, f"{self._page_word} {self.page_no()} / {{nb}}", align="R")


def render(invoice: Json, seller: str, language: str) -> bytes:
    """The PDF's bytes."""
    t = WORDS[language]
    number = invoice.get("number") or invoice["id"]
    paper = _Paper(latin(f"{seller} · {t['invoice']} {number}"), t["page"])
    paper.set_title(latin(f"{t['invoice']} {number}"))
    paper.set_author(latin(seller))
    paper.set_lang("sv-SE" if language == "sv" else "en-GB")
    paper.add_page()
    _head(paper, invoice, seller, t, language)
    _lines(paper, invoice, t, language)
    _totals(paper, invoice, t, language)
    return bytes(paper.output())


def _text(paper: FPDF, text: str, *, size: float = 10, bold: bool = False, colour: tuple[int, int, int] = _INK) -> None:
    paper.set_font("helvetica", "B" if bold else "", size)
    paper.set_text_color(*colour)
    paper.multi_cell(0, size * 0.5, latin(text), new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _head(paper: FPDF, invoice: Json, seller: str, t: dict[str, str], language: str) -> None:
    paper.set_fill_color(*_GREEN)
    paper.rect(0, 0, 210, 4, style="F")
    paper.set_fill_color(255, 255, 255)
    paper.set_y(16)
    _text(paper, seller, size=13, bold=True, colour=_GREEN)
    paper.ln(5)
    _text(paper, t["invoice"], size=26, bold=True)
    paper.ln(4)
    made = invoice.get("status_transitions", {}).get("finalized_at") or invoice["created"]
    facts = [(t["number"], invoice.get("number") or invoice["id"]), (t["date"], day(made, language))]
    if invoice.get("due_date"):
        facts.append((t["due"], day(invoice["due_date"], language)))
    period = _period(invoice)
    if period:
        facts.append((t["period"], f"{day(period[0], language)} - {day(period[1], language)}"))
    for name, value in facts:
        paper.set_font("helvetica", size=9)
        paper.set_text_color(*_GREY)
        paper.cell(38, 5.4, latin(name))
        paper.set_font("helvetica", size=10)
        paper.set_text_color(*_INK)
        paper.cell(0, 5.4, latin(value), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    paper.ln(5)
    _text(paper, t["bill_to"], size=9, colour=_GREY)
    address = invoice.get("customer_address") or {}
    town = " ".join(part for part in (address.get("postal_code"), address.get("city")) if part)
    who = [
        invoice.get("customer_name"),
        invoice.get("customer_email"),
        address.get("line1"),
        address.get("line2"),
        town,
    ]
    tax_ids = [each.get("value") for each in invoice.get("customer_tax_ids") or []]
    country = Locale(language).territories.get(address.get("country") or "")
    for line in [*who, country or address.get("country"), *tax_ids]:
        if line:
            _text(paper, str(line), size=10)
    paper.ln(6)
    total = money(invoice["amount_due"], invoice["currency"], language)
    state = t.get(invoice["status"], invoice["status"])
    _text(paper, f"{total} · {state}", size=15, bold=True)
    paper.ln(5)


def _period(invoice: Json) -> tuple[int, int] | None:
    spans = [line["period"] for line in invoice["lines"]["data"]]
    return (min(span["start"] for span in spans), max(span["end"] for span in spans)) if spans else None


def _lines(paper: FPDF, invoice: Json, t: dict[str, str], language: str) -> None:
    paper.set_draw_color(*_LIGHT)
    paper.set_font("helvetica", size=10)
    paper.set_text_color(*_INK)
    heads = (t["description"], t["quantity"], t["unit_price"], t["amount"])
    with paper.table(
        col_widths=_COLUMNS,
        text_align=("LEFT", "RIGHT", "RIGHT", "RIGHT"),
        borders_layout="HORIZONTAL_LINES",
        line_height=6,
        padding=1.2,
        repeat_headings=1,
        headings_style=FontFace(emphasis="BOLD", color=_GREY),
    ) as table:
        row = table.row()
        for head in heads:
            row.cell(latin(head))
        for line in invoice["lines"]["data"]:
            quantity = line.get("quantity") or 1
            row = table.row()
            row.cell(latin(described(line, language)))
            row.cell(str(quantity))
            row.cell(latin(_unit(line, quantity, invoice["currency"], language)))
            row.cell(latin(money(line["amount"], invoice["currency"], language)))
    paper.ln(4)


def _unit(line: Json, quantity: int, currency: str, language: str) -> str:
    exact, rest = divmod(abs(line["amount"]), quantity)
    return "" if rest else money(exact if line["amount"] >= 0 else -exact, currency, language)


def _totals(paper: FPDF, invoice: Json, t: dict[str, str], language: str) -> None:
    currency = invoice["currency"]
    for what, amount, bold in sums_of(invoice):
        paper.set_x(_MARGIN + 92)
        paper.set_font("helvetica", "B" if bold else "", 10)
        paper.set_text_color(*(_INK if bold else _GREY))
        paper.cell(44, 6.4, latin(t[what]), align="R")
        paper.cell(38, 6.4, latin(money(amount, currency, language)), align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
