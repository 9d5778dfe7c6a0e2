"""One notice, from whom it is for to what became of it: may it go, what does it say, send, and what Slack answered."""

import logging
from collections.abc import Awaitable
from typing import TYPE_CHECKING, TypeVar

import aiohttp
from slack_sdk.errors import SlackApiError

from bot.delivery import answers, files, parcel, settling
from bot.delivery.afterwards import Afterwards
from bot.delivery.answers import NothingSent, Step
from bot.delivery.arrived import Looks, NotYet
from bot.delivery.pace import Pace
from bot.delivery.refused import UNINSTALLED, Handled, LaneStops, Refusals, StaleChannel
from bot.delivery.sending import Post
from bot.delivery.speaker import Speaker, Speakers
from domain import asks, clock, queue, second_copies, sendings, spans, trace
from domain.actions import invoices
from domain.lapse import Lapse
from domain.notices import NoticeKind
from domain.queue import QueueState
from domain.records import Member, Notice
from domain.rules.refusals import PaymentsAway, PaymentsRefused
from domain.sendings import Letter

if TYPE_CHECKING:
    from bot.app import BotApp

log = logging.getLogger("kassor.delivery")
HANDOVERS = 5  # times an owner may change while one message is being written
Answer = TypeVar("Answer")


class Delivery:
    """One process's. `close()` it at the end."""

    def __init__(self, bot: "BotApp", pace: Pace) -> None:
        self._desk = bot.desk
        self._speakers = Speakers(bot)
        self._post = Post(bot.session, pace)
        self._looks = Looks()
        self._refusals = Refusals(bot.installations, self._speakers, pace)
        self._afterwards = Afterwards(bot.desk, self._speakers)

    def idle(self) -> bool:
        """Whether nothing that follows a message is under way."""
        return self._afterwards.idle()

    def forget(self, team_id: str) -> None:
        """Its token is another by now."""
        self._speakers.forget(team_id)

    async def close(self) -> None:
        """Keep what has gone; leave the rest."""
        await self._afterwards.close()
        await self._post.settled()

    async def deliver(self, notice: Notice) -> None:
        """It ends sent, put off or buried. Raises LaneStops, and what the database does."""
        with trace.following(notice.trace), spans.span(f"notice {notice.kind}"):
            await self._deliver(notice)

    async def _deliver(self, notice: Notice) -> None:
        try:
            await self._go(notice)
        except LaneStops:
            raise
        except Handled:
            pass
        except NotYet as later:
            await queue.hold(notice, until=later.until, why="whether it arrived is looked at then")
        except PaymentsAway as away:
            if notice.kind == NoticeKind.INVOICE_FILE:  # its message has gone: it may give up, visibly
                await queue.retry(notice, "Stripe is away")
            else:
                await queue.put_off(notice, "Stripe is away", away.retry_after)
        except PaymentsRefused as refused:
            await queue.retry(notice, f"Stripe refused: {refused.reference}")
        except Exception as error:
            log.exception("notice %s could not be sent", notice.id)
            await queue.retry(notice, f"{type(error).__name__}: {error}")

    async def _go(self, notice: Notice) -> None:
        speaker = await self._speaker(notice)
        if speaker is None:
            why = (
                f"no installation has the channel {notice.channel}"
                if notice.channel
                else "Kassör isn't installed there"
            )
            await queue.hold(notice, until=clock.now() + UNINSTALLED, why=why)
        elif notice.kind == NoticeKind.SETTLED:
            await self._draw_anew(speaker, notice)
        elif await self._asked(self._looks.arrived(speaker.client, notice), notice, Step.LOOKING, speaker):
            await self._post.sent(notice, notice.slack_ts)
        elif notice.channel is not None:
            await self._to_channel(speaker, notice, notice.channel)
        else:
            await self._to_person(speaker, notice)

    async def _draw_anew(self, speaker: Speaker, notice: Notice) -> None:
        """Done twice it is the same: nothing has to be looked for."""
        earlier = await settling.earlier_of(notice)
        if earlier is not None and settling.may_still_arrive(earlier):
            await queue.hold(
                notice, until=clock.now() + settling.SOON, why="whether its message arrived isn't known yet"
            )
            return
        drawing = settling.draw_anew(self._desk, speaker.client, notice, earlier)
        reader = await self._asked(drawing, notice, Step.PREPARING, speaker)
        await self._post.sent(notice, None)
        if reader is not None:
            self._afterwards.told(speaker, notice, reader)

    async def _speaker(self, notice: Notice) -> Speaker | None:
        """Who speaks where it goes. None when nobody does (any more)."""
        if notice.channel is None:
            return await self._speakers.of(notice.workspace_id)
        return await self._asked(self._speakers.in_channel(notice.channel), notice, Step.LOOKING, None)

    async def _to_channel(self, speaker: Speaker, notice: Notice, channel: str) -> None:
        content = await parcel.to_channel(self._desk, notice, home=speaker.team_id)
        if content is None:
            await queue.bury(notice, "what it tells of is not there")
            return
        sending = self._post.send(speaker.client, notice, content, to=channel, channel=channel, owner_id=None)
        await self._asked(sending, notice, Step.SENDING, speaker)

    async def _to_person(self, speaker: Speaker, notice: Notice) -> None:
        for _ in range(HANDOVERS):
            letter = await self._post.read(notice)
            person = letter.person
            assert person is not None  # it is no channel's
            if not await self._may_go(letter, person):
                return
            if letter.forgotten is not None and await self._was_sent(speaker, letter, person, letter.forgotten):
                await self._post.sent(notice, notice.slack_ts)
                return
            content = await parcel.to_person(self._desk, letter)
            if content is None:
                await queue.bury(notice, "what it tells of is not there")
                return
            if await self._send(speaker, letter, person, content):
                self._afterwards.told(speaker, notice, person)
                return
            if not await Notice.filter(id=notice.id, attempts=notice.attempts, state=QueueState.QUEUED).exists():
                return  # another process has taken it over
        await queue.put_off(notice, "its owner keeps changing")

    async def _was_sent(self, speaker: Speaker, letter: Letter, person: Member, forgotten: Lapse) -> bool:
        """Whether they have it, from a time that the records were restored from before."""
        opening = self._post.opened(speaker.client, person)
        channel = await self._asked(opening, letter.notice, Step.PREPARING, speaker, person)
        looking = self._looks.was_sent(speaker.client, letter.notice, channel, forgotten)
        is_there = await self._asked(looking, letter.notice, Step.LOOKING, speaker, person)
        if is_there:
            await sendings.found(letter.notice, person.slack_user_id, channel)
        return is_there

    async def _may_go(self, letter: Letter, person: Member) -> bool:
        """Whether its time has come and there is somebody; else it has been put off."""
        notice = letter.notice
        if not await second_copies.is_wanted(notice) or not await _may_have(letter, person):
            await queue.done([notice])
            return False
        if not person.is_active:
            await self._refusals.nobody(notice, person, "deactivated")
            return False
        if notice.in_working_hours:
            opens = self._desk.settings.copy_hours.moment(clock.now(), person.tz)
            if opens > clock.now():
                await queue.hold(notice, until=opens, why="outside working hours")
                return False
        if notice.kind == NoticeKind.INVOICE_FILE:
            wanted = await files.is_wanted(notice)
            if wanted is None:
                await queue.hold(notice, until=clock.now() + files.SOON, why="its message hasn't gone yet")
            elif not wanted:
                await queue.done([notice])
            return bool(wanted)
        if not await asks.may_go(notice):
            await queue.done([notice])  # what became of it is told by a message of its own
            return False
        return True

    async def _send(self, speaker: Speaker, letter: Letter, person: Member, content: parcel.Parcel) -> bool:
        """Into their DM; one that Slack knows no more is opened anew, once, before anybody is given up on."""
        notice = letter.notice
        if letter.direct is not None:
            try:
                return await self._into(letter.direct, speaker, notice, person, content, is_known=True)
            except StaleChannel:
                await sendings.forget(notice)
                await sendings.forget_channel(person)
        opening = self._post.opened(speaker.client, person)
        channel = await self._asked(opening, notice, Step.PREPARING, speaker, person)
        return await self._into(channel, speaker, notice, person, content)

    async def _into(
        self,
        channel: str,
        speaker: Speaker,
        notice: Notice,
        person: Member,
        content: parcel.Parcel,
        *,
        is_known: bool = False,
    ) -> bool:
        owner_id = person.id if notice.owner_of_id is not None else None
        sending = self._post.send(
            speaker.client, notice, content, to=person.slack_user_id, channel=channel, owner_id=owner_id
        )
        return await self._asked(sending, notice, Step.SENDING, speaker, person, is_known=is_known)

    async def _asked(
        self,
        answer: Awaitable[Answer],
        notice: Notice,
        step: Step,
        speaker: Speaker | None,
        person: Member | None = None,
        *,
        is_known: bool = False,
    ) -> Answer:
        """What Slack answers. Its noes and silences are taken care of here. Raises Handled, LaneStops, StaleChannel."""
        try:
            return await answer
        except SlackApiError as error:
            if is_known and answers.code(error) in answers.CHANNEL_GONE:
                raise StaleChannel from None
            await self._refusals.take(notice, error, step, speaker=speaker, person=person)
        except (NothingSent, aiohttp.ClientError, TimeoutError) as error:
            await self._refusals.silence(notice, error, step)


async def _may_have(letter: Letter, person: Member) -> bool:
    """Whether who asked for an invoice may still have it: the message may have waited, and its reader handed billing over (R49)."""
    if letter.notice.kind != NoticeKind.INVOICE_AGAIN or letter.notice.member_id is None or not letter.invoices:
        return True
    return not person.is_active or await invoices.may_have(person, letter.invoices[-1])
