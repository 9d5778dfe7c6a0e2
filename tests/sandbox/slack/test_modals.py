"""Modals and their elements: what people fill in reaches the app as Slack carries it, and what Slack refuses is refused."""

import json
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from tests.sandbox.slack.town import ALICE, BJORN, Town, field_of, option, plain

SELECTS = [option("red"), option("blue")]
DESIGN = "C0DESIGN1"

ELEMENTS: list[tuple[dict[str, Any], Any, dict[str, Any]]] = [
    ({"type": "plain_text_input", "multiline": True, "max_length": 20}, "Hej\nhej", {"value": "Hej\nhej"}),
    ({"type": "number_input", "is_decimal_allowed": False, "min_value": "2"}, 25, {"value": "25"}),
    ({"type": "email_text_input"}, "ekonomi@fjallvind.example", {"value": "ekonomi@fjallvind.example"}),
    ({"type": "url_text_input"}, "https://fjallvind.example", {"value": "https://fjallvind.example"}),
    ({"type": "datepicker"}, "2026-12-24", {"selected_date": "2026-12-24"}),
    ({"type": "timepicker"}, "09:30", {"selected_time": "09:30"}),
    ({"type": "datetimepicker"}, 1_800_000_000, {"selected_date_time": 1_800_000_000}),
    ({"type": "static_select", "options": SELECTS}, "red", {"selected_option": option("red")}),
    ({"type": "radio_buttons", "options": SELECTS}, "blue", {"selected_option": option("blue")}),
    ({"type": "multi_static_select", "options": SELECTS}, ["red", "blue"], {"selected_options": SELECTS}),
    ({"type": "checkboxes", "options": SELECTS}, ["blue"], {"selected_options": [option("blue")]}),
    ({"type": "users_select"}, BJORN, {"selected_user": BJORN}),
    ({"type": "multi_users_select"}, [ALICE, BJORN], {"selected_users": [ALICE, BJORN]}),
    ({"type": "channels_select"}, DESIGN, {"selected_channel": DESIGN}),
    ({"type": "multi_channels_select"}, [DESIGN], {"selected_channels": [DESIGN]}),
    ({"type": "conversations_select"}, DESIGN, {"selected_conversation": DESIGN}),
    ({"type": "multi_conversations_select"}, [DESIGN], {"selected_conversations": [DESIGN]}),
    ({"type": "external_select"}, option("green"), {"selected_option": option("green")}),
    ({"type": "multi_external_select"}, [option("green")], {"selected_options": [option("green")]}),
]


@pytest.mark.parametrize(("element", "value", "carried"), ELEMENTS, ids=[each[0]["type"] for each in ELEMENTS])
async def test_every_element_is_filled_in_and_carried_as_slack_carries_it(
    town: Town, element: dict[str, Any], value: Any, carried: dict[str, Any]
) -> None:
    view = await town.modal(ALICE, [field_of(element)])
    answer = await town.control("submit", user=ALICE, view_id=view["id"], values={"b": {"e": value}})
    assert answer["ok"], answer
    submitted = town.app.payloads[-1]
    assert submitted["type"] == "view_submission"
    assert submitted["view"]["state"]["values"]["b"]["e"] == {"type": element["type"], **carried}
    assert town.stack(ALICE) == []


@pytest.mark.parametrize(
    ("element", "value", "said"),
    [
        ({"type": "plain_text_input"}, "", "Please complete this required field."),
        ({"type": "plain_text_input", "min_length": 5}, "four", "Please enter at least 5 characters."),
        ({"type": "plain_text_input", "max_length": 3}, "four", "Please enter 3 characters or fewer."),
        ({"type": "number_input", "is_decimal_allowed": False}, "many", "Please enter a valid number."),
        ({"type": "number_input", "is_decimal_allowed": False}, "2.5", "Please enter a whole number."),
        ({"type": "number_input", "is_decimal_allowed": True, "min_value": "2"}, "1", "Please enter a number that is at least 2."),
        ({"type": "number_input", "is_decimal_allowed": True, "max_value": "9"}, "10", "Please enter a number that is at most 9."),
        ({"type": "email_text_input"}, "me at home", "Please enter a valid email address."),
        ({"type": "url_text_input"}, "javascript:alert(1)", "Please enter a valid URL."),
        ({"type": "multi_users_select", "max_selected_items": 1}, [ALICE, BJORN], "Please select 1 items or fewer."),
        ({"type": "users_select"}, None, "Please complete this required field."),
        ({"type": "multi_users_select"}, [], "Please complete this required field."),
    ],
)  # fmt: skip
async def test_slacks_client_refuses_on_the_field_before_the_app_hears(
    town: Town, element: dict[str, Any], value: Any, said: str
) -> None:
    view = await town.modal(ALICE, [field_of(element)])
    answer = await town.control("submit", user=ALICE, view_id=view["id"], values={"b": {"e": value}})
    assert answer["errors"] == {"b": said}
    assert town.app.payloads == []
    assert town.stack(ALICE)[-1]["errors"] == {"b": said}


