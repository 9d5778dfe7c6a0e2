"""An earlier message asked for a payment that is over: it is drawn anew, with what happened in place of its buttons.

Nothing rests on it: an old button refuses kindly. So a message that Slack won't have changed, or that somebody deleted, is left as
it is; a limit, a silence or a token that is gone is waited out as with any other message.
"""

import logging
from datetime import timedelta
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.delivery import answers
from bot.delivery.parcel import COPIES
from bot.delivery.sending import stamped
from bot.views import copies, settled
from bot.views import notices as words_of
from bot.views.blocks import Content
from bot.words import Words
from domain import sendings
from domain.desk import Desk
from domain.notices import NoticeKind
from domain.queue import QueueState
from domain.records import Member, Notice

log = logging.getLogger("kassor.delivery")
SOON = timedelta(minutes=1)
LEFT_AS_IT_IS = answers.CHANNEL_GONE | {
    "message_not_found",
    "cant_update_message",
    "edit_window_closed",
    "file_not_found",
    "file_deleted",
}


async def earlier_of(notice: Notice) -> Notice | None:
    """The message it is about."""
    return await Notice.get_or_none(id=notice.facts["notice"])


def may_still_arrive(earlier: Notice) -> bool:
    """Whether it was begun, and nobody knows yet what became of it. One that wasn't begun says how things are when it goes."""
    return earlier.state == QueueState.QUEUED and earlier.sent_to is not None


async def draw_anew(desk: Desk, client: AsyncWebClient, notice: Notice, earlier: Notice | None) -> Member | None:
    """Change the earlier message where it is. Returns whoever has it, None when there is nothing to change.

    Raises SlackApiError.
    """
    if earlier is None or earlier.slack_channel is None:
        return None
    reader = await Member.get_or_none(workspace_id=earlier.workspace_id, slack_user_id=earlier.sent_to)
    content = await _content(desk, notice, earlier, reader) if reader else None
    if content is None:
        return None
    try:
        ts = earlier.slack_ts or await _ts_of_file(client, earlier)
        if ts is None:
            return None
        blocks = stamped(content, earlier)
        await client.chat_update(channel=earlier.slack_channel, ts=ts, text=content.text, blocks=blocks)
    except SlackApiError as error:
        if answers.code(error) not in LEFT_AS_IT_IS:
            raise
        log.info("the message of notice %s stays as it is: %s", earlier.id, answers.code(error))
        return None
    return reader


async def _content(desk: Desk, notice: Notice, earlier: Notice, reader: Member) -> Content | None:
    t = Words(reader.locale, reader.tz)
    happened = settled.what_happened(t, notice.facts["how"], notice.facts["at"])
    if earlier.kind not in COPIES:
        return settled.without_buttons(words_of.message(t, desk, earlier.kind, earlier.facts), happened)
    [letter] = await sendings.read([earlier])
    if not letter.invoices or letter.invoices[-1].id != earlier.asks:  # it was sent for a newer one after all
        return None
    *others, asked = letter.invoices
    others = [each for each in others if each.status not in {"draft", "void"}]
    return copies.invoice_copy(
        t,
        desk,
        [*others, asked],
        scope=asked.scope.name,
        subscription=letter.terms_of(asked),
        is_periodic=earlier.kind == NoticeKind.INVOICE_COPY,
        told=earlier.facts,
        settled=happened,
    )


async def _ts_of_file(client: AsyncWebClient, earlier: Notice) -> str | None:
    """Where the message is that carries a file: Slack tells of the file alone when it is sent."""
    if earlier.slack_file_id is None:
        return None
    told = await client.files_info(file=earlier.slack_file_id)
    shares: dict[str, Any] = told["file"].get("shares") or {}
    places = [place for kind in shares.values() for name, place in kind.items() if name == earlier.slack_channel]
    return str(places[0][0]["ts"]) if places and places[0] else None
