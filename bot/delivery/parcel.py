"""What a notice says, worked out when it goes: as things are then, in the reader's language.

A copy must be true. Our mirror's word that an invoice is paid stays true, so it is taken; one that isn't paid there is read again
from Stripe first, and while Stripe is away such a copy waits. The PDF is another matter: when it can't be had at once, the
message goes with the link, and the file follows as a notice of its own (`files`).
"""

import asyncio
import logging
from dataclasses import dataclass

from bot.delivery import files
from bot.views import copies, decisions
from bot.views import notices as words_of
from bot.views.blocks import Content
from bot.words import Words
from domain import asks, sync
from domain.desk import Desk
from domain.notices import NoticeKind
from domain.records import AuditEntry, DeskRequest, Invoice, Notice
from domain.rules.refusals import PaymentsAway, PaymentsRefused
from domain.sendings import Letter, invoice_ids

log = logging.getLogger("kassor.delivery")
COPIES = frozenset({NoticeKind.INVOICE_COPY.value, NoticeKind.INVOICE_AGAIN.value})
A_MOMENT = 6.0  # seconds the message waits for its PDF


@dataclass(frozen=True)
class Parcel:
    """What to send: the words and blocks, and perhaps a PDF that carries them."""

    content: Content
    filename: str | None = None
    file: bytes = b""


async def to_person(desk: Desk, letter: Letter) -> Parcel | None:
    """What a person is told. None when what it tells of is not there. Raises PaymentsAway, PaymentsRefused."""
    notice, person = letter.notice, letter.person
    assert person is not None  # it is no channel's
    t = Words(person.locale, person.tz)
    if notice.kind == NoticeKind.REQUEST_DECIDED:
        request = await request_of(notice)
        return Parcel(decisions.decided(t, desk, request)) if request else None
    if notice.kind == NoticeKind.INVOICE_FILE:
        return await _file(desk, letter, t)
    if notice.kind in COPIES:
        return await _copy(desk, letter, t)
    return Parcel(words_of.message(t, desk, notice.kind, notice.facts))


async def _copy(desk: Desk, letter: Letter, t: Words) -> Parcel | None:
    notice, found = letter.notice, await _as_they_are(desk, letter)
    if not found:
        return None
    periodic = notice.kind == NoticeKind.INVOICE_COPY
    content = copies.invoice_copy(
        t,
        desk,
        found,
        scope=found[-1].scope.name,
        subscription=letter.terms_of(found[-1]),
        is_periodic=periodic,
        told=notice.facts,
    )
    newest = found[-1]
    if newest.status == "open" and not await asks.written_down(notice, newest.id):
        return await _copy(desk, letter, t)  # paid at this very moment: it says so
    if newest.invoice_pdf is None:
        return Parcel(content)
    try:
        async with asyncio.timeout(A_MOMENT):
            pdf = await desk.payments.fetch_pdf(newest.invoice_pdf)
    except (PaymentsAway, PaymentsRefused, TimeoutError) as error:
        log.info(
            "the PDF of %s can't be had now (%s): its copy goes, the file follows", newest.id, type(error).__name__
        )
        await files.follow(letter, newest)
        return Parcel(copies.file_follows(t, content))
    return Parcel(content, filename(t, newest), pdf)


async def _file(desk: Desk, letter: Letter, t: Words) -> Parcel | None:
    """The PDF that could not be had when its message went."""
    if not letter.invoices or letter.invoices[-1].invoice_pdf is None:
        return None
    found = letter.invoices[-1]
    pdf = await desk.payments.fetch_pdf(found.invoice_pdf or "")
    return Parcel(copies.file_of(t, found), filename(t, found), pdf)


async def _as_they_are(desk: Desk, letter: Letter) -> list[Invoice]:
    """The invoices a copy is about, oldest first, each as it is now. Those that are gone, or were voided, are left out."""
    known = {each.id: each for each in letter.invoices}
    found = []
    for invoice_id in invoice_ids(letter.notice.facts):
        invoice: Invoice | None = known.get(invoice_id)
        if invoice is None or invoice.status != "paid":
            invoice = await sync.invoice(desk, invoice_id)
            if invoice is not None:
                await invoice.fetch_related("scope")
        if invoice is not None and invoice.status not in {"draft", "void"}:
            found.append(invoice)
    return found


async def to_channel(desk: Desk, notice: Notice, *, home: str) -> Parcel | None:
    """What a desk's channel is told; `home` is the workspace that has it."""
    t = Words("en-US")
    if notice.kind == NoticeKind.DESK_REQUEST:
        request = await request_of(notice)
        failed = bool(notice.facts.get("failed"))
        return Parcel(decisions.request_message(t, desk, request, home=home, failed=failed)) if request else None
    if notice.kind != NoticeKind.AUDIT:
        return Parcel(words_of.message(t, desk, notice.kind, notice.facts))
    entry = await AuditEntry.get_or_none(id=notice.facts["entry"]).prefetch_related("actor", "scope")
    if entry is None:
        return None
    actor = entry.actor.slack_user_id if entry.actor else None
    return Parcel(words_of.audit_line(t, desk, entry, actor=actor, scope=entry.scope.name if entry.scope else ""))


async def request_of(notice: Notice) -> DeskRequest | None:
    """The request a notice is about, as it is now: it may have been decided while its message waited."""
    found = DeskRequest.get_or_none(id=notice.facts["request"])
    return await found.prefetch_related("scope__workspace", "requester", "decided_by")


def filename(t: Words, invoice: Invoice) -> str:
    """What the PDF is called."""
    return t.plain("Invoice {number}.pdf", number=(invoice.number or invoice.id).replace("/", "-"))
