"""The PDF that follows its message: a notice of its own, with everything a notice has (exactly once, back-off, buried visibly).

It is put in the outbox before the message goes: cut off in between, a file too many is found to be none, a file too few would be
lost.
"""

from datetime import timedelta

from domain import clock, notices, second_copies
from domain.notices import NoticeKind
from domain.queue import QueueState
from domain.records import Invoice, Notice, Subscription
from domain.sendings import Letter

SOON = timedelta(minutes=1)


async def follow(letter: Letter, invoice: Invoice) -> None:
    """Have the file of this copy sent to the same person, once it can be had."""
    notice, person = letter.notice, letter.person
    assert person is not None  # a copy is for a person
    await notices.tell(
        NoticeKind.INVOICE_FILE,
        workspace_id=notice.workspace_id,
        facts={"invoice_id": invoice.id, "copy": str(notice.id), "owner_of": notice.owner_of_id},
        dedup_key=f"file:{notice.id}:{person.id}",
        member=person,
        not_before=clock.now() + SOON,
        in_working_hours=notice.in_working_hours,  # Stripe's file server may be back at night (I3)
    )


async def is_wanted(notice: Notice) -> bool | None:
    """Whether the file is still to be sent: None when its message hasn't gone yet, False when it has gone without needing it.

    A copy's reader who is owner no more, or has been taken off the recipients since, doesn't get the file either.
    """
    copy = await Notice.get_or_none(id=notice.facts["copy"]).prefetch_related("member")
    if copy is None or copy.slack_file_id is not None:
        return False
    if copy.state != QueueState.DONE:
        return None if copy.state == QueueState.QUEUED else False
    if not await second_copies.is_wanted(copy):
        return False
    owner_of = notice.facts.get("owner_of")
    if owner_of is not None and not await Subscription.filter(id=owner_of, owner_id=notice.member_id).exists():
        return False
    reader = await notices.addressee(notice)
    return reader is not None and copy.sent_to == reader.slack_user_id
