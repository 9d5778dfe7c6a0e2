"""The desks' own people: approving, declining and answering, in their channel (S1, R17).

The message in the channel is everybody's: a refusal is private, and the buttons give way to what was decided, also when it was
decided from elsewhere, or by somebody whose process died right after.
"""

import json
from collections.abc import Awaitable
from typing import Any

from slack_sdk.errors import SlackApiError

from bot import desk_message
from bot.views import decisions as views
from bot.views.blocks import modal, note
from bot.views.refusals import refusal_text
from bot.visit import Visit
from domain.actions import agreed, deciding, support
from domain.actions.deciding import Proposal, Terms
from domain.records import DeskRequest
from domain.records.requests import Desk as Which
from domain.records.requests import Topic
from domain.rules import refusals as no
from domain.rules.money import parse_amount
from domain.rules.sizes import parse_seats

MOST_PAGES = 20  # of a channel's members, 200 each


def _pressed_in(visit: Visit) -> str:
    return str((visit.body.get("channel") or {}).get("id") or "")


def _kept(visit: Visit) -> tuple[str, str]:
    """The request and the channel of an open form, as its button's message had them."""
    kept = json.loads(visit.view.get("private_metadata") or "{}")
    return str(kept.get("request") or ""), str(kept.get("channel") or "")


async def approve_pressed(visit: Visit) -> None:
    """*Approve*: the terms first; a cancellation has none."""
    key, channel = str(visit.action.get("value")), _pressed_in(visit)
    request = await _in_time(
        visit, key, Which.SALES, deciding.may_decide(visit.desk, visit.actor, key, channel=channel)
    )
    if request is None:
        return
    if request.topic == Topic.CANCEL:
        approving = deciding.approve(visit.desk, visit.actor, key, None, channel=channel)
        decided = await _in_time(visit, key, Which.SALES, approving)
        await visit.ack()
        if decided is not None:
            await _carry_out(visit, decided)
        return
    request, proposal = await deciding.propose(visit.desk, visit.actor, key, channel=channel)
    await visit.open(_terms_form(visit, request, proposal, channel))
    await visit.ack()


def _terms_form(visit: Visit, request: DeskRequest, proposal: Proposal, channel: str) -> dict[str, Any]:
    return views.terms_form(visit.words, visit.desk, request, proposal, channel=channel, home=visit.team_id)


async def plan_chosen(visit: Visit) -> None:
    """Another plan was picked in the open form: its price follows."""
    await visit.ack()
    key, channel = _kept(visit)
    picked = (visit.state.get(f"{views.TERMS}plan") or {}).get("selected_option") or {}
    plan = picked.get("value")
    request, proposal = await deciding.propose(visit.desk, visit.actor, key, channel=channel, plan=plan)
    await visit.follow(_terms_form(visit, request, proposal, channel))


async def decline_pressed(visit: Visit) -> None:
    """*Decline*: a few words first."""
    key, channel = str(visit.action.get("value")), _pressed_in(visit)
    request = await _in_time(
        visit, key, Which.SALES, deciding.may_decide(visit.desk, visit.actor, key, channel=channel)
    )
    if request is None:
        return
    await visit.open(views.decline_form(visit.words, request, channel=channel, home=visit.team_id))
    await visit.ack()


async def terms_submitted(visit: Visit) -> None:
    """Approved on these terms: committed before Slack is answered, then carried out."""
    key, channel = _kept(visit)
    t = visit.words
    deciding.check_staff(visit.desk, visit.actor, channel)
    request = await deciding.find(key, Which.SALES)
    try:
        terms = _terms(visit, request)
        if request.topic == Topic.ADJUST:  # what it costs comes first
            await deciding.check_terms(visit.desk, visit.actor, key, terms, channel=channel)
            await visit.ack(response_action="update", view=_waiting(visit, t("Working out the price…")))
            await _show_price(visit, key, channel, terms, changed=False)
            return
        approving = deciding.approve(visit.desk, visit.actor, key, terms, channel=channel)
        decided = await _in_time(visit, key, Which.SALES, approving)
    except no.Refusal as refusal:
        field = _field(visit, refusal)
        if field is None:
            raise
        await visit.field_errors({field: refusal_text(refusal, t, visit.desk)})
        return
    if decided is None:
        return
    await visit.ack(response_action="update", view=_waiting(visit, t("One moment…")))
    await _carry_out(visit, decided)


def _waiting(visit: Visit, text: str) -> dict[str, Any]:
    t = visit.words
    return modal(t.plain("Approve"), note(text).blocks, close=t.plain("Close"))


async def _show_price(visit: Visit, key: str, channel: str, terms: Terms, *, changed: bool) -> None:
    priced = await deciding.price_change(visit.desk, visit.actor, key, terms, channel=channel)
    request = await deciding.find(key, Which.SALES)
    form = views.price_form(
        visit.words, visit.desk, request, priced, channel=channel, home=visit.team_id, changed=changed
    )
    await visit.update(form)


async def price_submitted(visit: Visit) -> None:
    """Approved at the price that was shown: committed before Slack is answered; one shown too long ago is shown again."""
    key, channel = _kept(visit)
    terms = Terms.from_json(json.loads(visit.view["private_metadata"])["terms"])
    t = visit.words
    try:
        approving = deciding.approve(visit.desk, visit.actor, key, terms, channel=channel)
        decided = await _in_time(visit, key, Which.SALES, approving)
    except no.QuoteOver:
        await visit.ack(response_action="update", view=_waiting(visit, t("Working out the price…")))
        await _show_price(visit, key, channel, terms, changed=True)
        return
    if decided is None:
        return
    await visit.ack(response_action="update", view=_waiting(visit, t("One moment…")))
    await _carry_out(visit, decided)


