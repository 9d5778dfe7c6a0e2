"""What people are told about what time and people brought about (`domain.upkeep`): one builder a kind, facts in, message out."""

from typing import Any

from bot.views.blocks import Content, Json, actions, button, confirm, section
from bot.views.page import GO
from bot.views.terms import plan_name
from bot.words import Words, mention
from domain.desk import Desk
from domain.notices import NoticeKind

Facts = dict[str, Any]
GROW = "kassor.seats.grow"  # value: subscription:size


def _said(text: str, *more: Json) -> Content:
    return Content(text=text, blocks=[section(text), *more])


def _owner_gone(t: Words, _: Desk, told: Facts) -> Content:
    text = t(
        "{owner}, billing owner of *{scope}*, is no longer active in Slack. Nobody can change the subscription until somebody "
        "takes over billing; it renews as before meanwhile.",
        owner=mention(told["owner"]),
        scope=told["scope"],
    )
    take = button(t.plain("Take over billing"), f"{GO}claim", told["subscription"], style="primary")
    return _said(f":warning: {text}", actions(take, block_id="claim"))


def _outgrown(t: Words, _: Desk, told: Facts) -> Content:
    text = t(
        "*{scope}* has {members} members and {seats} seats. Nothing is added by itself: you decide.",
        scope=told["scope"],
        members=t.number(told["members"]),
        seats=t.number(told["seats"]),
    )
    key = told["subscription"]
    if told.get("through_sales"):
        row = [button(t.plain("Contact sales"), f"{GO}sales", f"adjust:{key}", style="primary")]
    else:
        words = t.plain("Change to {size} seats", size=t.number(told["size"]))
        row = [
            button(words, GROW, f"{key}:{told['size']}", style="primary"),
            button(t.plain("Choose another size"), f"{GO}seats", key),
        ]
    return _said(f":busts_in_silhouette: {text}", actions(*row, block_id="grow"))


def _team_gone(t: Words, _: Desk, told: Facts) -> Content:
    text = t(
        "I can no longer see the group or channel of *{scope}*: it was disabled, archived or closed to me. The subscription goes "
        "on with the members it had. Bring it back, or cancel if it isn't needed any more.",
        scope=told["scope"],
    )
    if told.get("through_sales"):
        leave = button(t.plain("Contact sales"), f"{GO}sales", f"cancel:{told['subscription']}")
    else:
        leave = button(t.plain("Cancel subscription"), f"{GO}cancel", told["subscription"])
        leave["confirm"] = confirm(
            t.plain("Cancel the subscription?"),
            t("Everything works until the paid period ends. Nothing is deleted."),
            t.plain("Cancel subscription"),
            t.plain("Keep it"),
        )
    return _said(f":information_source: {text}", actions(leave, block_id="team"))


def _decrease_stopped(t: Words, _: Desk, told: Facts) -> Content:
    text = t(
        "*{scope}* was to have {wanted} seats from {day}, but {members} members need one. It stays at {seats} seats.",
        scope=told["scope"],
        wanted=t.number(told["wanted"]),
        day=t.iso_day(told["at"]),
        members=t.number(told["members"]),
        seats=t.number(told["seats"]),
    )
    again = button(t.plain("Change seats"), f"{GO}seats", told["subscription"])
    return _said(f":information_source: {text}", actions(again, block_id="seats"))


def _grace_over(t: Words, desk: Desk, told: Facts) -> Content:
    text = t(
        "The invoice for *{scope}* was never paid, so the subscription has ended and everybody is on {plan}. Nothing is deleted: "
        "upgrade again, and all is as before.",
        scope=told["scope"],
        plan=desk.catalogue.free.name,
    )
    again = button(t.plain("Upgrade again"), f"{GO}upgrade", style="primary")
    return _said(f":warning: {text}", actions(again, block_id="again"))


def _absorbed(t: Words, desk: Desk, told: Facts) -> Content:
    text = t(
        "All of {organisation} has {plan} now, so the plan of its own that *{scope}* had has ended.",
        organisation=told["organisation"],
        plan=plan_name(desk, told["plan"]),
        scope=told["scope"],
    )
    if told.get("credit"):
        money = t.money(told["credit"], told["currency"])
        if told.get("moved", True):
            credit = t(
                "{money} for unused time is taken off the next invoice of {organisation}.",
                money=money,
                organisation=told["organisation"],
            )
        else:
            credit = t(
                "{money} for unused time stays as credit for {scope}: {organisation} pays in another currency.",
                money=money,
                scope=told["scope"],
                organisation=told["organisation"],
            )
        text += f" {credit}"
    return _said(text)


BUILDERS = {
    NoticeKind.OWNER_GONE: _owner_gone,
    NoticeKind.TEAM_GONE: _team_gone,
    NoticeKind.OUTGROWN: _outgrown,
    NoticeKind.DECREASE_STOPPED: _decrease_stopped,
    NoticeKind.GRACE_OVER: _grace_over,
    NoticeKind.ABSORBED: _absorbed,
}
