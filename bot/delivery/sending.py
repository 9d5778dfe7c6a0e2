"""The sending itself: commit to whom, send with the notice's id, commit that it is there. Many share each commit."""

import logging
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.delivery import answers
from bot.delivery.answers import NothingSent
from bot.delivery.pace import Pace
from bot.delivery.parcel import Parcel
from bot.views.blocks import Content
from domain import lapse, sendings
from domain.metrics import NOTICES
from domain.notices import NoticeKind
from domain.records import Member, Notice
from domain.sendings import Beginning, Letter
from domain.together import Together

log = logging.getLogger("kassor.delivery")


class Post:
    """One process's hand on Slack. `session` uploads files."""

    def __init__(self, session: aiohttp.ClientSession, pace: Pace) -> None:
        self._session, self._pace = session, pace
        self.read: Together[Notice, Letter] = Together(sendings.read)
        self._begin: Together[Beginning, bool] = Together(sendings.begin)
        self._sent: Together[tuple[Notice, str | None], None] = Together(sendings.sent)

    async def settled(self) -> None:
        """Wait until what has gone is written down."""
        await self._sent.settled()

    async def sent(self, notice: Notice, ts: str | None) -> None:
        """It is there: keep that."""
        await self._sent((notice, ts))
        NOTICES.labels(notice.kind).inc()
        log.info("%s was sent (notice %s)", notice.kind, notice.id)

    async def opened(self, client: AsyncWebClient, person: Member) -> str:
        """The DM channel of a person, kept for the next time. Raises SlackApiError."""
        told = await client.conversations_open(users=person.slack_user_id)
        channel = str(told["channel"]["id"])
        await sendings.remember_channel(person, channel)
        return channel

    async def send(
        self, client: AsyncWebClient, notice: Notice, parcel: Parcel, *, to: str, channel: str, owner_id: int | None
    ) -> bool:
        """Send it, and keep that it went. False when it must not go: another has claimed it, or somebody else is owner by now.

        Raises SlackApiError, NothingSent, and what aiohttp raises.
        """
        await self._pace.turn(channel)
        if not await self._begin(Beginning(notice, to, channel, owner_id)):
            return False
        ts = None  # of a file's message Slack tells nothing
        try:
            if parcel.filename is not None and not await self._file(client, notice, channel, parcel):
                return False
        except SlackApiError as error:
            if answers.code(error) not in answers.NO_FILES or notice.kind == NoticeKind.INVOICE_FILE:
                raise
            log.info("%s has no files: the copy goes without its PDF (notice %s)", notice.workspace_id, notice.id)
            parcel = Parcel(parcel.content)
        if parcel.filename is None:
            ts = await self._message(client, notice, channel, parcel)
        await self.sent(notice, ts)
        return True

    async def _message(self, client: AsyncWebClient, notice: Notice, channel: str, parcel: Parcel) -> str:
        told = await client.chat_postMessage(
            channel=channel,
            text=parcel.content.text,
            blocks=stamped(parcel.content, notice),
            metadata={"event_type": "kassor_notice", "event_payload": {"notice": str(notice.id)}},
            unfurl_links=False,
            unfurl_media=False,
        )
        return str(told["ts"])

    async def _file(self, client: AsyncWebClient, notice: Notice, channel: str, parcel: Parcel) -> bool:
        """The file, its id committed before anybody sees it. False when another has claimed the notice by then."""
        file_id = await self._upload(client, parcel)
        if not await Notice.filter(id=notice.id, attempts=notice.attempts).update(slack_file_id=file_id):
            return False
        notice.slack_file_id = file_id
        # The file's own message carries the blocks: one message, PDF attached. (JSON: the SDK's method puts them in the URL.)
        await client.api_call(
            "files.completeUploadExternal",
            json={
                "files": [{"id": file_id, "title": parcel.filename}],
                "channel_id": channel,
                "blocks": stamped(parcel.content, notice),
            },
        )
        return True

    async def _upload(self, client: AsyncWebClient, parcel: Parcel) -> str:
        """Bring the file to Slack, where nobody sees it yet; returns its id. Raises SlackApiError, NothingSent."""
        try:
            ticket = await client.files_getUploadURLExternal(filename=parcel.filename or "", length=len(parcel.file))
            async with self._session.post(ticket["upload_url"], data=parcel.file) as response:
                if response.status != 200:
                    raise NothingSent(f"the upload was answered {response.status}")
        except SlackApiError as error:
            if answers.is_unsure(error):
                raise NothingSent(answers.code(error)) from None
            raise
        except (aiohttp.ClientError, TimeoutError) as error:
            raise NothingSent(type(error).__name__) from None
        return str(ticket["file_id"])


def stamped(content: Content, notice: Notice) -> list[dict[str, Any]]:
    """Its blocks, one of them named so that the message is known again when the records have forgotten it.

    A file's message has no metadata; the names of blocks every message keeps, as long as whoever draws it anew names them too.
    """
    blocks = list(content.blocks)
    for number, block in enumerate(blocks):
        if "block_id" not in block:
            blocks[number] = block | {"block_id": lapse.stamp(notice)}
            break
    return blocks
