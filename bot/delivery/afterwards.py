"""What else shows the same as a message that has just gone: the reader's App Home, and the desk's own message of a request.

Beside the sending, never before it: that Slack or Stripe won't have it delays no message. A copy changes nothing on the App Home,
which is drawn anew whenever somebody opens it.
"""

import asyncio
import logging

from bot import desk_message, home
from bot.delivery.parcel import COPIES, request_of
from bot.delivery.speaker import Speaker, Speakers
from domain.desk import Desk
from domain.notices import NoticeKind
from domain.records import Member, Notice

log = logging.getLogger("kassor.delivery")
AT_ONCE = 8
UNCHANGED = COPIES | {NoticeKind.INVOICE_FILE.value}


class Afterwards:
    """One process's. `close()` it at the end."""

    def __init__(self, desk: Desk, speakers: Speakers) -> None:
        self._desk, self._speakers = desk, speakers
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def idle(self) -> bool:
        """Whether everything shows what it should."""
        return not self._tasks

    def told(self, speaker: Speaker, notice: Notice, person: Member) -> None:
        """Somebody has just been told something."""
        if notice.kind in UNCHANGED:
            return
        key = f"{person.id}:{notice.id}" if notice.kind == NoticeKind.REQUEST_DECIDED else str(person.id)
        before = self._tasks.get(key)
        made = asyncio.create_task(self._show(before, speaker, notice, person), name=f"home {key}")
        self._tasks[key] = made
        made.add_done_callback(lambda task: self._tasks.pop(key) if self._tasks.get(key) is task else None)

    async def close(self) -> None:
        """Leave it at that."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _show(self, before: asyncio.Task[None] | None, speaker: Speaker, notice: Notice, person: Member) -> None:
        if before is not None:
            before.cancel()  # what it was about to show is shown now, and newer
            await asyncio.wait([before])
        async with self._gate:
            try:
                if notice.kind == NoticeKind.REQUEST_DECIDED:
                    await self._refresh_desk(notice)
                await home.publish(speaker.client, self._desk, person)
            except Exception:
                log.exception("what follows notice %s could not be shown", notice.id)

    async def _refresh_desk(self, notice: Notice) -> None:
        """The desk's own message: whoever decided may have been cut off before its buttons gave way."""
        request = await request_of(notice)
        asked = await Notice.get_or_none(dedup_key=f"request:{notice.facts['request']}")
        if request is None or asked is None or asked.channel is None:
            return
        speaker = await self._speakers.in_channel(asked.channel)
        if speaker is not None:
            await desk_message.refresh(speaker.client, self._desk, request, home=speaker.team_id)
