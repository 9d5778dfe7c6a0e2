"""The upgrade modal: what it offers, what it says of every choice, and the ways onward for what no listed price covers."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from bot.views import change, upgrade
from bot.words import Words
from cli.sandbox_client import elements, texts
from sandbox.slack.blocks import problems_in_view
from tests.bot.test_page_views import EVERY_NAME
from tests.bot.test_views import DESK, READERS, subscription

Json = dict[str, Any]
ENGLISH, SWEDE = Words("en-US"), Words("sv-SE")
WHOLE = upgrade.ScopeOption("whole", "Fjällvind", 18, is_whole=True)
CHANNEL = upgrade.ScopeOption(upgrade.CHANNEL, "", None)
FORM = upgrade.Form((WHOLE, CHANNEL), "whole", "premium", "year", 20, "U1", "sek", currencies=("sek", "eur", "usd"))


def menu(view: Json, action: str) -> Json:
    return next(each for each in elements(view) if each["action_id"] == f"kassor.upgrade.{action}")


def said(view: Json) -> str:
    return texts(view).replace("\u00a0", " ")


@pytest.mark.parametrize("t", READERS)
@pytest.mark.parametrize("name", EVERY_NAME)
@pytest.mark.parametrize("picked", ["whole", upgrade.CHANNEL])
@pytest.mark.parametrize("members", [1, 18, 5000, 60_000])
@pytest.mark.parametrize("teams", [0, 97, 200])
def test_R20_every_form_is_something_slack_takes(t: Words, name: str, picked: str, members: int, teams: int) -> None:
    scopes = (
        replace(WHOLE, name=name, members=members),
        *[upgrade.ScopeOption(str(uuid4()), f"{number} {name}", 5) for number in range(teams)],
        CHANNEL,
    )
    for plan in ("premium", "enterprise", "one that is gone"):
        form = replace(FORM, scopes=scopes, scope=picked, plan=plan, trial_days=30, asked=4999)
        assert problems_in_view(upgrade.form(t, DESK, form)) == []
    assert problems_in_view(upgrade.to_sales(t, name, "quote", "whole")) == []


@pytest.mark.parametrize("t", READERS)
@pytest.mark.parametrize("name", EVERY_NAME)
def test_R44_the_modals_of_a_live_subscription_are_something_slack_takes(t: Words, name: str) -> None:
    live = subscription()
    for view in (
        change.seats_form(t, DESK, live, scope=name, members=4000),
        change.plan_form(t, DESK, live, scope=name),
        change.owner_form(t, live, scope=name, picked="U1"),
    ):
        assert problems_in_view(view) == []
        assert any(each["action_id"] == "kassor.go.support" for each in elements(view))  # R17


def test_R4_what_a_year_saves_is_said_both_ways() -> None:
    assert "You save SEK 5,000.00 a year" in said(upgrade.form(ENGLISH, DESK, FORM))
    assert "Yearly would save you SEK 5,000.00 a year" in said(
        upgrade.form(ENGLISH, DESK, replace(FORM, interval="month"))
    )
    assert "2 månader gratis" in said(upgrade.form(SWEDE, DESK, FORM))


def test_R7_no_size_below_the_members_is_offered() -> None:
    sizes = menu(upgrade.form(ENGLISH, DESK, replace(FORM, seats=2)), "seats")
    assert (sizes["options"][0]["value"], sizes["initial_option"]["value"]) == ("20", "20")


def test_R7_a_number_between_sizes_is_rounded_up_and_that_is_said() -> None:
    view = upgrade.form(ENGLISH, DESK, replace(FORM, seats=22, asked=22))
    assert menu(view, "seats")["initial_option"]["value"] == "25"
    assert "You asked for 22. Plans come in sizes, and 25 is the next." in said(view)


def test_R16_every_level_is_shown_and_one_without_a_price_asks_for_a_quote() -> None:
    view = upgrade.form(ENGLISH, DESK, replace(FORM, plan="enterprise"))
    assert [each["value"] for each in menu(view, "plan")["options"]] == ["premium", "business", "enterprise"]
    assert view["submit"]["text"] == "Ask for a quote"
    assert "price on request" in said(view)
    asks = elements(upgrade.to_sales(ENGLISH, "x", "quote", "whole"))
    assert asks[0]["value"] == "quote:whole"


def test_R18_the_level_comes_before_organisation_or_team() -> None:
    order = [block.get("block_id") for block in upgrade.form(ENGLISH, DESK, FORM)["blocks"]]
    assert order.index("plan") < order.index("scope")


def test_R19_a_checkmark_shows_what_is_being_upgraded() -> None:
    first = upgrade.form(ENGLISH, DESK, FORM)["blocks"][0]["text"]["text"]
    assert first.startswith(":white_check_mark: You are upgrading *Fjällvind*")


@pytest.mark.parametrize(
    ("interval", "seats", "offered"), [("year", 20, True), ("month", 20, False), ("year", 15, False)]
)
def test_R24_payment_by_invoice_is_offered_from_twenty_seats_a_year(interval: str, seats: int, offered: bool) -> None:
    scopes = (replace(WHOLE, members=12), CHANNEL)
    view = upgrade.form(ENGLISH, DESK, replace(FORM, scopes=scopes, interval=interval, seats=seats))
    asked = [each["value"] for each in elements(view) if each["action_id"] == "kassor.go.sales"]
    assert ("pay_by_invoice:whole" in asked) is offered


def test_R14_R17_several_teams_and_support_are_one_click_away() -> None:
    pressed = {(each["action_id"], each.get("value")) for each in elements(upgrade.form(ENGLISH, DESK, FORM))}
    assert ("kassor.go.sales", "several_teams:whole") in pressed
    assert ("kassor.go.support", "upgrade:") in pressed


def test_R47_the_modal_links_to_prices_scopes_and_cancelling() -> None:
    text = said(upgrade.form(ENGLISH, DESK, FORM))
    assert all(address in text for address in DESK.catalogue.links.values())


def test_a_currency_is_chosen_only_where_there_is_a_choice() -> None:
    assert menu(upgrade.form(ENGLISH, DESK, FORM), "currency")["initial_option"]["value"] == "sek"
    euro = upgrade.form(ENGLISH, DESK, replace(FORM, currency="eur"))
    assert "€2,298.00 a year" in said(euro)
    only = upgrade.form(ENGLISH, DESK, replace(FORM, currencies=("sek",)))
    assert not [each for each in elements(only) if each["action_id"] == "kassor.upgrade.currency"]


def test_R2_more_teams_than_a_menu_takes_are_found_by_typing() -> None:
    teams = tuple(upgrade.ScopeOption(str(number), f"Team {number}", 5) for number in range(150))
    view = upgrade.form(ENGLISH, DESK, replace(FORM, scopes=(WHOLE, *teams, CHANNEL)))
    found = menu(view, "scope")
    assert found["type"] == "external_select"
    assert found["initial_option"]["value"] == "whole"


def test_a_scope_of_nobodys_choice_never_becomes_the_whole() -> None:
    state = {"kassor.upgrade.scope": {"selected_option": {"value": "gone"}}}
    assert upgrade.chosen_in(state, FORM).scope == "gone"
