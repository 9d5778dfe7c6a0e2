"""The outbox → Slack: each notice exactly once, to whoever it is for at that moment (I1, I2).

Before anything is sent it is written down to whom (`sent_to`, `slack_channel`, `slack_file_id`). A definite "no" from Slack clears
that again; when the outcome is unknown (a time-out, a crash, a 5xx) it stays, and the next try first looks whether the message is
there: a file by its id, a message by the notice's id in its metadata.
"""

import asyncio
import logging
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot import desk_message, home
from bot.views import decisions
from bot.views import notices as words_of
from bot.views.blocks import Content
from bot.words import Words
from domain import clock, notices, queue, sync
from domain.notices import NoticeKind
from domain.records import AuditEntry, DeskRequest, Invoice, Member, Notice, Workspace
from domain.rules.hours import working_moment
from domain.rules.refusals import PaymentsAway

if TYPE_CHECKING:
    from bot.app import BotApp

log = logging.getLogger("kassor.delivery")
BATCH = 20
AT_ONCE = 4
LOOK_EVERY = 1.0  # seconds between looks for what other processes wrote
UNINSTALLED = timedelta(hours=12)  # reinstalling wakes what waits
NOBODY = timedelta(days=1)  # an owner who can't be reached; a new owner wakes what waits
INVOICES = {NoticeKind.INVOICE_COPY.value, NoticeKind.INVOICE_AGAIN.value}
_TOKEN_GONE = {"token_revoked", "account_inactive", "token_expired"}
_TOKEN_BAD = {"invalid_auth", "not_authed"}
_NOBODY_THERE = {
    "user_disabled",
    "user_not_found",
    "user_not_visible",
    "cannot_dm_bot",
    "messages_tab_disabled",
    "channel_not_found",
}
_UNSURE = {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "ratelimited_unknown"}


class Unsure(Exception):  # noqa: N818 - it says what it is
    """Slack did not say whether it took the message."""


@dataclass(frozen=True)
class Parcel:
    """What to send: the words and blocks, and perhaps a PDF that carries them."""

    content: Content
    filename: str | None = None
    file: bytes = b""