def _terms(visit: Visit, request: DeskRequest) -> Terms:
    """What the form says. Raises SeatsNotANumber, PriceNotANumber, DaysOutOfRange."""
    state, currency = visit.state, str(request.facts["currency"])

    def written(name: str) -> str:
        return str((state.get(f"{views.TERMS}{name}") or {}).get("value") or "").strip()

    seats = {}
    for action_id in state:
        scope = action_id.removeprefix(f"{views.TERMS}seats.")
        if scope != action_id:
            asked = parse_seats(written(f"seats.{scope}"))
            if asked.relative:
                raise no.SeatsNotANumber(asked=written(f"seats.{scope}")[:40])
            seats[scope] = asked.number
    days = written("days") or str(json.loads(visit.view["private_metadata"]).get("days", ""))
    if not (days.isascii() and days.isdigit() and len(days) <= 4):
        raise no.DaysOutOfRange(asked=days[:40], most=deciding.MOST_DAYS)
    return Terms(
        plan=str(((state.get(f"{views.TERMS}plan") or {}).get("selected_option") or {}).get("value") or ""),
        seats=seats,
        unit_amount=parse_amount(written("price"), currency),
        currency=currency,
        days_until_due=int(days),
    )


def _field(visit: Visit, refusal: no.Refusal) -> str | None:
    """The field a refusal belongs to, among those there are."""
    there = [str(block.get("block_id")) for block in visit.view["blocks"]]
    if isinstance(
        refusal, no.SeatsNotANumber | no.SeatsBelowMembers | no.SeatsTooFew | no.SeatsTooMany | no.InvoiceNeedsYear
    ):
        return next((block_id for block_id in there if block_id.startswith("seats_")), None)
    fields = {no.PriceNotANumber: "price_", no.DaysOutOfRange: "days", no.UnknownPlan: "plan"}
    start = fields.get(type(refusal))
    return next((block_id for block_id in there if start and block_id.startswith(start)), None)


async def decline_submitted(visit: Visit) -> None:
    """Declined, with words."""
    key, channel = _kept(visit)
    words = str((visit.state.get("kassor.desk.words") or {}).get("value") or "")
    deciding_now = deciding.decline(visit.desk, visit.actor, key, words, channel=channel)
    await _end_with_words(visit, key, Which.SALES, deciding_now)


async def answer_pressed(visit: Visit) -> None:
    """*Mark answered*: the answer first."""
    key, channel = str(visit.action.get("value")), _pressed_in(visit)
    support.check_staff(visit.desk, visit.actor, channel=channel, there=await _members(visit, channel))
    request = await _in_time(visit, key, Which.SUPPORT, support.check_open(key))
    if request is None:
        return
    await visit.open(views.answer_form(visit.words, request, channel=channel, home=visit.team_id))
    await visit.ack()


async def answer_submitted(visit: Visit) -> None:
    """Answered."""
    key, channel = _kept(visit)
    words = str((visit.state.get("kassor.desk.words") or {}).get("value") or "")
    there = await _members(visit, channel)
    answering = support.answer(visit.desk, visit.actor, key, words, channel=channel, there=there)
    await _end_with_words(visit, key, Which.SUPPORT, answering)


async def _end_with_words(visit: Visit, key: str, which: Which, ending: Awaitable[DeskRequest]) -> None:
    t = visit.words
    try:
        request = await _in_time(visit, key, which, ending)
    except no.NothingWritten as refusal:
        await visit.field_errors({"words": refusal_text(refusal, t, visit.desk)})
        return
    if request is None:
        return
    who = views.asker(request, visit.team_id)
    done = note(":white_check_mark: " + t("{who} is told now.", who=who))
    title = str(visit.view["title"]["text"])
    await visit.ack(response_action="update", view=modal(title, done.blocks, close=t.plain("Close")))
    await _refresh(visit, request)


async def _carry_out(visit: Visit, request: DeskRequest) -> None:
    """What was approved, now; the one who pressed sees how it went. Cut off here, a tick carries it on."""
    t = visit.words
    await _refresh(visit, request)
    try:
        await visit.unhurried(agreed.carry_out(visit.desk, request), t("One moment…"))
    except no.PaymentsAway:
        await visit.reply(note(t("It is approved. Stripe doesn't answer right now; it is carried out when it does.")))
        return
    who = views.asker(request, visit.team_id)
    await visit.reply(note(":white_check_mark: " + t("Done. {who} is told now.", who=who)))


async def _in_time(visit: Visit, key: str, which: Which, work: Awaitable[DeskRequest]) -> DeskRequest | None:
    """Do `work`. None for somebody who is too late: they are told by whom it was decided, and the message is put right."""
    try:
        return await work
    except no.RequestDecided as late:
        await visit.refuse(late)
        await _refresh(visit, await deciding.find(key, which))
        return None


async def _refresh(visit: Visit, request: DeskRequest) -> None:
    where = visit.body.get("container") or {}
    pressed = (str(where["channel_id"]), str(where["message_ts"])) if where.get("type") == "message" else None
    await desk_message.refresh(visit.client, visit.desk, request, home=visit.team_id, pressed=pressed)


async def _members(visit: Visit, channel: str) -> set[str]:
    """Who is in a channel now; nobody, when the app can't see it."""
    found: set[str] = set()
    cursor = None
    for _ in range(MOST_PAGES):
        try:
            page = await visit.client.conversations_members(channel=channel, limit=200, cursor=cursor)
        except SlackApiError:
            return found
        found |= set(page["members"])
        cursor = (page.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            break
    return found
