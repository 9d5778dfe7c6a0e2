"""One thing a person did in Slack: who they are, in which language they read, and how to answer them where they are.

`listening` wraps every listener: known refusals become helpful private text, anything else a reference that is in the log.
"""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import aiohttp
from slack_bolt.async_app import AsyncAck
from slack_bolt.context.async_context import AsyncBoltContext
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot import home, people, seen
from bot.views import page as page_view
from bot.views.blocks import Content, divider, modal, note, without_title
from bot.views.refusals import refusal_text, way_out
from bot.words import Words, written
from domain import directory, queue, spans, trace
from domain.latest import is_latest
from domain.metrics import VISITS
from domain.records import Member, Notice
from domain.rules.refusals import ActorNotEligible, NotOwner, NotSubscribed, Refusal

if TYPE_CHECKING:
    from bot.app import BotApp

log = logging.getLogger("kassor.bot")
Json = dict[str, Any]
_MENTIONED = re.compile(r"<@([UW][A-Z0-9]+)>")
_STALE = (NotSubscribed, NotOwner)
A_MOMENT = 0.9  # seconds after which people are told that it takes a little longer
ON_ITS_WAY = 0.2  # seconds the answer to a submitted modal takes to Slack, generously


class Visit:
    """A person, what they did (`body` as Slack sent it), and the ways to answer."""

    def __init__(self, bot: "BotApp", ack: AsyncAck, body: Json, client: AsyncWebClient, context: AsyncBoltContext):
        self.bot, self.desk, self.client, self.body = bot, bot.desk, client, body
        self.team_id: str = context.team_id or str(
            body.get("team_id") or ""
        )  # an organisation-wide install's may be named here only
        self.user_id: str = context.user_id or ""
        self.words = Words("en-US")
        self._ack, self._acked = ack, False
        self._answered_at = 0.0  # when a submitted modal was answered, in seconds of the monotonic clock
        view = body.get("view") or {}
        self.view: Json = view
        self._modal: str | None = view.get("id") if view.get("type") == "modal" else None
        self._title: str | None = (view.get("title") or {}).get("text")
        self._actor: Member | None = None
        self._beside = False
        self.meant: str | None = None  # the subscription an owner of several has said they mean

    @property
    def actor(self) -> Member:
        """Who did it."""
        assert self._actor is not None  # arrive() comes first
        return self._actor

    async def arrive(self) -> None:
        """Find out who this is. Raises ActorNotEligible for people of elsewhere, WorkspaceBeingRead just after an install."""
        known = await directory.member(self.team_id, self.user_id)
        if known is not None:
            self.words = Words(known.locale, known.tz)
            self._actor = known
        else:
            await self._ack_at_once()
        await self.bot.wait_until_read(self.team_id)
        self._actor = self._actor or await people.member(self.client, self.team_id, self.user_id)
        if self._actor is None:
            raise ActorNotEligible(reason="guest")
        self.words = Words(self._actor.locale, self._actor.tz)

    async def ack(self, **answer: Any) -> None:
        """Answer Slack's request, once; later calls do nothing."""
        if not self._acked:
            self._acked = True
            await self._ack(**answer)
            if answer:
                self._answered_at = time.monotonic()

    async def _ack_at_once(self) -> None:
        """Before anything that takes time. A submitted modal's answer says what becomes of the modal: it is its listener's."""
        if self.body.get("type") != "view_submission":
            await self.ack()

    @property
    def action(self) -> Json:
        """The one action of a block_actions body; empty for what is no press."""
        found: Json = (self.body.get("actions") or [{}])[0]
        return found

    @property
    def state(self) -> dict[str, Json]:
        """What is filled in, by action id: `{action_id: {selected_option, value, …}}` of the view or message."""
        values = (self.view.get("state") or self.body.get("state") or {}).get("values") or {}
        return {action_id: chosen for block in values.values() for action_id, chosen in block.items()}

    # --- answering ---

    async def open(self, view: Json) -> None:
        """Open a modal (or put one on top of the open one): within three seconds, or Slack refuses."""
        await self._ack_at_once()
        trigger = self.body["trigger_id"]
        on_top = self._modal is not None
        opened = await (self.client.views_push if on_top else self.client.views_open)(trigger_id=trigger, view=view)
        self._modal, self._title = opened["view"]["id"], view["title"]["text"]
        self.view = opened["view"]

    def beside(self) -> None:
        """What a press shows comes in a modal of its own, on top of an open one: what was pressed stays as it is.

        Answering a command is not changed by it.
        """
        self._beside = "actions" in self.body and _has_room(self.body.get("view") or {})

    async def update(self, view: Json, *, view_hash: str | None = None) -> bool:
        """Replace the open modal. One the person has closed meanwhile is no error; returns whether it was there."""
        if self._answered_at:  # what overtook the answer to a submission would be replaced by that answer
            await asyncio.sleep(max(0.0, self._answered_at + ON_ITS_WAY - time.monotonic()))
        with suppress_gone():
            await self.client.views_update(view_id=self._modal, view=view, hash=view_hash)
            return True
        return False

    async def follow(self, view: Json) -> None:
        """Draw the open form anew after a choice in it. Of two made at once the later one is drawn, however long either took."""
        about, chosen_at = f"view:{self.view['id']}", datetime.fromtimestamp(float(self.action["action_ts"]), UTC)
        await is_latest(about, chosen_at)
        if not await self.update(view, view_hash=self.view.get("hash")) and await is_latest(about, chosen_at):
            await self.update(view)  # what was drawn meanwhile is of an earlier choice

    async def reply(self, content: Content) -> bool:
        """Answer where the person is: the open modal is replaced; a pressed message too; a command gets a private message.

        Returns whether there still was such a place.
        """
        await self._ack_at_once()
        if self._beside:
            self._beside = False
            await self.open(modal(content.title or "Kassör", without_title(content), close=self.words.plain("Close")))
            return True
        if self._modal is not None:
            title = content.title or self._title or "Kassör"
            return await self.update(modal(title, without_title(content), close=self.words.plain("Close")))
        url = self.body.get("response_url")
        if url is None and self._is_home_opened:
            await self.client.views_publish(user_id=self.user_id, view=page_view.reading(content.text))
            return True
        if url is None:  # pressed in the App Home, where nothing can be said: open a modal
            await self.open(modal(content.title or "Kassör", without_title(content), close=self.words.plain("Close")))
            return True
        webhook = AsyncWebhookClient(url, retry_handlers=[])
        taken = await webhook.send(
            text=content.text,
            blocks=content.blocks,
            response_type="ephemeral",
            replace_original=not self._is_in_front_of_others,
        )
        if taken.status_code != 200:  # Slack takes five answers, for half an hour
            log.warning("slack did not take an answer: %s", taken.status_code)
        return bool(taken.status_code == 200)

    async def write(self, content: Content) -> None:
        """Write to the person in their DM, for what can't be shown where they were."""
        opened = await self.client.conversations_open(users=self.user_id)
        await self.client.chat_postMessage(channel=opened["channel"]["id"], text=content.text, blocks=content.blocks)

    @property
    def _is_in_front_of_others(self) -> bool:
        """Pressed on a message that a whole channel sees: the answer is private, and leaves the message to the others."""
        where = self.body.get("container") or {}
        in_channel = not str(where.get("channel_id") or "D").startswith("D")
        return where.get("type") == "message" and in_channel and not where.get("is_ephemeral")

    @property
    def _is_home_opened(self) -> bool:
        return bool((self.body.get("event") or {}).get("type") == "app_home_opened")

    async def stack(self, view: Json) -> None:
        """Answer a submitted modal with one on top of it, so that what is filled in stays; in its place when three are open."""
        await self.ack(response_action="push" if _has_room(self.view) else "update", view=view)

    async def field_errors(self, errors: dict[str, str]) -> None:
        """Answer a submitted modal with errors on its fields, by block id; fields take plain text, so people are named."""
        await self.ack(
            response_action="errors", errors={name: await self._plain(text) for name, text in errors.items()}
        )

    async def _plain(self, text: str) -> str:
        for user_id in set(_MENTIONED.findall(text)):
            known = await directory.member(self.team_id, user_id)
            text = text.replace(f"<@{user_id}>", known.name if known else self.words.plain("That person"))
        return written(text).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").replace("`", "")

    async def unhurried(self, work: Awaitable[Any], saying: str) -> Any:
        """Do `work`; when it takes longer than a moment the person is told so at once. Returns, or raises, what `work` does."""
        await self._ack_at_once()
        task = asyncio.ensure_future(work)
        done, _ = await asyncio.wait({task}, timeout=A_MOMENT)
        if not done:
            # Whatever becomes of this word, the work goes on, and its outcome is what counts.
            with suppress(SlackApiError, aiohttp.ClientError, TimeoutError):
                await self.reply(note(saying))
        return await task

    async def refuse(self, refusal: Refusal) -> None:
        """Say no: what, why, what next."""
        words = refusal_text(refusal, self.words, self.desk)
        said = note(words, *way_out(refusal, self.words))
        if await self._in_place_of_the_form(said):
            return
        await self.ack()
        if self.action and isinstance(refusal, _STALE):
            said = note(words, divider(), *await self._as_it_is())
        await self.reply(said)

    async def _in_place_of_the_form(self, said: Content) -> bool:
        """Answer a submitted modal with what is to be said, since an empty answer would close it. Returns whether it was one."""
        if self.body.get("type") != "view_submission" or self._acked:
            return False
        view = modal(self._title or "Kassör", said.blocks, close=self.words.plain("Close"))
        await self.ack(response_action="update", view=view)
        return True

    async def _as_it_is(self) -> list[Json]:
        """Below a "no" to a press on something old: how things are today."""
        pages = await home.pages_of(self.desk, self.actor)
        return page_view.message(self.words, self.desk, pages).blocks[:48]

    async def apologise(self, reference: str) -> None:
        """Something of ours broke: a reference that support can find in the log, where the person is or else in their DM."""
        text = self.words(
            "Something went wrong on our side and nothing was changed that you haven't been told of. "
            "Try again in a moment; if it stays like this, give support this reference: `{reference}`.",
            reference=reference,
        )
        said = note(f":warning: {text}")
        if await self._in_place_of_the_form(said):
            return
        await self.ack()
        try:
            shown = await self.reply(said)
        except Exception:
            log.warning("an apology could not be shown where it happened", exc_info=True)
            shown = False
        if not shown:
            await self.write(said)


def _has_room(view: Json) -> bool:
    """Whether another modal can be put on top: Slack takes two above the first."""
    if view.get("type") != "modal":
        return True
    return view.get("previous_view_id") in {None, view.get("root_view_id")}


class suppress_gone(suppress):  # noqa: N801 - used like contextlib's suppress
    """Slack's ways to say that a view is no longer open, or newer than we thought."""

    def __init__(self) -> None:
        super().__init__(SlackApiError)

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> bool:
        if isinstance(error, SlackApiError):
            return error.response.get("error") in {"not_found", "hash_conflict", "view_not_found", "expired_trigger_id"}
        return False


Handler = Callable[[Visit], Awaitable[None]]


def listening(bot: "BotApp", handler: Handler) -> Callable[..., Awaitable[None]]:
    """A Bolt listener of a handler: deduplicated, with the error boundary around it."""

    async def listener(ack: AsyncAck, body: Json, client: AsyncWebClient, context: AsyncBoltContext) -> None:
        visit = Visit(bot, ack, body, bot.speaking(client.token), context)
        what, outcome, began = handler.__name__, "done", time.monotonic()
        with bot.busy(), trace.following(), spans.span(f"slack {what}"):
            try:
                if not await seen.first_time(body):
                    outcome = "seen"
                    return
                await visit.arrive()
                await handler(visit)
            except Refusal as refusal:
                outcome = "refused"
                log.info("the answer is no: %s", type(refusal).__name__)
                await _say(visit.refuse(refusal))
            except Exception:
                outcome = "failed"
                log.exception("%s failed (reference %s)", what, trace.reference())
                await _say(visit.apologise(trace.reference()))
            finally:
                await visit.ack()
                queue.nudge(Notice)
                took = time.monotonic() - began
                VISITS.labels(what, outcome).observe(took)
                facts = {"workspace": visit.team_id, "user": visit.user_id, "outcome": outcome}
                log.info("%s: %s in %.0f ms", what, outcome, took * 1000, extra={"facts": facts})

    listener.__name__ = handler.__name__
    return listener


async def _say(answer: Awaitable[None]) -> None:
    """An answer that can't be given (the person closed the modal, the trigger is over) must not become an error of its own."""
    try:
        await answer
    except Exception:
        log.warning("an answer could not be shown", exc_info=True)
