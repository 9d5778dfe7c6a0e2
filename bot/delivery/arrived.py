"""Whether an earlier try, whose outcome nobody knows, reached Slack after all.

A file is asked for by its id. A message is looked for in the conversation it was sent to, whoever the notice is for by now, by
the notice's id in its metadata. Slack lets apps outside its Marketplace read a history about once a minute, fifteen messages at a
time: so only what is unknown is looked for, around the moment it was sent, and at most once a minute a workspace.

After a restore from a backup (`domain.lapse`) more is unknown: whatever may have been sent meanwhile is looked for by its stamp,
through all that time, as fast as Slack lets us. Direct messages alone: a desk's channel, which we may not read, hears it once more.
"""

from datetime import datetime, timedelta

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.delivery import answers
from domain import clock, lapse, outbox
from domain.lapse import Lapse
from domain.records import Notice

PAGE = 15
EVERY = 60.0  # seconds between two looks in a workspace
SETTLED = timedelta(seconds=10)  # a call that timed out may still arrive: nobody looks before it has had time to
AROUND = timedelta(minutes=2)  # Slack's clock is not ours


class NotYet(Exception):  # noqa: N818 - it says what it is
    """It can't be looked for before `until`."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until)
        self.until = until


class Looks:
    """One process's looks. A history of several pages is read on where Slack stopped us."""

    def __init__(self) -> None:
        self._pages: dict[str, str] = {}  # notice → the cursor of the next page

    async def arrived(self, client: AsyncWebClient, notice: Notice) -> bool:
        """Whether it is there. Raises NotYet, SlackApiError; False also when it was never begun."""
        if notice.sent_to is None or notice.slack_channel is None:
            return False
        if notice.slack_ts is not None:
            return True
        now, began = clock.now(), notice.sending_at or notice.created_at
        if now < began + SETTLED:
            raise NotYet(began + SETTLED)
        if notice.slack_file_id is not None and await _is_shared(client, notice.slack_file_id):
            return True
        later = await outbox.first_look(notice.workspace_id, EVERY)
        if later is not None:
            raise NotYet(later)
        return await self._read(client, notice, notice.slack_channel, began - AROUND, began + AROUND)

    async def was_sent(self, client: AsyncWebClient, notice: Notice, channel: str, forgotten: Lapse) -> bool:
        """Whether it is there, sent in a time the records don't remember. Raises NotYet, SlackApiError."""
        later = await outbox.first_look(notice.workspace_id, 0.0)  # only where Slack has asked to wait
        if later is not None:
            raise NotYet(later)
        return await self._read(client, notice, channel, forgotten.since - AROUND, forgotten.until + AROUND)

    async def _read(
        self, client: AsyncWebClient, notice: Notice, channel: str, oldest: datetime, latest: datetime
    ) -> bool:
        key, stamp = str(notice.id), lapse.stamp(notice)
        while True:
            try:
                told = await client.conversations_history(
                    channel=channel,
                    oldest=f"{oldest.timestamp():.6f}",
                    latest=f"{latest.timestamp():.6f}",
                    limit=PAGE,
                    include_all_metadata=True,
                    cursor=self._pages.get(key),
                )
            except SlackApiError as error:
                if answers.is_limit(error):  # of this method alone: nothing else has to wait
                    wait = max(EVERY, answers.retry_after(error))
                    await outbox.pause(f"look:{notice.workspace_id}", wait)
                    raise NotYet(clock.now() + timedelta(seconds=wait)) from None
                if notice.channel is not None and answers.code(error) == "missing_scope":
                    return False  # nobody is asked for leave to read channels: a desk rather hears twice than never
                if answers.code(error) == "invalid_cursor" and self._pages.pop(key, None) is not None:
                    continue
                raise
            for message in told["messages"]:
                payload = (message.get("metadata") or {}).get("event_payload") or {}
                files = {file.get("id") for file in message.get("files") or []}
                stamps = {block.get("block_id") for block in message.get("blocks") or []}
                if payload.get("notice") == key or stamp in stamps or notice.slack_file_id in files:
                    self._pages.pop(key, None)
                    notice.slack_ts = str(message["ts"])
                    return True
            cursor = (told.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                self._pages.pop(key, None)
                return False
            self._pages[key] = str(cursor)


async def _is_shared(client: AsyncWebClient, file_id: str) -> bool:
    try:
        told = await client.files_info(file=file_id)
    except SlackApiError as error:
        if answers.code(error) in {"file_not_found", "file_deleted"}:
            return False
        raise
    return any((told["file"].get("shares") or {}).values())
