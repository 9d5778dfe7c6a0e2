"""What the sales and support desks show: all of it something Slack takes, also at its worst, in both languages."""

import json
import re
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from bot.views import decisions, desk
from bot.views.blocks import Content, modal
from bot.views.desk import SalesForm
from bot.views.upgrade import ScopeOption
from bot.words import Words
from domain.actions.deciding import Part, Proposal, Terms
from domain.records.requests import Desk as Which
from domain.records.requests import RequestState, Topic
from domain.rules import refusals as no
from domain.rules.money import parse_amount
from sandbox.slack.blocks import problems_in_blocks, problems_in_view
from tests.bot.test_views import DESK, LONG, NAMES, READERS, fits

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
TERMS = {"plan": "premium", "seats": {"a": 25}, "unit_amount": 125_000, "currency": "sek", "days_until_due": 30}


def request(name: str, topic: Topic = Topic.PAY_BY_INVOICE, **other: Any) -> Any:
    """A request as the views read it."""
    facts: dict[str, Any] = {
        "plan": "premium",
        "seats": 25,
        "interval": "year",
        "owner": "U2",
        "owner_name": name,
        "currency": "sek",
        "text": LONG * 10,
    }
    if topic == Topic.SEVERAL_TEAMS:
        facts["teams"] = [{"id": letter, "name": name} for letter in "abcdefgh"]
    if topic in {Topic.ADJUST, Topic.CANCEL}:
        facts |= {"subscription": "sub_" + "x" * 24, "owner": None}
    if topic == Topic.HELP:
        facts = {"plan": "basic", "place": name[:60], "customer": "cus_1", "text": LONG * 10}
    shown = {
        "id": uuid4(),
        "desk": Which.SUPPORT if topic == Topic.HELP else Which.SALES,
        "topic": topic.value,
        "state": RequestState.OPEN,
        "scope": SimpleNamespace(name=name, workspace_id="T1", workspace=SimpleNamespace(name=name)),
        "scope_id": uuid4(),
        "requester": SimpleNamespace(slack_user_id="U1", name=name),
        "decided_by": None,
        "decided_at": None,
        "asked_at": NOW,
        "answer": None,
        "facts": facts,
    }
    return SimpleNamespace(**shown | other)


def ended(name: str, topic: Topic, state: RequestState, **answer: Any) -> Any:
    by = SimpleNamespace(slack_user_id="U0NILS014", name="Nils", workspace_id="T1")
    return request(name, topic, state=state, decided_by=by, decided_at=NOW, answer=answer)


def texts(content: Content) -> str:
    return content.text + str(content.blocks)


@pytest.mark.parametrize("t", READERS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("topic", list(Topic))
def test_S1_a_request_open_decided_and_failed(t: Words, name: str, topic: Topic) -> None:
    for home in ("T1", "T2"):
        fits(decisions.request_message(t, DESK, request(name, topic), home=home))
    words: dict[str, Any] = {"words": LONG * 10}
    states = {
        RequestState.APPROVED: {} if topic == Topic.CANCEL else {"terms": TERMS, "due_at": NOW.isoformat()},
        RequestState.DECLINED: words,
    }
    if topic == Topic.HELP:
        states = {RequestState.ANSWERED: words}
    for state, answer in states.items():
        fits(decisions.request_message(t, DESK, ended(name, topic, state, **answer), home="T1"))
        fits(decisions.decided(t, DESK, ended(name, topic, state, **answer)))
    failure = no.AlreadySubscribed(scope=name, plan="premium", owner="U1", owner_name=name).as_json()
    failed = ended(name, topic, RequestState.APPROVED, terms=TERMS, failure=failure)
    fits(decisions.request_message(t, DESK, failed, home="T2", failed=True))
    fits(decisions.decided(t, DESK, failed))


@pytest.mark.parametrize("t", READERS)
@pytest.mark.parametrize("topic", [Topic.PAY_BY_INVOICE, Topic.ADJUST])
def test_S1_what_was_decided_replaces_the_buttons(t: Words, topic: Topic) -> None:
    before = decisions.request_message(t, DESK, request("F", topic), home="T1")
    after = decisions.request_message(t, DESK, ended("F", topic, RequestState.APPROVED, terms=TERMS), home="T1")
    assert before.blocks[-1]["type"] == "actions"
    assert all(block["type"] != "actions" for block in after.blocks)
    assert "<@U0NILS014>" in texts(after)


@pytest.mark.parametrize("t", READERS)
@pytest.mark.parametrize("topic", list(Topic))
def test_S1_no_amount_is_ever_in_a_channel(t: Words, topic: Topic) -> None:
    for shown in (request("F", topic), ended("F", topic, RequestState.APPROVED, terms=TERMS)):
        said = texts(decisions.request_message(t, DESK, shown, home="T2"))
        said = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "", said)  # ids may well hold the digits
        assert "125" not in said
        assert "kr" not in said.replace("kraft", "")
        assert "SEK" not in said


@pytest.mark.parametrize("topic", [Topic.PAY_BY_INVOICE, Topic.HELP])
def test_S1_somebody_of_another_workspace_is_named_because_slack_shows_no_mention_of_them(topic: Topic) -> None:
    here = texts(decisions.request_message(Words("en-US"), DESK, request("Ada", topic), home="T1"))
    there = texts(decisions.request_message(Words("en-US"), DESK, request("Ada", topic), home="T0"))
    assert "<@U1>" in here
    assert "<@" not in there
    assert "*Workspace*" in there
    assert "Ada" in there