async def test_the_client_speaks_the_readers_language(town: Town) -> None:
    view = await town.modal(BJORN, [field_of({"type": "plain_text_input"})])
    answer = await town.control("submit", user=BJORN, view_id=view["id"], values={})
    assert answer["errors"] == {"b": "Fyll i det här fältet."}


async def test_an_optional_field_may_stay_empty(town: Town) -> None:
    view = await town.modal(ALICE, [field_of({"type": "plain_text_input", "min_length": 5}, optional=True)])
    assert (await town.control("submit", user=ALICE, view_id=view["id"], values={}))["ok"]


@pytest.mark.parametrize(
    ("element", "value"),
    [
        ({"type": "static_select", "options": SELECTS}, "green"),
        ({"type": "multi_static_select", "options": SELECTS}, "red"),
        ({"type": "users_select"}, "U0NOBODY0"),
        ({"type": "multi_users_select"}, ["U1ANTON01"]),
        ({"type": "channels_select"}, "C1GENERAL"),
        ({"type": "datepicker"}, "Christmas"),
        ({"type": "plain_text_input"}, {"text": "no"}),
    ],
)
async def test_nobody_can_choose_what_is_not_there(town: Town, element: dict[str, Any], value: Any) -> None:
    view = await town.modal(ALICE, [field_of(element)])
    answer = await town.control("submit", user=ALICE, view_id=view["id"], values={"b": {"e": value}})
    assert answer["status"] == 400
    assert town.app.payloads == []


@pytest.mark.parametrize(
    "element",
    [
        {"type": "number_input"},
        {"type": "number_input", "is_decimal_allowed": True, "min_value": "few"},
        {"type": "plain_text_input", "min_length": 9, "max_length": 3},
        {"type": "plain_text_input", "max_length": 3001},
        {"type": "plain_text_input", "rows": 4},
        {"type": "users_select", "initial_users": [ALICE]},
        {"type": "multi_users_select", "max_selected_items": 0},
        {"type": "external_select", "options": SELECTS},
        {"type": "datepicker", "min_date": "2026-01-01"},
        {"type": "multi_static_select", "options": []},
        {"type": "checkboxes", "options": [option(str(number)) for number in range(11)]},
    ],
    ids=json.dumps,
)
async def test_an_element_that_slack_does_not_know_so_is_refused(town: Town, element: dict[str, Any]) -> None:
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        await town.modal(ALICE, [field_of(element)])


# --- the stack ---


async def test_two_views_can_be_pushed_and_a_third_is_refused(town: Town) -> None:
    view = await town.modal(ALICE, [field_of({"type": "plain_text_input"}, optional=True)])
    pushed = {key: view[key] for key in ("type", "title", "submit", "callback_id", "blocks")}
    for expected in (2, 3):
        town.app.answers.append({"response_action": "push", "view": pushed})
        await town.control("submit", user=ALICE, view_id=town.stack(ALICE)[-1]["id"], values={})
        assert len(town.stack(ALICE)) == expected
    with pytest.raises(SlackApiError, match="push_limit_reached"):
        await town.client.views_push(trigger_id=town.app.payloads[-1]["trigger_id"], view=pushed)
    assert town.stack(ALICE)[2]["previous_view_id"] == town.stack(ALICE)[1]["id"]
    assert {each["root_view_id"] for each in town.stack(ALICE)} == {view["id"]}


@pytest.mark.parametrize(
    ("answer", "left"),
    [({"response_action": "clear"}, 0), ({}, 1), ({"response_action": "errors", "errors": {"b": "No."}}, 2)],
    ids=["clear", "nothing", "errors"],
)
async def test_an_answer_to_a_submission_moves_the_stack(town: Town, answer: dict[str, Any], left: int) -> None:
    view = await town.modal(ALICE, [field_of({"type": "plain_text_input"}, optional=True)])
    pushed = {key: view[key] for key in ("type", "title", "submit", "blocks")}
    town.app.answers += [{"response_action": "push", "view": pushed}, answer]
    for _ in range(2):
        await town.control("submit", user=ALICE, view_id=town.stack(ALICE)[-1]["id"], values={})
    assert len(town.stack(ALICE)) == left


