"""What is shown about admins and growth fits Slack, in both languages, with the longest names and very many people (R28, M6)."""

import pytest

from bot.views import admins as views
from bot.views import change, upkeep_notices
from bot.views.blocks import modal
from bot.words import Words
from domain.notices import NoticeKind
from domain.records import Member
from sandbox.slack.blocks import problems_in_blocks, problems_in_view
from tests.bot.test_views import DESK, NAMES, READERS, subscription


def people(count: int, **facts: bool) -> list[Member]:
    return [
        Member(id=number, workspace_id="T1", slack_user_id=f"U{number:09}", name=f"*Å* <!here> {number}", **facts)
        for number in range(count)
    ]


@pytest.mark.parametrize("t", READERS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("count", [0, 1, 150])
def test_R28_the_modal_shows_who_is_admin(t: Words, name: str, count: int) -> None:
    active, resting = people(count), people(count, is_deactivated=True)
    view = views.form(t, subscription(), scope=name, owner=people(1)[0], admins=[*active, *resting])
    assert problems_in_view(view) == []
    picker = next(block for block in view["blocks"] if block["type"] == "input")["element"]
    assert picker.get("initial_users", []) == [member.slack_user_id for member in active]
    assert "<!here>" not in str(view)


@pytest.mark.parametrize("t", READERS)
@pytest.mark.parametrize(("new", "former"), [(0, 0), (1, 0), (0, 1), (200, 200)])
def test_R28_what_came_of_it_fits_a_modal(t: Words, new: int, former: int) -> None:
    content = views.saved(t, appointed=people(new), removed=people(former))
    assert problems_in_view(modal("Admins", content.blocks, close="OK")) == []


@pytest.mark.parametrize("t", READERS)
@pytest.mark.parametrize("name", NAMES)
def test_M6_seats_that_suffice_after_all(t: Words, name: str) -> None:
    content = change.seats_suffice(t, subscription(), scope=name, members=12)
    assert problems_in_blocks(content.blocks) == []


@pytest.mark.parametrize("t", READERS)
@pytest.mark.parametrize(("through_sales", "action", "value"), [
    (False, "kassor.seats.grow", "sub_1:30"),
    (True, "kassor.go.sales", "adjust:sub_1"),
])  # fmt: skip
def test_M6_R43_the_one_click_is_the_next_size_or_sales(t: Words, through_sales: bool, action: str, value: str) -> None:
    told = {"scope": "F", "members": 26, "seats": 25, "size": None if through_sales else 30, "subscription": "sub_1"}
    content = upkeep_notices.BUILDERS[NoticeKind.OUTGROWN](t, DESK, told | {"through_sales": through_sales})
    first = content.blocks[-1]["elements"][0]
    assert (first["action_id"], first["value"]) == (action, value)


@pytest.mark.parametrize(("through_sales", "action"), [(False, "kassor.go.cancel"), (True, "kassor.go.sales")])
def test_P2_R38_a_team_that_is_gone_can_be_cancelled_or_sales_can(through_sales: bool, action: str) -> None:
    told = {"scope": "F", "subscription": "sub_1", "through_sales": through_sales}
    content = upkeep_notices.BUILDERS[NoticeKind.TEAM_GONE](Words("en-US"), DESK, told)
    assert content.blocks[-1]["elements"][0]["action_id"] == action
