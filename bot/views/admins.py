"""Admins (R28): the modal in which the owner chooses them, and what a new and a former one are told."""

from collections.abc import Sequence
from typing import Any

from bot.views.blocks import Content, Json, context, field_of, modal, note, section
from bot.words import Raw, Words, escape, mention
from domain.desk import Desk
from domain.notices import NoticeKind
from domain.records import Member, Subscription

Facts = dict[str, Any]
SUBMIT = "kassor.admins.submit"
PICKER = "kassor.admins.members"
MOST = 100  # in the menu; more stay as they are


def form(t: Words, subscription: Subscription, *, scope: str, owner: Member, admins: Sequence[Member]) -> Json:
    """The admins as they are, to be changed. The owner always is one and isn't in the menu; who isn't active is only named."""
    active = [admin for admin in admins if admin.is_active]
    resting = [admin for admin in admins if not admin.is_active]
    picker: Json = {"type": "multi_users_select", "action_id": PICKER, "max_selected_items": max(MOST, len(active))}
    if active:
        picker["initial_users"] = [admin.slack_user_id for admin in active]
    who = mention(owner.slack_user_id)
    blocks = [
        section(t("*Admins of {scope}*\n{who} is billing owner, and so always admin.", scope=scope, who=who)),
        field_of("members", t.plain("Other admins"), picker) | {"optional": True},
        context(
            t(
                "An admin sees who the billing owner is, hears when the owner can't be reached or an invoice isn't paid, and can "
                "take over billing if the owner leaves Slack. An admin doesn't see money and can't change the subscription."
            )
        ),
    ]
    if resting:
        names = Raw(", ".join(escape(admin.name) for admin in resting[:20]))
        blocks.append(context(t("Also admin, but not active in Slack now: {names}.", names=names)))
    return modal(
        t.plain("Admins"),
        blocks,
        close=t.plain("Cancel"),
        submit=t.plain("Save"),
        callback_id=SUBMIT,
        private_metadata=subscription.id,
    )


def saved(t: Words, *, appointed: Sequence[Member], removed: Sequence[Member]) -> Content:
    """What came of it."""
    lines = []
    if appointed:
        lines.append(t("New admins: {names}. They have been told.", names=_names(appointed)))
    if removed:
        lines.append(t("No longer admins: {names}. They have been told.", names=_names(removed)))
    text = "\n".join(lines) or t("All right, nothing was changed.")
    return note(f":white_check_mark: {text}" if lines else text, title=t.plain("Admins"))


def _names(members: Sequence[Member]) -> Raw:
    shown = ", ".join(mention(member.slack_user_id) for member in members[:MOST])
    return Raw(shown if len(members) <= MOST else f"{shown} …")


def _appointed(t: Words, _: Desk, told: Facts) -> Content:
    return note(
        t("{who} has made you admin of *{scope}*.", who=mention(told["owner"]), scope=told["scope"])
        + " "
        + t(
            "You hear when the billing owner can't be reached or an invoice isn't paid, and can take over billing if they leave "
            "Slack. Money matters stay theirs."
        )
    )


def _removed(t: Words, _: Desk, told: Facts) -> Content:
    return note(
        t("You are no longer admin of *{scope}*: {who} changed that.", scope=told["scope"], who=mention(told["owner"]))
    )


BUILDERS = {NoticeKind.ADMIN_APPOINTED: _appointed, NoticeKind.ADMIN_REMOVED: _removed}
