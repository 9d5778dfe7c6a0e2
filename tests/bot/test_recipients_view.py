"""What is shown about copies for others fits Slack, in both languages, with the longest names and as many as may be (I6)."""

from types import SimpleNamespace
from typing import Any

import pytest

from bot.parsing import parse_people, parse_verb
from bot.views import copies
from bot.views import recipients as views
from bot.views.blocks import Content, modal
from bot.words import Words
from cli.sandbox_client import elements, texts
from domain.actions.recipients import MOST
from sandbox.slack.blocks import problems_in_blocks, problems_in_view
from tests.bot.test_admins_view import people
from tests.bot.test_views import DESK, NAMES, READERS, fits, invoice, member, scope, subscription

TOLD = {"recipient": 7, "recipient_of": "U0BJORN02"}


def row(name: str) -> Any:
    """As fetched with what it belongs to: records know their relations only where a database is open."""
    live = SimpleNamespace(**vars(subscription()), scope=scope(name), owner=member())
    return SimpleNamespace(id=7, subscription=live)


def copied(t: Words, name: str) -> Content:
    return copies.invoice_copy(
        t, DESK, [invoice()], scope=name, subscription=subscription(), is_periodic=True, told=TOLD
    )


@pytest.mark.parametrize("t", READERS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("count", [0, 1, MOST])
def test_I6_the_modal_shows_who_gets_copies(t: Words, name: str, count: int) -> None:
    picked = [each.slack_user_id for each in people(count)]
    view = views.form(t, subscription(), scope=name, owner=member(), picked=picked)
    assert problems_in_view(view) == []
    picker = next(block for block in view["blocks"] if block["type"] == "input")["element"]
    assert picker.get("initial_users", []) == picked


@pytest.mark.parametrize("t", READERS)
@pytest.mark.parametrize(("new", "former"), [(0, 0), (1, 0), (0, 1), (MOST, MOST)])
def test_I6_what_came_of_it_fits_a_modal(t: Words, new: int, former: int) -> None:
    content = views.saved(t, added=people(new), removed=people(former))
    assert problems_in_view(modal("x", content.blocks, close="OK")) == []


@pytest.mark.parametrize("t", READERS)
@pytest.mark.parametrize("name", NAMES)
def test_I6_what_a_recipient_reads_fits_slack(t: Words, name: str) -> None:
    fits(views.mine(t, [row(name)] * 30))
    fits(views.stopped(t, scope=name))
    copy = copied(t, name)
    assert problems_in_blocks(copy.blocks) == []


@pytest.mark.parametrize("t", READERS)
def test_I6_R33_a_recipients_copy_asks_nobody_to_pay_and_names_who_chose_it(t: Words) -> None:
    copy = {"blocks": copied(t, "F").blocks}
    assert [each["action_id"] for each in elements(copy)] == ["kassor.invoice.open", views.STOP]
    assert not any(each.get("style") for each in elements(copy))
    assert "<@U0BJORN02>" in texts(copy)


@pytest.mark.parametrize(
    ("typed", "ids"),
    [
        ("", ()),
        ("@carin", ()),  # a bare name is never guessed at
        ("<@U0CARIN03|carin> och <@U0DAVID04>", ("U0CARIN03", "U0DAVID04")),
        ("<@U0CARIN03> <@U0CARIN03>", ("U0CARIN03",)),
        ("<@x> <!channel> <#C1|a>", ()),
    ],
)
def test_I6_everybody_mentioned_is_meant_once(typed: str, ids: tuple[str, ...]) -> None:
    assert parse_people(typed) == ids


@pytest.mark.parametrize(("typed", "language"), [("copies", "en"), ("kopior", "sv"), ("Kopior <@U1>", "en")])
def test_I6_the_word_is_known_in_both_languages(typed: str, language: str) -> None:
    assert parse_verb(typed, language)[0] == "copies"
