"""What a "no" means: for the notice, for its lane, for the person and for the token (I5, P3).

A limit or a dead token is the workspace's matter and counts against no notice; a person who can't be reached is the admins' to
hear of; what nobody can tell stays written down as begun, and is looked for before it is sent again.
"""

import logging
from datetime import timedelta
from typing import NoReturn

import aiohttp
from slack_sdk.errors import SlackApiError

from bot.delivery import answers
from bot.delivery.answers import NothingSent, Step
from bot.delivery.pace import Pace
from bot.delivery.speaker import Speaker, Speakers
from bot.installations import Installations
from domain import clock, notices, outbox, queue, sendings
from domain.records import Member, Notice, Subscription

log = logging.getLogger("kassor.delivery")
UNINSTALLED = timedelta(hours=12)  # reinstalling wakes what waits
NOBODY = timedelta(days=1)  # an owner who can't be reached; a new owner wakes what waits
AGAIN = 60.0  # seconds, where another installation serves the workspace already
BAD_TOKEN = 300.0  # seconds a workspace is left alone whose token Slack doesn't accept


class Handled(Exception):  # noqa: N818 - it says what it is
    """This notice's turn is over, and what follows is written down."""


class LaneStops(Handled):
    """And nothing more is to be sent in its lane for now."""


class StaleChannel(Exception):  # noqa: N818 - it says what it is
    """The DM channel we knew is none any more."""


class Refusals:
    """One process's way of taking Slack's answers."""

    def __init__(self, installations: Installations, speakers: Speakers, pace: Pace) -> None:
        self._installations, self._speakers, self._pace = installations, speakers, pace

    async def take(
        self, notice: Notice, error: SlackApiError, step: Step, *, speaker: Speaker | None, person: Member | None
    ) -> NoReturn:
        """Do what follows from Slack's no. Raises Handled, or LaneStops when it concerns everybody in the lane."""
        code = answers.code(error)
        if answers.is_unsure(error):
            await self.silence(notice, error, step)
        if step is not Step.LOOKING:
            await sendings.forget(notice)
        if answers.is_limit(error):
            wait = answers.retry_after(error)
            await outbox.pause(outbox.lane_of(notice), wait)
            await queue.put_off(notice, "Slack limits us", wait)
            raise LaneStops
        if code in answers.TOKEN_GONE:
            await self._revoked(notice, code, speaker)
            raise LaneStops
        if code in answers.TOKEN_BAD:
            log.error("slack does not accept the token of %s: %s", speaker.team_id if speaker else "?", code)
            if speaker is not None:
                self._speakers.forget(speaker.team_id)
            await outbox.pause(outbox.lane_of(notice), BAD_TOKEN)
            await queue.put_off(notice, f"Slack: {code}", BAD_TOKEN)
            raise LaneStops
        if code in answers.NOBODY_THERE and step is not Step.LOOKING and person is not None:
            await self.nobody(notice, person, code)
            raise Handled
        if notice.channel is not None and code in answers.CHANNEL_GONE:
            self._speakers.forget_channel(notice.channel)
        log.error("slack refused notice %s: %s %s", notice.id, code, answers.messages(error))
        await queue.retry(notice, f"Slack: {code} {answers.messages(error)}")
        raise Handled

    async def silence(self, notice: Notice, error: Exception, step: Step) -> NoReturn:
        """No answer, or one that says nothing. Raises LaneStops: whoever doesn't answer keeps nobody else waiting."""
        lane = outbox.lane_of(notice)
        wait = self._pace.silent(lane)
        await outbox.pause(lane, wait)
        never_left = isinstance(error, aiohttp.ClientConnectorError | NothingSent)
        if step is Step.PREPARING or (step is Step.SENDING and never_left):
            await sendings.forget(notice)
            await queue.put_off(notice, f"Slack doesn't answer: {_named(error)}", wait)
        elif step is Step.LOOKING:
            await queue.put_off(notice, f"looking whether it arrived: {_named(error)}", wait)
        else:
            log.warning("whether notice %s arrived is not known; looking before it is sent again", notice.id)
            await queue.retry(notice, f"outcome unknown: {_named(error)}")
        raise LaneStops

    async def nobody(self, notice: Notice, person: Member, why: str) -> None:
        """Money matters wait for an owner who can be reached, and the admins hear of it (I5); other news is kept as undelivered."""
        if notice.owner_of_id is None:
            await queue.bury(notice, f"{person.slack_user_id} can't be reached: {why}")
            return
        await notices.tell_admins_owner_is_unreachable(notice, person)
        await queue.hold(notice, until=clock.now() + NOBODY, why=f"the owner can't be reached: {why}")
        live = await Subscription.get(id=notice.owner_of_id)
        if live.owner_id != person.id:  # somebody has taken over meanwhile, and woke it before it was put off
            await notices.wake(live)

    async def _revoked(self, notice: Notice, code: str, speaker: Speaker | None) -> None:
        if speaker is not None:  # the token's own workspace: a desk's channel is not the customer's
            self._speakers.forget(speaker.team_id)
            await self._installations.refused(speaker.team_id, code, since=speaker.since)
        if notice.channel is not None:
            self._speakers.forget_channel(notice.channel)
        if speaker is not None and await self._installations.serving(speaker.team_id) is not None:
            # We spoke with the token from before a new installation, which has woken everything already.
            await queue.put_off(notice, f"Slack: {code}, of an earlier installation", AGAIN)
        else:
            await queue.hold(notice, until=clock.now() + UNINSTALLED, why=f"Slack: {code}")


def _named(error: Exception) -> str:
    if isinstance(error, SlackApiError):
        return answers.code(error) or str(answers.status(error))
    return f"{type(error).__name__} {error}".strip()
