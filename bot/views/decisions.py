"""The desks' own side: a request in their channel, the forms that answer it, and what whoever asked is told of the answer.

In a channel there are never amounts or card data: the price is in a form that only the one who opened it sees.
"""

import json
from decimal import Decimal
from typing import Any

from babel.numbers import format_decimal

from bot.views.blocks import (
    Content,
    Json,
    actions,
    button,
    chosen,
    confirm,
    context,
    cut,
    facts,
    field_of,
    modal,
    option,
    section,
)
from bot.views.desk import covers, topic_word
from bot.views.doors import sales_button, support_button
from bot.views.refusals import refusal_text
from bot.views.terms import interval_word, plan_name, seats_word, terms_line
from bot.words import Raw, Words, escape, mention
from domain.actions.deciding import MOST_DAYS, Part, Proposal, Terms
from domain.actions.sales import MOST_TEXT
from domain.desk import Desk
from domain.records import DeskRequest
from domain.records.requests import Desk as Which
from domain.records.requests import RequestState, Topic
from domain.rules.money import exponent
from domain.rules.refusals import Refusal

SUBMIT_TERMS, SUBMIT_DECLINE, SUBMIT_ANSWER = "kassor.terms.submit", "kassor.decline.submit", "kassor.answer.submit"
SUBMIT_PRICE = "kassor.price.submit"
APPROVE, DECLINE, ANSWER = "kassor.desk.approve", "kassor.desk.decline", "kassor.desk.answer"
TERMS = "kassor.terms."  # + plan, seats, price, days
SHOWN = 1_500  # characters of somebody's words in a message


def request_message(t: Words, desk: Desk, request: DeskRequest, *, home: str | None, failed: bool = False) -> Content:
    """A request in its desk's channel, with the buttons that answer it, or how it was answered.

    `home` is the workspace that has the channel: Slack shows no mention of somebody of another. `failed`: see `_failed`.
    """
    if failed:
        return _failed(t, desk, request, home)
    return _question(t, desk, request, home) if request.desk == Which.SUPPORT else _wish(t, desk, request, home)


def asker(request: DeskRequest, home: str | None) -> Raw:
    """Whoever asked, for a reader in the workspace `home`."""
    return _person(request, request.requester.slack_user_id, request.requester.name, home)


def _person(request: DeskRequest, user_id: str, name: str, home: str | None) -> Raw:
    return mention(user_id) if home == request.scope.workspace_id else Raw(escape(name))


def _of(t: Words, request: DeskRequest, home: str | None) -> list[tuple[str, str]]:
    """Whose request it is, where that isn't plain from a mention."""
    if home == request.scope.workspace_id:
        return []
    return [(t("Workspace"), escape(request.scope.workspace.name))]


def _wish(t: Words, desk: Desk, request: DeskRequest, home: str | None) -> Content:
    who, told = asker(request, home), request.facts
    text = t("{who} asks sales: *{what}*", who=who, what=topic_word(t, request.topic))
    pairs = [
        (t("For"), covers(request)),
        (t("Plan"), plan_name(desk, told["plan"])),
        (t("Seats"), t.number(told["seats"])),
        (t("Interval"), interval_word(t, told["interval"])),
    ]
    if told.get("owner"):
        pairs.append((t("Billing owner"), _person(request, told["owner"], told["owner_name"], home)))
    pairs += _of(t, request, home)
    blocks = [section(text), facts(pairs), *_quoted(told.get("text"))]
    if request.state != RequestState.OPEN:
        return Content(text=text, blocks=[*blocks, context(_how(t, desk, request))])
    key = str(request.id)
    yes = button(t.plain("Approve"), APPROVE, key, style="primary")
    if request.topic == Topic.CANCEL:  # there are no terms to fill in, so Slack asks before the press counts
        yes["confirm"] = confirm(
            t.plain("Cancel the subscription?"),
            t("It ends by itself when the paid period does."),
            t.plain("Approve"),
            t.plain("Not now"),
            danger=False,
        )
    row = actions(yes, button(t.plain("Decline"), DECLINE, key, style="danger"), block_id="decide")
    return Content(text=text, blocks=[*blocks, row])