async def test_an_updated_view_keeps_what_was_typed_where_the_ids_stay(town: Town) -> None:
    blocks = [field_of({"type": "plain_text_input"})]
    view = await town.modal(ALICE, blocks)
    town.app.answers.append({"response_action": "update", "view": {**_bare(view), "title": plain("Again")}})
    await town.control("submit", user=ALICE, view_id=view["id"], values={"b": {"e": "typed"}})
    now = town.stack(ALICE)[-1]
    assert now["title"]["text"] == "Again"
    assert now["state"]["values"]["b"]["e"]["value"] == "typed"


def _bare(view: dict[str, Any]) -> dict[str, Any]:
    return {key: view[key] for key in ("type", "title", "submit", "blocks")}


async def test_its_own_button_closes_one_view_and_the_cross_closes_all(town: Town) -> None:
    told = {"notify_on_close": True}
    for everything, left, cleared in ((False, 1, [False]), (True, 0, [True, True])):
        view = await town.modal(ALICE, [field_of({"type": "plain_text_input"}, optional=True)], **told)
        town.app.answers.append({"response_action": "push", "view": {**_bare(view), **told}})
        await town.control("submit", user=ALICE, view_id=view["id"], values={})
        town.app.payloads.clear()
        await town.control("close", user=ALICE, view_id=town.stack(ALICE)[-1]["id"], all=everything)
        assert len(town.stack(ALICE)) == left
        assert [(each["type"], each["is_cleared"]) for each in town.app.payloads] == [
            ("view_closed", each) for each in cleared
        ]


async def test_a_view_that_clears_on_close_takes_the_stack_with_it(town: Town) -> None:
    view = await town.modal(ALICE, [field_of({"type": "plain_text_input"}, optional=True)])
    town.app.answers.append({"response_action": "push", "view": {**_bare(view), "clear_on_close": True}})
    await town.control("submit", user=ALICE, view_id=view["id"], values={})
    await town.control("close", user=ALICE, view_id=town.stack(ALICE)[-1]["id"])
    assert town.stack(ALICE) == []
    assert [each["type"] for each in town.app.payloads] == ["view_submission"]  # nobody asked to be told of closing


# --- an external select asks the app ---

EXTERNAL = field_of({"type": "external_select", "min_query_length": 2})


async def _suggest(town: Town, value: str) -> dict[str, Any]:
    view = town.stack(ALICE)[-1]
    return await town.control("suggest", user=ALICE, view_id=view["id"], action_id="e", block_id="b", value=value)


async def test_an_external_select_asks_the_app_for_what_was_typed(town: Town) -> None:
    await town.modal(ALICE, [EXTERNAL])
    town.app.answers.append({"options": [option("design")]})
    answer = await _suggest(town, "des")
    assert answer["options"] == [option("design")]
    asked = town.app.payloads[-1]
    assert (asked["type"], asked["value"], asked["action_id"], asked["block_id"]) == (
        "block_suggestion",
        "des",
        "e",
        "b",
    )
    assert asked["view"]["id"] == asked["container"]["view_id"]


async def test_it_does_not_ask_before_enough_is_typed(town: Town) -> None:
    await town.modal(ALICE, [EXTERNAL])
    assert (await _suggest(town, "d"))["options"] == []
    assert town.app.payloads == []


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"options": [option(str(number)) for number in range(101)]},
        {"options": [{"text": plain("x" * 76), "value": "x"}]},
    ],
    ids=["neither", "too many", "too long"],
)
async def test_suggestions_that_slack_would_not_show_are_an_error(town: Town, answer: dict[str, Any]) -> None:
    await town.modal(ALICE, [EXTERNAL])
    town.app.answers.append(answer)
    assert (await _suggest(town, "des"))["status"] == 502


async def test_an_external_select_on_a_message_asks_with_the_message(town: Town) -> None:
    element = {"type": "external_select", "action_id": "e", "min_query_length": 0, "placeholder": plain("Team")}
    block = {"type": "actions", "block_id": "b", "elements": [element]}
    sent: Any = await town.client.chat_postMessage(channel=ALICE, text="Which?", blocks=[block])
    town.app.answers.append({"options": [option("design")]})
    where = {"channel": "dm", "message_ts": sent["ts"]}
    answer = await town.control("suggest", user=ALICE, action_id="e", value="", **where)
    assert answer["options"] == [option("design")]
    asked = town.app.payloads[-1]
    assert (asked["container"]["type"], asked["message"]["ts"]) == ("message", sent["ts"])