@pytest.mark.parametrize("t", READERS)
def test_S1_nobodys_words_become_a_mention_or_a_link(t: Words) -> None:
    for shown in (request(LONG[:255]), request(LONG[:255], Topic.HELP)):
        said = texts(decisions.request_message(t, DESK, shown, home="T2"))
        assert "<!channel>" not in said
        assert "<https://" not in said


@pytest.mark.parametrize("t", READERS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("topic", [*desk.NEW, *desk.CHANGES])
@pytest.mark.parametrize("teams", [0, 150])
def test_R14_R43_the_sales_form_for_every_topic(t: Words, name: str, topic: Topic, teams: int) -> None:
    groups = tuple(ScopeOption(str(uuid4()), f"{number} {name}", 5) for number in range(teams))
    whole = ScopeOption("whole", name, 60_000, is_whole=True)
    live = "sub_" + "x" * 24 if topic in desk.CHANGES else ""
    form = SalesForm(topic, (whole, *groups), groups, "whole", name, "premium", "25", "U1", subscription=live, now="x")
    view = desk.sales_form(t, DESK, form)
    assert problems_in_view(view) == []
    fields = {block.get("block_id") for block in view["blocks"]}
    assert ("channels" in fields) == (topic == Topic.SEVERAL_TEAMS)
    assert ("seats" in fields) == (topic != Topic.CANCEL)


@pytest.mark.parametrize("t", READERS)
@pytest.mark.parametrize("name", NAMES)
def test_R17_the_support_form_and_what_is_said_at_once(t: Words, name: str) -> None:
    assert problems_in_view(desk.support_form(t, place=name, scope=str(uuid4()), text=LONG * 20)) == []
    fits(desk.sent_to_support(t))
    for topic in (*desk.NEW, *desk.CHANGES):
        fits(desk.sent_to_sales(t, DESK, request(name, topic)))
        assert desk.state_line(t, DESK, request(name, topic))
        assert desk.state_line(t, DESK, ended(name, topic, RequestState.APPROVED))


@pytest.mark.parametrize("t", READERS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("plan", ["premium", "a plan that is gone"])
@pytest.mark.parametrize("parts", [1, 8])
def test_S1_the_forms_that_answer(t: Words, name: str, plan: str, parts: int) -> None:
    several = tuple(Part(str(uuid4()), name, 5, 5) for _ in range(parts))
    shown = request(name, Topic.SEVERAL_TEAMS if parts > 1 else Topic.ADJUST)
    for amount in (None, 99_999_999):
        proposal = Proposal(plan, several, amount, "sek", 30)
        assert problems_in_view(decisions.terms_form(t, DESK, shown, proposal, channel="C1", home="T2")) == []
    assert problems_in_view(decisions.decline_form(t, shown, channel="C1", home="T2")) == []
    assert problems_in_view(decisions.answer_form(t, request(name, Topic.HELP), channel="C1", home="T2")) == []


@pytest.mark.parametrize("t", READERS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("changed", [True, False])
def test_M1_the_price_of_a_change_is_a_form_that_says_it(t: Words, name: str, changed: bool) -> None:
    terms = Terms("premium", {str(uuid4()): 40}, 125_000, "sek", 30, proration_date=1_795_000_000, due_now=545_480)
    shown = request(name, Topic.ADJUST)
    view = decisions.price_form(t, DESK, shown, terms, channel="C1", home="T2", changed=changed)
    assert problems_in_view(view) == []
    assert t.money(545_480, "sek") in json.dumps(view["blocks"], ensure_ascii=False)
    assert Terms.from_json(json.loads(view["private_metadata"])["terms"]) == terms


@pytest.mark.parametrize("t", READERS)
@pytest.mark.parametrize(
    ("amount", "currency"), [(125_000, "sek"), (125_050, "eur"), (1_250, "jpy"), (99_999_999, "usd")]
)
def test_S1_the_price_filled_in_is_read_back_as_it_is(t: Words, amount: int, currency: str) -> None:
    part = Part("a", "F", 5, 25)
    view = decisions.terms_form(
        t, DESK, request("F"), Proposal("premium", (part,), amount, currency, 30), channel="C1", home="T2"
    )
    field = next(block for block in view["blocks"] if block.get("block_id") == "price_premium")
    assert parse_amount(field["element"]["initial_value"], currency) == amount


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("1250", "sek", 125_000),
        (" 1 250,00 ", "sek", 125_000),
        ("1\u00a0250,5", "sek", 125_050),
        ("1,250.05", "usd", 125_005),
        ("1.250,05", "eur", 125_005),
        ("1'250", "usd", 125_000),
        ("0", "sek", 0),
        ("1250", "jpy", 1_250),
        ("1,250", "jpy", 1_250),
        ("1.250", "kwd", 1_250),
    ],
)
def test_an_amount_is_read_as_people_write_it(text: str, currency: str, amount: int) -> None:
    assert parse_amount(text, currency) == amount


@pytest.mark.parametrize("text", ["", "-5", "1250 kr", "1,25,0", "12.345.6", "1250.123", "٣", "1e9", "9" * 50])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(no.PriceNotANumber):
        parse_amount(text, "sek")


@pytest.mark.parametrize("t", READERS)
def test_S1_a_modal_shows_what_was_sent(t: Words) -> None:
    content = desk.sent_to_sales(t, DESK, request("F"))
    assert problems_in_view(modal(content.title or "", content.blocks, close="x")) == []
    assert problems_in_blocks(content.blocks) == []