def _question(t: Words, desk: Desk, request: DeskRequest, home: str | None) -> Content:
    who, told = asker(request, home), request.facts
    text = t("{who} asks support:", who=who)
    pairs = [(t("For"), escape(request.scope.name)), (t("Plan"), plan_name(desk, told["plan"]))]
    if told.get("place"):
        pairs.append((t("Where they were"), escape(told["place"])))
    if told.get("customer"):
        pairs.append((t("Stripe customer"), f"`{escape(told['customer'])}`"))
    pairs += _of(t, request, home)
    blocks = [section(text), *_quoted(told["text"]), facts(pairs)]
    if request.state != RequestState.OPEN:
        return Content(text=text, blocks=[*blocks, context(_how(t, desk, request))])
    return Content(
        text=text,
        blocks=[
            *blocks,
            actions(button(t.plain("Mark answered"), ANSWER, str(request.id), style="primary"), block_id="answer"),
        ],
    )


def _how(t: Words, desk: Desk, request: DeskRequest) -> str:
    """Who decided, what, and when."""
    who = mention(request.decided_by.slack_user_id if request.decided_by else "")
    day = t.time(request.decided_at) if request.decided_at else ""
    answer = request.answer or {}
    if request.state == RequestState.APPROVED:
        text = ":white_check_mark: " + t("*Approved* by {who}, {day}", who=who, day=day)
        return f"{text}: {_agreed(t, desk, answer['terms'])}" if answer.get("terms") else text
    if request.state == RequestState.DECLINED:
        text = ":no_entry_sign: " + t("*Declined* by {who}, {day}", who=who, day=day)
    else:
        text = ":white_check_mark: " + t("*Answered* by {who}, {day}", who=who, day=day)
    return f"{text}: {escape(cut(answer['words'], SHOWN))}"


def _agreed(t: Words, desk: Desk, terms: dict[str, Any]) -> str:
    return terms_line(t, desk, terms["plan"], "year", sum(terms["seats"].values()))


def _quoted(text: str | None) -> list[Json]:
    """Somebody's own words, as Slack shows a quotation, and nothing in them becomes a mention."""
    if not text:
        return []
    return [section("\n".join(f">{line}" for line in escape(cut(text, SHOWN)).splitlines()))]


def _failed(t: Words, desk: Desk, request: DeskRequest, home: str | None) -> Content:
    """What was approved could not be carried out: sales must know, and why."""
    text = t(
        "*What was approved could not be carried out*: {what}, {scope}, asked by {who}.",
        what=topic_word(t, request.topic),
        scope=Raw(covers(request)),
        who=asker(request, home),
    )
    return Content(text=text, blocks=[section(f":warning: {text}\n{_why(t, desk, request)}")])


def _why(t: Words, desk: Desk, request: DeskRequest) -> str:
    try:
        return refusal_text(Refusal.from_json((request.answer or {})["failure"]), t, desk)
    except (KeyError, TypeError):
        return t("That can't be done here. Nothing was changed; support can help.")


# --- the forms ---


