"""The first message: to whoever installed Kassör."""

from typing import Any

from bot.views.blocks import Content, actions, button, header, section
from bot.views.links import GO
from bot.views.page import introduction
from bot.words import Words
from domain.desk import Desk
from domain.notices import NoticeKind


def _welcome(t: Words, _: Desk, __: dict[str, Any]) -> Content:
    title = t.plain("Welcome!")
    text = introduction(t)
    first = t(
        "You installed me, so only you have been told. To begin, look at the plans here or write `/upgrade` anywhere; "
        "`/billing help` shows the rest. I can be found under *Apps* in Slack's sidebar."
    )
    row = actions(
        button(t.plain("Show billing"), f"{GO}page", style="primary"),
        button(t.plain("Get help"), f"{GO}help"),
        block_id="welcome",
    )
    return Content(text=f"{title} {text}", blocks=[header(title), section(text), section(first), row])


BUILDERS = {NoticeKind.WELCOME: _welcome}
