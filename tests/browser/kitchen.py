"""Every block and element of Block Kit that the page draws, in one message and one modal: to look at, and to check with axe."""

from typing import Any

from tests.sandbox.slack.town import ALICE, field_of, option, plain

Block = dict[str, Any]


def md(text: str) -> dict[str, Any]:
    """A text object in Slack's markup."""
    return {"type": "mrkdwn", "text": text}


def text(what: str, **style: bool) -> dict[str, Any]:
    """A piece of rich text."""
    return {"type": "text", "text": what, **({"style": style} if style else {})}


CONFIRM = {"title": plain("Sure?"), "text": plain("It costs"), "confirm": plain("Pay"), "deny": plain("Wait")}
OPTIONS = [option("red"), option("green"), option("blue")]


def message(base: str) -> list[Block]:
    """What a message can hold; `base`: where the sandbox serves its own pictures."""
    picture = f"{base}/static/icon.svg"
    return [
        {"type": "header", "text": plain("Everything :tada:")},
        {
            "type": "section",
            "text": md("*Bold*, _italic_, ~struck~, `code`, <https://example.com|a link>, <@U0BJORN02>, <#C0GENERAL>"),
            "accessory": {"type": "button", "action_id": "a1", "text": plain("Press")},
        },
        {"type": "section", "fields": [md("*Plan*\nPremium"), md("*Seats*\n20"), md("*Next*\n25 November")]},
        {
            "type": "section",
            "text": md("&gt; A quote\n```and a block of code```"),
            "accessory": {"type": "image", "image_url": picture, "alt_text": "Kassör's till"},
        },
        {"type": "divider"},
        {
            "type": "actions",
            "block_id": "acts",
            "elements": [
                {
                    "type": "button",
                    "action_id": "b1",
                    "text": plain("Pay 10 kr"),
                    "style": "primary",
                    "confirm": CONFIRM,
                },
                {"type": "button", "action_id": "b2", "text": plain("End it"), "style": "danger"},
                {"type": "static_select", "action_id": "b3", "placeholder": plain("A colour"), "options": OPTIONS},
                {"type": "datepicker", "action_id": "b4"},
                {"type": "overflow", "action_id": "b5", "options": OPTIONS},
            ],
        },
        {
            "type": "rich_text",
            "elements": [
                {
                    "type": "rich_text_section",
                    "elements": [
                        text("Rich "),
                        text("bold", bold=True),
                        text(" and "),
                        {"type": "user", "user_id": ALICE},
                        {"type": "emoji", "name": "wave"},
                    ],
                },
                {
                    "type": "rich_text_list",
                    "style": "ordered",
                    "elements": [
                        {"type": "rich_text_section", "elements": [text(each)]} for each in ("First", "Second")
                    ],
                },
                {"type": "rich_text_quote", "elements": [text("Quoted")]},
                {"type": "rich_text_preformatted", "elements": [text("preformatted")]},
            ],
        },
        {
            "type": "table",
            "rows": [
                [{"type": "raw_text", "text": cell} for cell in row]
                for row in (("Invoice", "Sum"), ("K-0001", "25 000,00 kr"), ("K-0002", "1 234,00 kr"))
            ],
        },
        {"type": "image", "image_url": picture, "alt_text": "A till", "title": plain("The till")},
        {
            "type": "context",
            "elements": [{"type": "image", "image_url": picture, "alt_text": "A till"}, md("Only a *context*")],
        },
    ]


def fields() -> list[Block]:
    """Every element of a modal, each in a block of its own."""
    elements: list[Block] = [
        {"type": "plain_text_input", "placeholder": plain("Write something")},
        {"type": "plain_text_input", "multiline": True},
        {"type": "number_input", "is_decimal_allowed": False},
        {"type": "email_text_input"},
        {"type": "url_text_input"},
        {"type": "datepicker", "initial_date": "2026-12-24"},
        {"type": "timepicker"},
        {"type": "datetimepicker"},
        {"type": "radio_buttons", "options": OPTIONS, "initial_option": OPTIONS[1]},
        {"type": "checkboxes", "options": OPTIONS},
        {"type": "static_select", "options": OPTIONS},
        {"type": "multi_static_select", "options": OPTIONS, "initial_options": OPTIONS[:2]},
        {"type": "external_select", "min_query_length": 2},
        {"type": "multi_external_select", "min_query_length": 2},
        {"type": "users_select"},
        {"type": "multi_users_select"},
        {"type": "channels_select"},
        {"type": "multi_channels_select"},
        {"type": "conversations_select"},
        {"type": "multi_conversations_select"},
    ]
    made = [field_of(element, optional=True) for element in elements]
    for number, (block, element) in enumerate(zip(made, elements, strict=True)):
        block["block_id"] = f"f{number}"
        block["label"] = plain(element["type"].replace("_", " ").capitalize())
    return made