def terms_form(
    t: Words, desk: Desk, request: DeskRequest, proposal: Proposal, *, channel: str, home: str | None
) -> Json:
    """What is agreed, begun from what was asked: plan, seats, price and days until the invoice is due."""
    who = asker(request, home)
    about = t("{who} asks sales: *{what}*", who=who, what=topic_word(t, request.topic))
    plans = [option(plan.name, plan.key) for plan in desk.catalogue.for_sale[:100]]
    if proposal.plan not in {plan["value"] for plan in plans}:  # no longer in the catalogue, but what they have
        plans.insert(0, option(proposal.plan, proposal.plan))
    menu: Json = {"type": "static_select", "action_id": f"{TERMS}plan", "options": plans[:100]}
    price: Json = {"type": "plain_text_input", "action_id": f"{TERMS}price", "max_length": 40}
    if proposal.unit_amount is not None:
        price["initial_value"] = _amount(t, proposal.unit_amount, proposal.currency)
    blocks = [
        section(f"{about}\n{covers(request)}"),
        field_of("plan", t.plain("Plan"), menu | chosen(plans, proposal.plan), dispatch=True),
    ]
    blocks += [_seats_of(t, part, several=len(proposal.parts) > 1) for part in proposal.parts]
    label = t.plain("Price per seat and year, {currency}", currency=proposal.currency.upper())
    hint = t.plain("The listed or present price is filled in where there is one.")
    # Slack keeps what is written by block id: another plan's price needs another one.
    blocks.append(field_of(f"price_{proposal.plan}", label, price, hint=hint))
    if request.topic != Topic.ADJUST:
        days: Json = {
            "type": "plain_text_input",
            "action_id": f"{TERMS}days",
            "initial_value": str(proposal.days_until_due),
        }
        blocks.append(
            field_of(
                "days",
                t.plain("Days until the invoice is due"),
                days,
                hint=t.plain("From 1 to {most}.", most=MOST_DAYS),
            )
        )
    return modal(
        t.plain("Approve"),
        blocks,
        close=t.plain("Cancel"),
        submit=t.plain("Show the price") if request.topic == Topic.ADJUST else t.plain("Approve"),
        callback_id=SUBMIT_TERMS,
        private_metadata=_reference(request, channel, days=proposal.days_until_due),
    )


def price_form(
    t: Words, desk: Desk, request: DeskRequest, terms: Terms, *, channel: str, home: str | None, changed: bool = False
) -> Json:
    """What a change invoices at once, by Stripe's own preview, before it is approved (M1)."""
    seats = next(iter(terms.seats.values()))
    money = t.money(terms.due_now or 0, terms.currency)
    lines = [
        t("{who} asks sales: *{what}*", who=asker(request, home), what=topic_word(t, request.topic)),
        terms_line(t, desk, terms.plan, "year", seats),
        "*" + t("To be invoiced now: {money}", money=money) + "*",
    ]
    blocks = [section("\n".join(lines))]
    if changed:
        blocks.insert(0, section(":warning: " + t("*The price has changed since you saw it.* This is it now:")))
    blocks.append(
        context(t("For the rest of the period, less what is invoiced already. Nothing is charged by itself."))
    )
    return modal(
        t.plain("Approve"),
        blocks,
        close=t.plain("Cancel"),
        submit=t.plain("Approve"),
        callback_id=SUBMIT_PRICE,
        private_metadata=json.dumps({"request": str(request.id), "channel": channel, "terms": terms.as_json()}),
    )


def _seats_of(t: Words, part: Part, *, several: bool) -> Json:
    element: Json = {
        "type": "plain_text_input",
        "action_id": f"{TERMS}seats.{part.scope}",
        "initial_value": str(part.seats),
        "max_length": 40,
    }
    label = t.plain("Seats for {name}", name=part.name) if several else t.plain("Seats")
    return field_of(f"seats_{part.scope}", label, element, hint=t.n("{count} member", "{count} members", part.members))


def _amount(t: Words, amount: int, currency: str) -> str:
    decimals = exponent(currency)
    pattern = "0" + ("." + "0" * decimals if decimals else "")
    return str(format_decimal(Decimal(amount).scaleb(-decimals), format=pattern, locale=t.locale))


def decline_form(t: Words, request: DeskRequest, *, channel: str, home: str | None) -> Json:
    """A few words to whoever asked."""
    return _words_form(
        t, request, channel, home, t.plain("Decline"), t.plain("What shall they be told?"), SUBMIT_DECLINE
    )


