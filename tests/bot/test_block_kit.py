"""Never refused by Slack: every builder, at every size, in both languages (4,000 members, 200 teams, 300 invoices, any name)."""

import copy
from typing import Any

import pytest

from bot.listeners import BUTTONS, LINKS, SUBMISSIONS, WHICH
from bot.views.blocks import Content, button, confirm, note, section
from bot.words import Words
from tests.bot.block_kit import problems, walk
from tests.bot.builders import BUILDERS, PARTS, as_view, public_builders
from tests.bot.specimens import ORDINARY, WORST
from tests.bot.test_views import READERS

CASES = [pytest.param(ORDINARY, id="ordinary"), *(pytest.param(case, id=f"worst{n}") for n, case in enumerate(WORST))]


def test_every_builder_is_known_here() -> None:
    missing = public_builders() - BUILDERS.keys() - PARTS.keys()
    assert not missing, f"add an example of each to BUILDERS in tests/bot/builders.py: {sorted(missing)}"
    gone = (BUILDERS.keys() | PARTS.keys()) - public_builders()
    assert not gone, f"no such builder any more, take it out of tests/bot/builders.py: {sorted(gone)}"


@pytest.mark.parametrize("t", READERS)
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("builder", sorted(BUILDERS))
def test_slack_takes_it(t: Words, case: Any, builder: str) -> None:
    for what, shown in BUILDERS[builder](t, case):
        assert problems(shown) == [], what
        assert problems(as_view(t, shown)) == [], what


@pytest.mark.parametrize("builder", sorted(BUILDERS))
def test_every_button_and_form_leads_somewhere(builder: str) -> None:
    t = Words("en-US")
    for _, shown in BUILDERS[builder](t, ORDINARY):
        view = as_view(t, shown)
        for each in walk(view["blocks"]):
            if each.get("type") == "button" and "action_id" in each:
                action = each["action_id"]
                assert action in BUTTONS or LINKS.fullmatch(action) or WHICH.fullmatch(action), action
        if "submit" in view:
            assert view["callback_id"] in SUBMISSIONS


DATE = "<!date^1^{date}|today>"
WRONG: dict[str, Any] = {
    "no fallback": Content(text=" ", blocks=[section("x")]),
    "too many blocks": Content(text="x", blocks=[section("x")] * 51),
    "too much text in all": Content(text="x", blocks=[section("x" * 2_900)] * 4),
    "a section too long": [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3_001}}],
    "an empty section": [section("")],
    "a ping": note("<!channel>"),
    "a button without an id": [{"type": "actions", "elements": [{"type": "button", "text": button("x", "y")["text"]}]}],
    "the same id twice in a row": [{"type": "actions", "elements": [button("x", "y"), button("z", "y")]}],
    "the same block id twice": [section("x") | {"block_id": "a"}, section("y") | {"block_id": "a"}],
    "a value too long": [{"type": "actions", "elements": [button("x", "y", "v" * 2_001)]}],
    "an image nobody can hear": [{"type": "image", "image_url": "https://x.example/a.png", "alt_text": ""}],
    "a date in a button": [{"type": "actions", "elements": [button(DATE, "y")]}],
    "a date cut in two": [section("<!date^1^{date}|24 nov…")],
    "a date that was escaped": [section("&lt;!date^1^{date}|today&gt;")],
    "a date in a question": [
        section(
            "x",
            button("x", "y") | {"confirm": confirm("x", "x", "x", "x") | {"text": {"type": "mrkdwn", "text": DATE}}},
        )
    ],
    "a date nobody could read": Content(text="&lt;!date^1^{date}|today&gt;", blocks=[section("x")]),
    "a link to nowhere": [{"type": "actions", "elements": [button("x", "y", url="javascript:1")]}],
    "markup in a menu": [
        {
            "type": "actions",
            "elements": [
                {
                    "type": "static_select",
                    "action_id": "a",
                    "options": [{"text": {"type": "mrkdwn", "text": "x"}, "value": "x"}],
                }
            ],
        }
    ],
}


@pytest.mark.parametrize("what", sorted(WRONG))
def test_the_checker_sees_what_is_wrong(what: str) -> None:
    assert problems(copy.deepcopy(WRONG[what]))
