"""The billing page as each reader sees it: what Slack takes, what is theirs to see, and a button for every thing they may do."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.views import help as help_view
from bot.views import invoices as invoice_views
from bot.views import page
from bot.views import usage as usage_view
from bot.words import Words
from cli.sandbox_client import elements, texts
from domain.actions.invoices import InvoicePage
from domain.actions.page import BillingPage
from domain.actions.usage import SeatUsage
from domain.records import DeskRequest, Member, Subscription
from domain.records.requests import Desk as DeskKind
from sandbox.slack.blocks import problems_in_view
from tests.bot.test_views import DESK, NAMES, NOW, READERS, fits, invoice, member, scope, subscription

Json = dict[str, Any]
RIGHT_TO_LEFT = "שלום 👩‍👩‍👧‍👦 فريق التصميم " * 4
EVERY_NAME = [*NAMES, pytest.param(RIGHT_TO_LEFT[:80], id="right-to-left")]
SWEDE, ENGLISH = Words("sv-SE", "Europe/Stockholm"), Words("en-US")
LIVES = [
    subscription(),
    subscription(status="past_due", past_due_since=NOW),
    subscription(status="trialing", trial_end=NOW),
    subscription(cancel_at=NOW),
    subscription(next_at=NOW, next_plan="business", next_interval="month", next_seats=10),
    subscription(collection_method="send_invoice"),
    subscription(plan="a plan that is gone"),
]
TOPICS = ("several_teams", "pay_by_invoice", "quote", "adjust", "cancel", "help", "one that is new")


def requests() -> list[DeskRequest]:
    return [
        DeskRequest(desk=DeskKind.SUPPORT if topic == "help" else DeskKind.SALES, topic=topic, facts={}, asked_at=NOW)
        for topic in TOPICS
    ]


def owned(live: Subscription | None = None, name: str = "Fjällvind", **more: Any) -> BillingPage:
    facts: Json = {
        "subscription": live or subscription(),
        "next_total": 2_500_000,
        "payment_method": name,
        "invoices": [invoice(number) for number in range(3)],
        "has_more_invoices": True,
        "requests": requests(),
    }
    live = facts["subscription"]
    return BillingPage(scope(name), "owner", 18, live.plan, "year", "U1", "Ada", **facts | more)


def about(name: str = "Fjällvind", **more: Any) -> BillingPage:
    facts: Json = {"role": "member", "plan": "premium", "interval": "year", "owner": "U1", "owner_name": "Ada"}
    return BillingPage(scope(name), members=18, **facts | more)


def basic(name: str = "Fjällvind", **more: Any) -> BillingPage:
    facts: Json = {"role": "member", "plan": "basic"}
    return BillingPage(scope(name), members=18, **facts | more)


def team(name: str, **more: Any) -> BillingPage:
    found = owned(name=name, **more) if more.pop("mine", True) else about(name)
    found.scope.kind = "team"  # type: ignore[assignment]  # as the database gives it back
    return found


def ids(blocks: Iterable[Json]) -> set[str]:
    return {each["action_id"] for each in elements({"blocks": list(blocks)})}


def values(blocks: Iterable[Json], action_id: str) -> list[str]:
    found = elements({"blocks": list(blocks)})
    return [each.get("value", "") for each in found if each["action_id"] == action_id]


# --- what Slack takes ---


@pytest.mark.parametrize("t", READERS)
@pytest.mark.parametrize("name", EVERY_NAME)
@pytest.mark.parametrize("live", LIVES)
def test_R34_the_page_of_every_state_is_something_slack_takes(t: Words, name: str, live: Subscription) -> None:
    teams = [team(f"{number} {name}", mine=number % 2 == 0) for number in range(200)]
    for first in (
        owned(live, name),
        about(name),
        about(name, role="admin", claimable="sub_1", owner_is_gone=True, requests=requests()),
        about(name, role="guest", covered_by=name),
        basic(name, is_first_time=True, was_owner=True, requests=requests()),
        basic(name, role="guest"),
    ):
        assert problems_in_view(page.home(t, DESK, [first, *teams])) == []
        fits(page.message(t, DESK, [first, *teams]))
        fits(help_view.help_text(t, DESK, first, person="U2", teams=3))
    fits(page.leaving(t, DESK, owned(live, name), live))
    fits(page.links(t, DESK))
    assert problems_in_view(page.reading(name * 20)) == []
    fits(page.link_out("T", "x", "y", "https://x.example"))
    fits(page.which(t, [(f"sub_{number}", name) for number in range(200)], "seats", "9" * 500))


@pytest.mark.parametrize("t", READERS)
@pytest.mark.parametrize("name", EVERY_NAME)
def test_R32_three_hundred_invoices_are_something_slack_takes(t: Words, name: str) -> None:
    for number in (0, 20, 37):
        found = InvoicePage(scope(name), [invoice(each) for each in range(8)], number, 38)
        fits(invoice_views.invoices(t, found, sent="in_3"))
    fits(invoice_views.invoices(t, InvoicePage(scope(name), [], 0, 1)))
    fits(invoice_views.latest(t, invoice()))
    fits(invoice_views.latest(t, invoice(), sent=True))


@pytest.mark.parametrize("t", READERS)
@pytest.mark.parametrize("name", EVERY_NAME)
@pytest.mark.parametrize(("used", "guests"), [(0, 0), (1, None), (20, 3), (4_000, 900)])
def test_R36_seat_usage_of_four_thousand_is_something_slack_takes(
    t: Words, name: str, used: int, guests: int | None
) -> None:
    people = [Member(id=number, slack_user_id=f"U{number:010}", name=name) for number in range(min(used, 30))]
    found = SeatUsage(scope(name), subscription(), used, people, 2, 134, guests, 12, 345)
    fits(usage_view.usage(t, found))


# --- who sees what ---


def test_R36_the_six_things_are_buttons_of_the_owners_page() -> None:
    shown = ids(page.message(ENGLISH, DESK, [owned()]).blocks)
    six = ("plan", "usage", "information", "owner", "invoice", "support")
    assert {f"kassor.go.{what}" for what in six} <= shown
    assert {f"kassor.go.{what}" for what in ("seats", "payment", "admins", "cancel", "invoices")} <= shown


@pytest.mark.parametrize("t", READERS)
def test_R35_others_read_the_plan_and_the_owner_and_nothing_about_money_or_seats(t: Words) -> None:
    shown = page.message(t, DESK, [about(role="admin")])
    text = texts({"blocks": shown.blocks})
    assert "Premium" in text
    assert "<@U1>" in text
    assert not any(word in text for word in (" kr", "SEK", "18", "20"))
    assert ids(shown.blocks) == {"kassor.go.help", "kassor.go.support"}


def test_R35_on_basic_everybody_reads_what_an_upgrade_would_give() -> None:
    text = texts({"blocks": page.message(SWEDE, DESK, [basic()]).blocks})
    assert "Tidslinje och beroenden" in text
    assert "pris på begäran" in text
    assert "från 104,17" in text.replace("\u00a0", " ")


def test_R16_a_level_without_a_price_has_the_way_to_a_quote() -> None:
    shown = basic()
    assert values(page.message(ENGLISH, DESK, [shown]).blocks, "kassor.go.sales")[0] == f"quote:{shown.scope.id}"


@pytest.mark.parametrize("shown", [basic(role="guest"), about(role="guest")])
def test_R26_a_guest_is_offered_nothing_to_press(shown: BillingPage) -> None:
    assert ids(page.message(ENGLISH, DESK, [shown]).blocks) == set()


def test_P1_an_admin_whose_owner_is_gone_can_take_over_with_one_click() -> None:
    gone = about(role="admin", owner_is_gone=True, claimable="sub_1")
    assert values(page.message(ENGLISH, DESK, [gone]).blocks, "kassor.go.claim") == ["sub_1"]
    stays = about(role="admin", owner_is_gone=True)
    assert "kassor.go.claim" not in ids(page.message(ENGLISH, DESK, [stays]).blocks)


def test_R38_R43_a_manually_invoiced_plan_is_adjusted_and_cancelled_through_sales() -> None:
    live = subscription(collection_method="send_invoice")
    blocks = page.message(ENGLISH, DESK, [owned(live)]).blocks
    assert values(blocks, "kassor.go.sales") == [f"adjust:{live.id}", f"cancel:{live.id}"]
    assert not {f"kassor.go.{what}" for what in ("seats", "plan", "cancel", "payment")} & ids(blocks)


def test_R37_a_paying_teams_page_is_reached_from_the_whole_and_its_buttons_are_its_own() -> None:
    design = team("Design", subscription=subscription(id="sub_design"))
    everything = page.message(ENGLISH, DESK, [basic(), design]).blocks
    assert values(everything, "kassor.go.page") == [str(design.scope.id)]
    alone = page.message(ENGLISH, DESK, [design]).blocks
    for what in ("seats", "plan", "usage", "invoice", "payment", "information", "owner", "admins", "cancel"):
        assert values(alone, f"kassor.go.{what}") == ["sub_design"]


def test_R48_who_owned_a_plan_that_has_ended_reaches_its_invoices() -> None:
    assert "kassor.go.invoices" in ids(page.message(ENGLISH, DESK, [basic(was_owner=True)]).blocks)
    assert "kassor.go.invoices" not in ids(page.message(ENGLISH, DESK, [basic()]).blocks)


def test_M1_an_amount_that_is_not_stripes_own_says_that_tax_may_come() -> None:
    guess = owned()
    assert "25,000.00 before tax on" in texts({"blocks": page.message(ENGLISH, DESK, [guess]).blocks})
    exact = replace(guess, next_total=3_125_000, next_is_exact=True)
    text = texts({"blocks": page.message(ENGLISH, DESK, [exact]).blocks})
    assert "31,250.00 on" in text
    assert "before tax" not in text


def test_a_workspace_that_has_just_installed_is_welcomed_once() -> None:
    assert "Welcome!" in texts({"blocks": page.home(ENGLISH, DESK, [basic(is_first_time=True)])["blocks"]})
    assert "Welcome!" not in texts({"blocks": page.home(ENGLISH, DESK, [basic()])["blocks"]})


def test_S1_what_waits_at_sales_is_on_the_page() -> None:
    text = texts({"blocks": page.message(SWEDE, DESK, [basic(requests=requests()[:2])]).blocks})
    assert "Uppgradera flera team: skickat 24 november 2026, väntar på svar." in text
    assert "Betala mot faktura: skickat 24 november 2026" in text


# --- leaving ---


@pytest.mark.parametrize(
    ("live", "words", "says"),
    [
        (subscription(), "Cancel subscription", "Everything works until November 24, 2027"),
        (
            subscription(status="trialing", trial_end=NOW + timedelta(days=3)),
            "Cancel the trial",
            "Nothing is ever charged",
        ),
        (subscription(status="past_due"), "End the subscription now", "ends at once and nothing is owed"),
    ],
)
def test_R45_R46_M5_the_button_says_what_is_cancelled_and_asks_with_what_it_means(
    live: Subscription, words: str, says: str
) -> None:
    shown = page.leave_button(ENGLISH, live)
    assert shown["text"]["text"] == words
    assert says in shown["confirm"]["text"]["text"]


def test_R46_a_cancelled_plan_has_one_click_back() -> None:
    shown = ids(page.message(ENGLISH, DESK, [owned(subscription(cancel_at=NOW))]).blocks)
    assert "kassor.go.resume" in shown
    assert "kassor.go.cancel" not in shown


def test_R47_every_page_and_cancelling_link_to_prices_scopes_cancelling_and_support() -> None:
    for blocks in (
        page.home(ENGLISH, DESK, [basic()])["blocks"],
        page.home(ENGLISH, DESK, [owned()])["blocks"],
        page.links(ENGLISH, DESK).blocks,
        help_view.help_text(ENGLISH, DESK, basic(), person=None).blocks,
    ):
        text = texts({"blocks": blocks})
        assert all(address in text for address in DESK.catalogue.links.values())
    live = subscription()
    assert DESK.catalogue.links["cancellation"] in texts(
        {"blocks": page.leaving(ENGLISH, DESK, owned(live), live).blocks}
    )


# --- invoices, usage, help ---


def test_R32_I6_a_copy_that_was_asked_for_replaces_its_button_and_leaves_the_others() -> None:
    found = InvoicePage(scope("F"), [invoice(1), invoice(2)], 1, 3)
    shown = invoice_views.invoices(ENGLISH, found, sent="in_1").blocks
    assert values(shown, "kassor.go.again") == ["in_2:1"]
    assert "on its way" in texts({"blocks": shown})


def test_R32_newer_and_older_lead_to_the_neighbouring_pages() -> None:
    first, middle, last = (
        ids(invoice_views.invoices(ENGLISH, InvoicePage(scope("F"), [invoice()], number, 3)).blocks)
        for number in range(3)
    )
    both = {invoice_views.NEWER, invoice_views.OLDER}
    assert first & both == {invoice_views.OLDER}
    assert middle & both == both
    assert last & both == {invoice_views.NEWER}


def test_R36_R50_the_latest_invoice_can_be_opened_downloaded_and_sent() -> None:
    found = invoice()
    found.invoice_pdf = "https://pay.stripe.com/invoice/pdf"
    urls = {
        each["action_id"]: each.get("url") for each in elements({"blocks": invoice_views.latest(SWEDE, found).blocks})
    }
    assert urls["kassor.invoice.pdf"] == "https://pay.stripe.com/invoice/pdf"
    assert urls["kassor.invoice.open"] == found.hosted_invoice_url


def test_R33_seat_usage_tells_bought_used_free_who_and_who_does_not_count() -> None:
    found = SeatUsage(scope("F"), subscription(), 18, [member("U1"), member("U2")], 0, 1, 1, 2, 3)
    text = texts({"blocks": usage_view.usage(ENGLISH, found).blocks})
    for said in (
        "*Bought*\n20",
        "*In use*\n18",
        "*Free*\n2",
        "<@U1> · <@U2>",
        "1 guest, 2 apps, 3 deactivated accounts",
    ):
        assert said in text


def test_M6_more_members_than_seats_is_said_and_nothing_is_added() -> None:
    found = SeatUsage(scope("F"), subscription(), 23, [], 0, 1, 0, 0, 0)
    assert "3 seats are missing. Nothing is added by itself" in texts(
        {"blocks": usage_view.usage(ENGLISH, found).blocks}
    )


@pytest.mark.parametrize(
    ("shown", "has", "lacks"),
    [
        (basic(), ["/upgrade premium yearly 20", "/billing sales"], ["/seats", "/billing usage", "/billing cancel"]),
        (
            owned(),
            ["/seats 25", "/billing usage", "/billing plan business"],
            ["/upgrade", "/billing claim", "/billing resume"],
        ),
        (owned(subscription(cancel_at=NOW)), ["/billing resume"], ["/billing cancel"]),
        (owned(subscription(collection_method="send_invoice")), ["/billing sales"], ["/seats", "/billing cancel"]),
        (about(), ["<@U1> is billing owner"], ["/seats", "/billing invoices", "/upgrade", "/billing claim"]),
        (about(role="admin", claimable="sub_1"), ["/billing claim"], ["/billing admins"]),
    ],
    ids=["basic", "owner", "leaving", "manual", "member", "claiming"],
)
def test_help_lists_only_what_this_person_may_do_with_their_own_examples(
    shown: BillingPage, has: list[str], lacks: list[str]
) -> None:
    text = texts({"blocks": help_view.help_text(ENGLISH, DESK, shown, person="U2").blocks}).replace("`", "")
    assert [each for each in has if each not in text] == []
    assert [each for each in lacks if each in text] == []


def test_R37_an_owner_of_several_is_asked_and_the_wish_travels_with_the_answer() -> None:
    shown = page.which(ENGLISH, [("sub_1", "Fjällvind"), ("sub_2", "Design")], "seats", "25").blocks
    assert [(each["text"]["text"], each["value"]) for each in elements({"blocks": shown})] == [
        ("Choose Fjällvind", "sub_1|seats|25"),
        ("Choose Design", "sub_2|seats|25"),
    ]


def test_every_button_of_the_page_begins_with_a_verb_and_has_words() -> None:
    verbs = {
        "Change", "See", "Show", "Update", "Hand", "Manage", "Contact", "Cancel", "Keep", "Ask", "Upgrade", "Get", "Take",
        "Choose", "Send", "Download", "Open", "Pay", "End",
    }  # fmt: skip
    shown = [owned(), owned(subscription(cancel_at=NOW)), basic(was_owner=True), about(claimable="sub_1"), about()]
    blocks = [block for each in shown for block in page.message(ENGLISH, DESK, [each, team("Design")]).blocks]
    blocks += invoice_views.latest(ENGLISH, invoice()).blocks
    said = {each["text"]["text"] for each in elements({"blocks": blocks})}
    assert {words for words in said if words.split()[0] not in verbs} == set()