def answer_form(t: Words, request: DeskRequest, *, channel: str, home: str | None) -> Json:
    """The answer, which whoever asked gets as it is written."""
    form = _words_form(t, request, channel, home, t.plain("Mark answered"), t.plain("Your answer"), SUBMIT_ANSWER)
    form["blocks"] = [*_quoted(request.facts.get("text")), *form["blocks"]]
    return form


def _words_form(
    t: Words, request: DeskRequest, channel: str, home: str | None, title: str, label: str, callback_id: str
) -> Json:
    element: Json = {
        "type": "plain_text_input",
        "action_id": "kassor.desk.words",
        "multiline": True,
        "max_length": MOST_TEXT,
    }
    who = asker(request, home)
    return modal(
        title,
        [field_of("words", label, element), context(t("{who} gets it as it is written.", who=who))],
        close=t.plain("Cancel"),
        submit=t.plain("Send"),
        callback_id=callback_id,
        private_metadata=_reference(request, channel),
    )


def _reference(request: DeskRequest, channel: str, **more: int) -> str:
    return json.dumps({"request": str(request.id), "channel": channel} | more)


# --- to whoever asked ---


def decided(t: Words, desk: Desk, request: DeskRequest) -> Content:
    """How a request ended, and what happens next."""
    if request.desk == Which.SUPPORT:
        return _answered(t, request)
    what = topic_word(t, request.topic)
    about = str(request.facts.get("subscription") or request.scope_id)
    answer = request.answer or {}
    if request.state == RequestState.DECLINED:
        text = t("Sales could not say yes to “{what}” for *{scope}*:", what=what, scope=Raw(covers(request)))
        row = actions(sales_button(t, request.topic, about), support_button(t, "sales"), block_id="again")
        return Content(text=text, blocks=[section(text), *_quoted(answer.get("words")), row])
    if answer.get("failure"):
        text = t(
            "Sales said yes to “{what}” for *{scope}*, but it could not be done:", what=what, scope=Raw(covers(request))
        )
        more = t("Sales know about it.")
        row = actions(support_button(t, "sales"), block_id="again")
        return Content(text=text, blocks=[section(f":warning: {text}\n{_why(t, desk, request)} {more}"), row])
    text = t("Sales said yes to “{what}” for *{scope}*.", what=what, scope=Raw(covers(request)))
    following = _what_follows(t, desk, request)
    return Content(text=text, blocks=[section(f":white_check_mark: {text}\n{following}")])


def _what_follows(t: Words, desk: Desk, request: DeskRequest) -> str:
    answer = request.answer or {}
    if request.topic == Topic.CANCEL:
        return t("It ends by itself when the paid period does. Until then everything works, and nothing is deleted.")
    terms = answer["terms"]
    parts = [f"*{_agreed(t, desk, terms)}*."]
    names = {team["id"]: team["name"] for team in request.facts.get("teams") or []}
    parts += [f"{escape(names[key])}: {seats_word(t, seats)}." for key, seats in terms["seats"].items() if key in names]
    if answer.get("due_at"):
        owner = request.facts.get("owner") or request.requester.slack_user_id
        day = t.iso_day(answer["due_at"])
        parts.append(t("The invoice goes to {who}, and is to be paid by {day}.", who=mention(owner), day=day))
    else:
        parts.append(t("There is nothing to pay now; the difference is settled on the next invoice."))
    return " ".join(parts)


def _answered(t: Words, request: DeskRequest) -> Content:
    by = request.decided_by
    who = _person(request, by.slack_user_id, by.name, by.workspace_id) if by else Raw("")
    text = t("{who} at support has answered your question:", who=who)
    asked = context(t("You asked: {text}", text=cut(request.facts["text"], 300)))
    row = actions(support_button(t, "support"), block_id="again")
    return Content(text=text, blocks=[section(text), *_quoted((request.answer or {}).get("words")), asked, row])