class Outbox:
    """Sends what is due."""

    def __init__(self, bot: "BotApp") -> None:
        self._bot, self._desk = bot, bot.desk
        self._homes: dict[str, str] = {}  # channel → workspace that has it

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop` is set; what is under way is finished, or given back when the task is cancelled."""
        while not stop.is_set():
            try:
                sent = await self.send_due()
            except Exception:
                log.exception("the outbox can't be worked on; trying again soon")
                await asyncio.sleep(LOOK_EVERY)
                continue
            if not sent:
                await queue.wait_for_work(Notice, LOOK_EVERY)

    async def send_due(self) -> int:
        """Claim what is due and send it, in order for each recipient; returns how many were claimed."""
        claimed = await queue.claim(Notice, limit=BATCH)
        lines: dict[Any, list[Notice]] = defaultdict(list)
        for notice in sorted(claimed, key=lambda each: each.created_at):
            lines[notice.member_id or notice.channel or notice.owner_of_id].append(notice)
        gate = asyncio.Semaphore(AT_ONCE)
        try:
            await asyncio.gather(*(self._line(gate, line) for line in lines.values()))
        except asyncio.CancelledError:
            await queue.release(claimed)
            raise
        return len(claimed)

    async def _line(self, gate: asyncio.Semaphore, line: list[Notice]) -> None:
        async with gate:
            for notice in line:
                try:
                    await self._deliver(notice)
                except PaymentsAway as away:
                    await queue.put_off(notice, "Stripe is away", away.retry_after)
                except SlackApiError as error:
                    await self._refused(notice, error)
                except (Unsure, aiohttp.ClientError, TimeoutError) as error:
                    log.warning("whether notice %s arrived is not known; looking before it is sent again", notice.id)
                    await queue.retry(notice, f"outcome unknown: {type(error).__name__}")
                except Exception as error:
                    log.exception("notice %s could not be sent", notice.id)
                    await queue.retry(notice, f"{type(error).__name__}: {error}")

    # --- one notice ---

    async def _deliver(self, notice: Notice) -> None:
        if notice.channel is not None:
            await self._to_channel(notice, notice.channel)
            return
        client = await self._bot.client_for(notice.workspace_id)
        if client is None:
            await queue.hold(notice, until=clock.now() + UNINSTALLED, why="Kassör isn't installed there")
            return
        if await self._arrived_before(client, notice):
            await self._finish(notice)
            return
        person = await notices.addressee(notice)
        assert person is not None  # it is no channel's
        if not person.is_active:
            await self._nobody(notice, person, "deactivated")
            return
        if notice.in_working_hours:
            opens = working_moment(clock.now(), person.tz)
            if opens > clock.now():
                await queue.hold(notice, until=opens, why="outside working hours")
                return
        parcel = await self._parcel(notice, Words(person.locale, person.tz))
        if parcel is None:
            await queue.bury(notice, "what it tells of is not there")
            return
        opened = await client.conversations_open(users=person.slack_user_id)
        await self._send(client, notice, person.slack_user_id, opened["channel"]["id"], parcel)
        await self._finish(notice)
        if notice.kind == NoticeKind.REQUEST_DECIDED:
            await self._refresh_desk(notice)
        await home.publish(client, self._desk, person)

    async def _refresh_desk(self, notice: Notice) -> None:
        """The desk's own message: whoever decided may have been cut off before its buttons gave way."""
        request = await _request(notice)
        asked = await Notice.get_or_none(dedup_key=f"request:{notice.facts['request']}")
        if request is None or asked is None or asked.channel is None:
            return
        client = await self._client_of_channel(asked.channel)
        if client is not None:
            await desk_message.refresh(client, self._desk, request, home=self._homes[asked.channel])

    async def _to_channel(self, notice: Notice, channel: str) -> None:
        client = await self._client_of_channel(channel)
        if client is None:
            await queue.hold(notice, until=clock.now() + UNINSTALLED, why=f"no installation has the channel {channel}")
            return
        if not await self._arrived_before(client, notice):
            parcel = await self._channel_parcel(notice)
            if parcel is None:
                await queue.bury(notice, "what it tells of is not there")
                return
            await self._send(client, notice, channel, channel, parcel)
        await self._finish(notice)

    async def _client_of_channel(self, channel: str) -> AsyncWebClient | None:
        """Whoever has the channel speaks there: the vendor's own workspace, not the customer's."""
        known = self._homes.get(channel)
        candidates = [known] if known else await Workspace.filter(installed=True).values_list("id", flat=True)
        for team_id in candidates:
            client = await self._bot.client_for(str(team_id))
            if client is None:
                continue
            try:
                info = await client.conversations_info(channel=channel)
            except SlackApiError as error:
                if error.response.get("error") in {"channel_not_found", "missing_scope"}:
                    continue
                raise
            if not info["channel"].get("is_member") and not info["channel"].get("is_private"):
                await client.conversations_join(channel=channel)
            self._homes[channel] = str(team_id)
            return client
        return None

    async def _finish(self, notice: Notice) -> None:
        await queue.done([notice])

    # --- what it says ---

    async def _parcel(self, notice: Notice, t: Words) -> Parcel | None:
        if notice.kind == NoticeKind.REQUEST_DECIDED:
            request = await _request(notice)
            return Parcel(decisions.decided(t, self._desk, request)) if request else None
        if notice.kind not in INVOICES:
            return Parcel(words_of.message(t, self._desk, notice.kind, notice.facts))
        invoice_id = str(notice.facts["invoice_id"])
        found = await sync.invoice(self._desk, invoice_id)  # as it is now: paid meanwhile, perhaps
        if found is None or found.invoice_pdf is None:
            return None
        await found.fetch_related("scope")
        periodic = notice.kind == NoticeKind.INVOICE_COPY
        content = words_of.invoice_copy(t, found, scope=found.scope.name, is_periodic=periodic)
        pdf = await self._desk.payments.fetch_pdf(found.invoice_pdf)
        return Parcel(content, _filename(t, found), pdf)

    async def _channel_parcel(self, notice: Notice) -> Parcel | None:
        t = Words("en-US")
        if notice.kind == NoticeKind.DESK_REQUEST:
            request = await _request(notice)
            failed = bool(notice.facts.get("failed"))
            if request is None:
                return None
            home = self._homes.get(notice.channel or "")
            return Parcel(decisions.request_message(t, self._desk, request, home=home, failed=failed))
        if notice.kind != NoticeKind.AUDIT:
            return Parcel(words_of.message(t, self._desk, notice.kind, notice.facts))
        entry = await AuditEntry.get_or_none(id=notice.facts["entry"]).prefetch_related("actor", "scope")
        if entry is None:
            return None
        actor = entry.actor.slack_user_id if entry.actor else None
        return Parcel(
            words_of.audit_line(t, self._desk, entry, actor=actor, scope=entry.scope.name if entry.scope else "")
        )

    # --- sending ---

    async def _send(self, client: AsyncWebClient, notice: Notice, to: str, channel: str, parcel: Parcel) -> None:
        await Notice.filter(id=notice.id).update(sent_to=to, slack_channel=channel)
        notice.sent_to, notice.slack_channel = to, channel
        if parcel.filename is None:
            told = await client.chat_postMessage(
                channel=channel,
                text=parcel.content.text,
                blocks=parcel.content.blocks,
                metadata={"event_type": "kassor_notice", "event_payload": {"notice": str(notice.id)}},
                unfurl_links=False,
                unfurl_media=False,
            )
            await Notice.filter(id=notice.id).update(slack_ts=told["ts"])
            return
        ticket = await client.files_getUploadURLExternal(filename=parcel.filename, length=len(parcel.file))
        await Notice.filter(id=notice.id).update(slack_file_id=ticket["file_id"])
        notice.slack_file_id = ticket["file_id"]
        session = self._bot.session
        async with session.post(ticket["upload_url"], data=parcel.file) as response:
            if response.status != 200:
                raise Unsure
        # The file's own message carries the blocks: one message, PDF attached. (JSON: the SDK's method puts them in the URL.)
        await client.api_call(
            "files.completeUploadExternal",
            json={
                "files": [{"id": ticket["file_id"], "title": parcel.filename}],
                "channel_id": channel,
                "blocks": parcel.content.blocks,
            },
        )

    async def _arrived_before(self, client: AsyncWebClient, notice: Notice) -> bool:
        """Whether an earlier try, whose outcome nobody knows, reached Slack after all."""
        if notice.sent_to is None or notice.slack_channel is None:
            return False
        if notice.slack_ts is not None:
            return True
        if notice.slack_file_id is not None and await _is_shared(client, notice.slack_file_id):
            return True
        oldest = str(notice.created_at.timestamp() - 60)
        cursor = None
        for _ in range(5):
            told = await client.conversations_history(
                channel=notice.slack_channel, oldest=oldest, limit=100, include_all_metadata=True, cursor=cursor
            )
            for message in told["messages"]:
                payload = (message.get("metadata") or {}).get("event_payload") or {}
                files = {file.get("id") for file in message.get("files") or []}
                if payload.get("notice") == str(notice.id) or (notice.slack_file_id in files):
                    await Notice.filter(id=notice.id).update(slack_ts=message["ts"])
                    return True
            cursor = (told.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
        return False

    # --- when Slack says no ---

    async def _refused(self, notice: Notice, error: SlackApiError) -> None:
        code, status = _code(error), _status(error)
        if status >= 500 or code in _UNSURE:
            await queue.retry(notice, f"outcome unknown: {code or status}")
            return
        await Notice.filter(id=notice.id).update(sent_to=None, slack_channel=None, slack_file_id=None)
        if status == 429 or code == "ratelimited":
            await queue.put_off(notice, "Slack limits us", _retry_after(error))
        elif code in _TOKEN_GONE:
            await self._bot.installations.revoke(notice.workspace_id)
            await queue.hold(notice, until=clock.now() + UNINSTALLED, why=f"Slack: {code}")
        elif code in _TOKEN_BAD:
            log.error("slack does not accept the token of %s: %s", notice.workspace_id, code)
            await queue.put_off(notice, f"Slack: {code}", 300)
        elif code in _NOBODY_THERE and notice.channel is None:
            person = await notices.addressee(notice)
            assert person is not None
            await self._nobody(notice, person, code)
        else:
            log.error("slack refused notice %s: %s %s", notice.id, code, _messages(error))
            await queue.retry(notice, f"Slack: {code} {_messages(error)}")

    async def _nobody(self, notice: Notice, person: Member, why: str) -> None:
        """Money matters wait for an owner who can be reached, and the admins hear of it (I5); other news is kept as undelivered."""
        if notice.owner_of_id is None:
            await queue.bury(notice, f"{person.slack_user_id} can't be reached: {why}")
            return
        await notices.tell_admins_owner_is_unreachable(notice, person)
        await queue.hold(notice, until=clock.now() + NOBODY, why=f"the owner can't be reached: {why}")


async def _request(notice: Notice) -> DeskRequest | None:
    """The request a notice is about, as it is now: it may have been decided while its message waited."""
    found = DeskRequest.get_or_none(id=notice.facts["request"])
    return await found.prefetch_related("scope__workspace", "requester", "decided_by")


async def _is_shared(client: AsyncWebClient, file_id: str) -> bool:
    try:
        told = await client.files_info(file=file_id)
    except SlackApiError as error:
        if _code(error) == "file_not_found":
            return False
        raise
    return any((told["file"].get("shares") or {}).values())


def _filename(t: Words, invoice: Invoice) -> str:
    return t.plain("Invoice {number}.pdf", number=(invoice.number or invoice.id).replace("/", "-"))


def _code(error: SlackApiError) -> str:
    return (
        str(error.response.get("error") or "")
        if isinstance(error.response, dict) or hasattr(error.response, "get")
        else ""
    )


def _status(error: SlackApiError) -> int:
    return int(getattr(error.response, "status_code", 0) or 0)


def _retry_after(error: SlackApiError) -> float:
    given = str((getattr(error.response, "headers", None) or {}).get("Retry-After", ""))
    return float(given) if given.isdigit() else 30.0


def _messages(error: SlackApiError) -> str:
    try:
        return "; ".join((error.response.get("response_metadata") or {}).get("messages") or [])[:500]
    except AttributeError:
        return ""
