"""What is written down about a message on its way: to whom before it goes, and that it went. Many in one commit.

The order is the promise (I2): `begin` commits to whom, then the message goes, then `sent` commits that it is there. Whatever is cut
off between the two is looked for in that conversation before it is sent again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tortoise.transactions import in_transaction

from domain import clock, lapse
from domain.lapse import Lapse
from domain.queue import QueueState
from domain.records import DirectChannel, Invoice, Member, Notice, Subscription


@dataclass(frozen=True)
class Letter:
    """A notice with what it takes to write it, as it is at this moment."""

    notice: Notice
    person: Member | None  # None for a channel's
    direct: str | None  # their DM channel, where it is known
    subscription: Subscription | None  # whose owner it is for, or whose invoice it is about
    invoices: tuple[Invoice, ...]  # oldest first, as far as we have them
    forgotten: Lapse | None  # when it may have been sent already, without our knowing

    def terms_of(self, invoice: Invoice) -> Subscription | None:
        """The subscription with the terms an invoice was made for; None for any but the latest, which may have been for others."""
        live = self.subscription
        return live if live is not None and live.latest_invoice_id == invoice.id else None


@dataclass(frozen=True)
class Beginning:
    """A message about to go to `to` in `channel`."""

    notice: Notice
    to: str
    channel: str
    owner_id: int | None  # who must still be owner for it to go


def invoice_ids(facts: dict[str, Any]) -> list[str]:
    """The invoices a copy is about, oldest first; the last is the one it is named after."""
    return [str(each) for each in facts.get("invoice_ids") or [facts["invoice_id"]]] if "invoice_id" in facts else []


async def read(notices: Sequence[Notice]) -> list[Letter]:
    """Whom each is for at this moment (I1), and what it tells of. Five questions however many they are."""
    forgotten = await lapse.noted()
    live = {
        each.id: each
        for each in await Subscription.filter(
            id__in=list({each.owner_of_id for each in notices if each.owner_of_id})
        ).select_related("owner")
    } if any(each.owner_of_id for each in notices) else {}  # fmt: skip
    wanted = list({each.member_id for each in notices if each.member_id})
    people = {each.id: each for each in await Member.filter(id__in=wanted)} if wanted else {}
    people |= {each.owner.id: each.owner for each in live.values()}
    channels = {each.id: each.channel for each in await DirectChannel.filter(id__in=list(people))} if people else {}
    about = list({found for each in notices for found in invoice_ids(each.facts)})
    invoices = {each.id: each for each in await Invoice.filter(id__in=about).select_related("scope")} if about else {}
    more = list({each.subscription_id for each in invoices.values() if each.subscription_id} - set(live))
    bought = live | ({each.id: each for each in await Subscription.filter(id__in=more)} if more else {})
    letters = []
    for notice in notices:
        own = tuple(invoices[each] for each in invoice_ids(notice.facts) if each in invoices)
        subscription = live.get(notice.owner_of_id or "")
        person = subscription.owner if subscription else people.get(notice.member_id or 0)
        letters.append(
            Letter(
                notice,
                person,
                channels.get(person.id) if person else None,
                subscription or (bought.get(own[-1].subscription_id or "") if own else None),
                own,
                forgotten if forgotten and forgotten.may_have_seen(notice, own) else None,
            )
        )
    return letters


_BEGIN = """
UPDATE notice SET sent_to = going.sent_to, slack_channel = going.channel, slack_file_id = NULL, slack_ts = NULL, sending_at = $1
FROM unnest($2::uuid[], $3::varchar[], $4::varchar[], $5::bigint[], $6::int[]) AS going (id, sent_to, channel, owner, attempts)
WHERE notice.id = going.id AND notice.state = 'queued' AND notice.attempts = going.attempts
AND (going.owner IS NULL OR going.owner = (SELECT owner_id FROM subscription WHERE subscription.id = notice.owner_of_id))
RETURNING notice.id
"""
_SENT = """
UPDATE notice SET state = 'done', leased_until = NULL, last_error = NULL, done_at = $1,
slack_ts = COALESCE(went.ts, notice.slack_ts)
FROM unnest($2::uuid[], $3::varchar[]) AS went (id, ts) WHERE notice.id = went.id
"""


async def begin(beginnings: Sequence[Beginning]) -> list[bool]:
    """Write down to whom each is about to go. False where it must not: the claim is another's by now, or the owner is."""
    now = clock.now()
    async with in_transaction() as connection:
        if connection.capabilities.dialect == "postgres":
            rows = await connection.execute_query_dict(
                _BEGIN,
                [
                    now,
                    [each.notice.id for each in beginnings],
                    [each.to for each in beginnings],
                    [each.channel for each in beginnings],
                    [each.owner_id for each in beginnings],
                    [each.notice.attempts for each in beginnings],
                ],
            )
            begun = {str(row["id"]) for row in rows}
        else:
            begun = {str(each.notice.id) for each in beginnings if await _begin_one(each, now)}
    for each in beginnings:
        if str(each.notice.id) in begun:
            each.notice.sent_to, each.notice.slack_channel, each.notice.sending_at = each.to, each.channel, now
            each.notice.slack_file_id = each.notice.slack_ts = None
    return [str(each.notice.id) in begun for each in beginnings]


async def _begin_one(each: Beginning, now: Any) -> bool:
    row = Notice.filter(id=each.notice.id, state=QueueState.QUEUED, attempts=each.notice.attempts)
    if each.owner_id is not None:
        row = row.filter(owner_of__owner_id=each.owner_id)
        if not await row.exists():  # SQLite has one writer, and this transaction is it
            return False
        row = Notice.filter(id=each.notice.id)
    return bool(
        await row.update(sent_to=each.to, slack_channel=each.channel, slack_file_id=None, slack_ts=None, sending_at=now)
    )


async def sent(went: Sequence[tuple[Notice, str | None]]) -> list[None]:
    """These are there, each at its ts where Slack said it: done for good."""
    now = clock.now()
    async with in_transaction() as connection:
        if connection.capabilities.dialect == "postgres":
            ids, moments = [notice.id for notice, _ in went], [ts for _, ts in went]
            await connection.execute_query(_SENT, [now, ids, moments])
        else:
            for notice, ts in went:
                more = {} if ts is None else {"slack_ts": ts}
                await Notice.filter(id=notice.id).update(
                    state=QueueState.DONE, leased_until=None, last_error=None, done_at=now, **more
                )
    return [None] * len(went)


async def found(notice: Notice, to: str, channel: str) -> None:
    """It had gone there, in a time we don't remember."""
    await Notice.filter(id=notice.id).update(sent_to=to, slack_channel=channel)
    notice.sent_to, notice.slack_channel = to, channel


async def forget(notice: Notice) -> None:
    """Slack said no: it is certain that nothing went. What another has begun meanwhile, whose claim it is by now, stays."""
    await Notice.filter(id=notice.id, attempts=notice.attempts).update(
        sent_to=None, slack_channel=None, slack_file_id=None
    )
    notice.sent_to = notice.slack_channel = notice.slack_file_id = None


async def remember_channel(person: Member, channel: str) -> None:
    """Their DM, for the next time."""
    await DirectChannel.update_or_create(id=person.id, defaults={"channel": channel})


async def forget_channel(person: Member) -> None:
    """Slack knows it no more."""
    await DirectChannel.filter(id=person.id).delete()
