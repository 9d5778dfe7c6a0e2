"""Whatever a command does a button does, and the other way round: the table, held to the listeners and to the pages."""

import pytest

from bot.listeners import BUTTONS, SUBMISSIONS
from bot.listeners.commands import VERBS as DONE
from bot.parsing import VERBS as SAID
from bot.parsing import parse_verb
from bot.views import change, upgrade
from bot.views import page as views
from cli.sandbox_client import elements
from domain.rules.refusals import UnknownWord
from sandbox.slack.blocks import problems_in_view
from tests.bot.test_page_views import ENGLISH, about, basic, owned, team
from tests.bot.test_upgrade_views import FORM
from tests.bot.test_views import DESK, NOW, subscription

# the word after /billing → the button, or why there is none
PARITY: dict[str, str] = {
    "menu": "kassor.go.page",
    "team": "kassor.go.page",
    "upgrade": "kassor.go.upgrade",
    "seats": "kassor.go.seats",
    "usage": "kassor.go.usage",
    "plan": "kassor.go.plan",
    "owner": "kassor.go.owner",
    "admins": "kassor.go.admins",
    "claim": "kassor.go.claim",
    "invoice": "kassor.go.invoice",
    "invoices": "kassor.go.invoices",
    "copies": "kassor.go.copies",
    "payment": "kassor.go.payment",
    "information": "kassor.go.information",
    "cancel": "kassor.go.cancel",
    "resume": "kassor.go.resume",
    "sales": "kassor.go.sales",
    "support": "kassor.go.support",
    "help": "kassor.go.help",
    "move": "",  # only ever a refusal (R9)
    "links": "",  # they are links on every page (R47)
}


def shown() -> set[str]:
    """Every button of the pages that people come to."""
    pages = [
        owned(),
        owned(subscription(cancel_at=NOW)),
        owned(subscription(collection_method="send_invoice")),
        basic(was_owner=True),
        about(claimable="sub_1"),
        team("Design"),
    ]
    found = [views.home(ENGLISH, DESK, [page, team("Design")])["blocks"] for page in pages]
    return {each["action_id"] for blocks in found for each in elements({"blocks": blocks})}


def test_every_word_is_answered_and_stands_in_the_table() -> None:
    assert {*SAID.values(), "team"} == set(DONE) == set(PARITY)


def test_every_word_has_its_button_on_a_page() -> None:
    assert {action for action in PARITY.values() if action} - shown() == set()


def test_every_button_of_a_page_has_its_word() -> None:
    assert {action for action in shown() if action.startswith("kassor.go.")} - set(PARITY.values()) == set()


def test_every_button_we_listen_to_leads_somewhere_a_word_leads_to() -> None:
    led = {action for action in BUTTONS if action.startswith("kassor.go.")}
    assert led - set(PARITY.values()) == {"kassor.go.again"}  # a copy of one invoice: a word couldn't say which


def test_R17_support_is_one_click_away_on_every_page_and_modal() -> None:
    live = subscription()
    forms = {
        upgrade.CALLBACK: upgrade.form(ENGLISH, DESK, FORM),
        change.SEATS: change.seats_form(ENGLISH, DESK, live, scope="F", members=18),
        change.PLAN: change.plan_form(ENGLISH, DESK, live, scope="F"),
        change.OWNER: change.owner_form(ENGLISH, live, scope="F"),
    }
    for callback_id, view in forms.items():
        assert callback_id in SUBMISSIONS
        assert problems_in_view(view) == []
        assert "kassor.go.support" in {each["action_id"] for each in elements(view)}
    for page in (owned(), basic(), about(), team("Design")):
        blocks = views.message(ENGLISH, DESK, [page]).blocks
        assert "kassor.go.support" in {each["action_id"] for each in elements({"blocks": blocks})}


@pytest.mark.parametrize(
    ("typed", "verb"),
    [
        ("användning", "usage"),
        ("administratörer", "admins"),
        ("överta", "claim"),
        ("kopior <@U0CARIN03>", "copies"),
        ("flytta till Pixelbryggan", "move"),
        ("move to another workspace", "move"),
        ("sälj", "sales"),
        ("kundtjänst", "support"),
        ("länkar", "links"),
        ("<#C0DESIGN1|design>", "team"),
        ("  <!subteam^S0DESIGN1|@design> ", "team"),
    ],
)
def test_R9_R37_words_in_both_languages_and_a_team_by_its_name(typed: str, verb: str) -> None:
    assert parse_verb(typed, "sv")[0] == verb


def test_R37_a_team_is_named_by_its_id() -> None:
    assert parse_verb("<#C0DESIGN1|design>", "en") == ("team", "C0DESIGN1")
    assert parse_verb("<!subteam^S0DATA001>", "en") == ("team", "S0DATA001")


@pytest.mark.parametrize("typed", ["#design", "<#C1|x> now", "<@U1>", "usgae", "<!channel>"])
def test_what_is_no_word_and_no_team_is_refused_with_the_nearest(typed: str) -> None:
    with pytest.raises(UnknownWord) as refused:
        parse_verb(typed, "en")
    assert (refused.value.nearest == "usage") is (typed == "usgae")
