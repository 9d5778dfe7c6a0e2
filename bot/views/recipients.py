"""Second recipients of the invoice copies (I6): the modal in which the owner chooses them, and what each of them is told."""

from collections.abc import Iterable, Sequence
from typing import Any

from bot.views.blocks import Content, Json, actions, button, confirm, context, cut, field_of, modal, note, section
from bot.views.doors import support_button
from bot.views.links import GO
from bot.words import Raw, Words, mention
from domain.actions.recipients import MOST
from domain.desk import Desk
from domain.notices import NoticeKind
from domain.records import CopyRecipient, Member, Subscription

Facts = dict[str, Any]
SUBMIT = "kassor.copies.submit"
PICKER = "kassor.copies.members"
STOP = "kassor.copies.stop"  # value: the recipient's row


def form(t: Words, subscription: Subscription, *, scope: str, owner: Member, picked: Sequence[str]) -> Json:
    """Those who get copies now, and those just named, to be changed. `picked` are Slack user ids."""
    picker: Json = {"type": "multi_users_select", "action_id": PICKER, "max_selected_items": MOST}
    if picked:
        picker["initial_users"] = list(picked)[:MOST]
    who = mention(owner.slack_user_id)
    blocks = [
        section(
            t("*Copies of the invoices of {scope}*\n{who} is billing owner and always gets them.", scope=scope, who=who)
        ),
        field_of("members", t.plain("Others who get a copy"), picker) | {"optional": True},
        context(
            t(
                "From the next invoice on, each of them gets the invoice with its PDF as a direct message, and can view it and pay "
                "it on Stripe's page. They can't change anything, and can stop the copies whenever they like."
            )
        ),
        actions(support_button(t, "copies"), block_id="foot"),
    ]
    return modal(
        t.plain("Copies of invoices"),
        blocks,
        close=t.plain("Cancel"),
        submit=t.plain("Save"),
        callback_id=SUBMIT,
        private_metadata=subscription.id,
    )


def saved(t: Words, *, added: Sequence[Member], removed: Sequence[Member]) -> Content:
    """What came of it."""
    lines = []
    if added:
        lines.append(t("Get copies from the next invoice on: {names}. They have been told.", names=_mentions(added)))
    if removed:
        lines.append(t("Get no more copies: {names}. They have been told.", names=_mentions(removed)))
    text = "\n".join(lines) or t("All right, nothing was changed.")
    return note(f":white_check_mark: {text}" if lines else text, title=t.plain("Copies of invoices"))


def mine(t: Words, rows: Sequence[CopyRecipient]) -> Content:
    """What a recipient gets copies of, and the way to stop each."""
    title = t.plain("Copies of invoices")
    blocks = [
        section(
            t(
                "You get copies of the invoices of *{scope}*, whose billing owner is {who}.",
                scope=cut(row.subscription.scope.name, 100),  # all the text of a message counts together
                who=mention(row.subscription.owner.slack_user_id),
            ),
            stop_button(t, row.id),
        )
        for row in rows[:20]
    ]
    return Content(text=title, blocks=blocks, title=title)


def stopped(t: Words, *, scope: str) -> Content:
    """What stands where the button was."""
    text = t("You get no more copies of the invoices of *{scope}*. The billing owner is told.", scope=scope)
    return note(f":white_check_mark: {text}")


def stop_button(t: Words, recipient: object) -> Json:
    """The way out for a recipient, asked once more first."""
    stop = button(t.plain("Stop these copies"), STOP, str(recipient))
    stop["confirm"] = confirm(
        t.plain("Stop these copies?"),
        t("No more invoices come to you, and the billing owner is told. They can let you have copies again."),
        t.plain("Stop the copies"),
        t.plain("Keep them"),
    )
    return stop


def whence(t: Words, scope: str, told: Facts) -> Json:
    """At the foot of a recipient's copy: that it is one, and from whom."""
    return context(
        t(
            "This is a copy for you: {who} has chosen that you get one of every invoice of {scope}.",
            who=mention(told["recipient_of"]),
            scope=scope,
        )
    )


def names(user_ids: Iterable[str]) -> Raw:
    """People by their Slack user ids, as Slack shows them."""
    return Raw(", ".join(mention(user_id) for user_id in user_ids))


def _mentions(members: Sequence[Member]) -> Raw:
    return names(member.slack_user_id for member in members)


def _begun(t: Words, _: Desk, told: Facts) -> Content:
    text = t(
        "{who}, billing owner of *{scope}*, has chosen that you get a copy of every invoice. From the next one on it comes to you "
        "here, with its PDF.",
        who=mention(told["owner"]),
        scope=told["scope"],
    )
    return note(text, actions(stop_button(t, told["recipient"]), block_id="copies"))


def _over(t: Words, _: Desk, told: Facts) -> Content:
    return note(
        t(
            "You get no more copies of the invoices of *{scope}*: {who} changed that.",
            scope=told["scope"],
            who=mention(told["owner"]),
        )
    )


def _gone(t: Words, _: Desk, told: Facts) -> Content:
    who, scope = mention(told["member"]), told["scope"]
    text = (
        t(
            "{who} is no longer active in Slack and gets no more copies of the invoices of *{scope}*.",
            who=who,
            scope=scope,
        )
        if told["left"]
        else t("{who} wants no more copies of the invoices of *{scope}*, and gets none.", who=who, scope=scope)
    )
    choose = button(t.plain("Choose who gets copies"), f"{GO}copies", told["subscription"])
    return note(text, actions(choose, block_id="copies"))


BUILDERS = {
    NoticeKind.COPIES_BEGUN: _begun,
    NoticeKind.COPIES_OVER: _over,
    NoticeKind.RECIPIENT_GONE: _gone,
}
