"""What people are told: one builder a kind of notice, facts in, message out. Facts are listed with `domain.notices.NoticeKind`."""

from collections.abc import Callable
from typing import Any

from bot.views import admins, recipients, upkeep_notices, welcome
from bot.views.blocks import Content, Json, actions, button, context, header, section
from bot.views.page import GO
from bot.views.refusals import refusal_text
from bot.views.terms import plan_name, terms_line
from bot.words import Raw, Words, escape, mention
from domain.desk import Desk
from domain.notices import NoticeKind
from domain.records import AuditEntry
from domain.rules.refusals import Refusal

Facts = dict[str, Any]
Builder = Callable[[Words, Desk, Facts], Content]


def message(t: Words, desk: Desk, kind: str, told: Facts) -> Content:
    """The message of a notice. Kinds that show a record have builders of their own (`copies`, `decisions`, audit below)."""
    return _BUILDERS[NoticeKind(kind)](t, desk, told)


def _terms(t: Words, desk: Desk, told: Facts) -> Raw:
    return Raw(terms_line(t, desk, told.get("plan"), told.get("interval"), told.get("seats")))


def _said(text: str, *more: Json, title: str | None = None) -> Content:
    blocks = [header(title)] if title else []
    return Content(text=f"{title}. {text}" if title else text, blocks=[*blocks, section(text), *more])


def _upgraded(t: Words, desk: Desk, told: Facts) -> Content:
    title = t.plain("{scope} has {plan} now", scope=told["scope"], plan=plan_name(desk, told["plan"]))
    text = t("Thank you! You have {terms}.", terms=_terms(t, desk, told))
    if told["owner"] == told["requester"]:
        text += " " + t("You are billing owner: the invoices come to you.")
        return _said(text, _owner_row(t, told), title=title)
    text += " " + t("{who} is billing owner and gets the invoices.", who=mention(told["owner"]))
    return _said(text, title=title)


def _became_owner(t: Words, desk: Desk, told: Facts) -> Content:
    by = str(told.get("by") or told.get("requester"))
    title = t.plain("You are billing owner of {scope}", scope=told["scope"])
    if by == told["owner"]:
        text = t("You have taken over billing. You have {terms}.", terms=_terms(t, desk, told))
    else:
        text = t("{who} has made you billing owner. You have {terms}.", who=mention(by), terms=_terms(t, desk, told))
    can = t(
        "From now on only you can change plan and seats, update billing information, see invoices and hand billing over. "
        "A copy of the invoice comes to you here every period. You are admin too."
    )
    if told.get("recipients"):
        can += "\n" + t("These get copies of the invoices too: {names}.", names=recipients.names(told["recipients"]))
    return _said(f"{text}\n{can}", _owner_row(t, told), title=title)


def _owner_row(t: Words, told: Facts) -> Json:
    key = told["subscription"]
    return actions(
        button(t.plain("Change seats"), f"{GO}seats", key),
        button(t.plain("Show latest invoice"), f"{GO}invoice", key),
        button(t.plain("Hand over billing"), f"{GO}owner", key),
        button(t.plain("Choose admins"), f"{GO}admins", key),
        button(t.plain("Choose who gets copies"), f"{GO}copies", key),
        block_id="owner_row",
    )


def _handed_over(t: Words, _: Desk, told: Facts) -> Content:
    return _said(
        t(
            "You have handed billing of *{scope}* over to {who}. You are still admin, but money matters are theirs now.",
            scope=told["scope"],
            who=mention(told["owner"]),
        )
        if told.get("by") == told.get("former")
        else t(
            "{by} has taken over the billing of *{scope}*. {who} is billing owner now.",
            by=mention(told.get("by") or ""),
            scope=told["scope"],
            who=mention(told["owner"]),
        )
    )


def _changed(t: Words, desk: Desk, told: Facts) -> Content:
    before = told.get("before") or {}
    old = terms_line(t, desk, before.get("plan"), before.get("interval"), before.get("seats"))
    new = terms_line(t, desk, told["plan"], told["interval"], told["seats"])
    return _said(
        ":white_check_mark: " + t("*{scope}* has changed:", scope=told["scope"]) + f"\n{old} → *{new}*",
        context(t("The invoice is under `/billing invoices`.")),
    )


def _scheduled(t: Words, desk: Desk, told: Facts) -> Content:
    after = told.get("next") or {}
    terms = terms_line(t, desk, after.get("plan"), after.get("interval"), after.get("seats"))
    return _said(
        ":calendar: "
        + t("From {day}, *{scope}* has {terms}. Until then nothing changes.", day=t.iso_day(told["at"]), scope=told["scope"],
            terms=Raw(terms))
    )  # fmt: skip


def _failed(t: Words, desk: Desk, told: Facts) -> Content:
    if told.get("refusal") == "paid_twice":
        return _said(
            t("*{scope}* was paid twice at the same moment. The second payment is on its way back to you.",
              scope=(told.get("facts") or {}).get("scope") or "")
        )  # fmt: skip
    if told.get("refusal") == "covered":
        about = told.get("facts") or {}
        return _said(
            t(
                "All of {organisation} has {plan} now, so *{scope}* needs no plan of its own. What you just paid is on its way "
                "back to you.",
                organisation=about.get("organisation") or "",
                plan=plan_name(desk, about.get("plan")),
                scope=about.get("scope") or "",
            )
        )
    try:
        why = refusal_text(Refusal.from_json(told), t, desk)
    except (KeyError, TypeError):
        why = t("That can't be done here. Nothing was changed; support can help.")
    return _said(":warning: " + t("*The change you confirmed was not made.*") + f"\n{why}")


def _checkout_ready(t: Words, desk: Desk, told: Facts) -> Content:
    text = t("{plan} for *{scope}* is ready to be paid.", plan=plan_name(desk, told["plan"]), scope=told["scope"])
    row = actions(
        button(t.plain("Go to payment"), "kassor.checkout.open", style="primary", url=told["url"]), block_id="pay"
    )
    return _said(text, row)


def _checkout_expired(t: Words, desk: Desk, told: Facts) -> Content:
    text = t(
        "The payment page for {plan} ({scope}) has closed, and nothing was charged. Start again whenever you like.",
        plan=plan_name(desk, told["plan"]),
        scope=told["scope"],
    )
    return _said(text, actions(button(t.plain("Upgrade"), f"{GO}upgrade", style="primary"), block_id="again"))


def _owner_replaced(t: Words, _: Desk, told: Facts) -> Content:
    return _said(
        t(
            "{appointed} could no longer be billing owner of *{scope}* when it was paid. {owner} is billing owner instead.",
            appointed=mention(told["appointed"]),
            scope=told["scope"],
            owner=mention(told["owner"]),
        )
    )


def _cancel_scheduled(t: Words, _: Desk, told: Facts) -> Content:
    text = t(
        "*{scope}* is cancelled. Everything works until {day}; then everybody is on the free plan. Nothing is deleted.",
        scope=told["scope"],
        day=t.iso_day(told["until"]),
    )
    row = actions(button(t.plain("Keep the subscription"), f"{GO}resume", told["subscription"]), block_id="stay")
    return _said(text, row)


def _resumed(t: Words, desk: Desk, told: Facts) -> Content:
    return _said(
        t("*{scope}* goes on: {terms}. It renews as before.", scope=told["scope"], terms=_terms(t, desk, told))
    )


def _ended(t: Words, _: Desk, told: Facts) -> Content:
    text = t(
        "The subscription of *{scope}* has ended. Everybody is on the free plan, and nothing is deleted.",
        scope=told["scope"],
    )
    if told.get("overdue"):
        text += " " + t("Nothing is owed for it.")
    return _said(text, actions(button(t.plain("Upgrade again"), f"{GO}upgrade"), block_id="again"))


def _trial_ending(t: Words, desk: Desk, told: Facts) -> Content:
    text = t(
        "The free trial of {plan} for *{scope}* ends on {day}. Then {money} is charged. Cancel before if you don't want to go on.",
        plan=plan_name(desk, told["plan"]),
        scope=told["scope"],
        day=t.iso_day(told["at"]),
        money=t.money(told["amount"], told["currency"]),
    )
    return _said(
        text, actions(button(t.plain("Cancel the trial"), f"{GO}cancel", told["subscription"]), block_id="stay")
    )


def _payment_failed(t: Words, _: Desk, told: Facts) -> Content:
    """What is unpaid, until when everything works, and the button that mends it first (M5)."""
    scope = told["scope"]
    if told.get("by_hand"):
        what = t("*The invoice for {scope} is overdue.*", scope=scope)
        how = t("Pay it, and all is well.")
    elif told.get("needs_action"):
        what = t("*The bank wants you to approve the payment for {scope}.*", scope=scope)
        how = t("Approve it on Stripe's page, and all is well.")
    elif told.get("still"):
        what = t("*The payment for {scope} is still missing.*", scope=scope)
        how = t("Change payment method, and it is tried again at once.")
    elif told.get("again"):
        what = t("*The new payment method for {scope} was declined too.*", scope=scope)
        how = t("Choose another one, and it is tried at once.")
    else:
        what = t("*The payment for {scope} didn't go through.*", scope=scope)
        how = t("Change payment method, and it is tried again at once.")
    parts = [what]
    if told.get("amount"):
        parts.append(t("{money} is to be paid.", money=t.money(told["amount"], told["currency"])))
    if told.get("until"):
        parts.append(
            t("Everything keeps working until {day}; then everybody is on the free plan.", day=t.iso_day(told["until"]))
        )
    return _said(f":warning: {' '.join([*parts, how])}", actions(*_mending(t, told), block_id="mend"))


def _mending(t: Words, told: Facts) -> list[Json]:
    """The buttons that mend an unpaid invoice, the likeliest first."""
    url, by_hand, asks = told.get("url"), told.get("by_hand"), told.get("needs_action")
    words = t.plain("Approve the payment") if asks else t.plain("Pay the invoice")
    style = "primary" if by_hand or asks else None
    pay = [button(words, "kassor.invoice.open", style=style, url=url)] if url else []
    if by_hand:
        return pay or [button(t.plain("Show latest invoice"), f"{GO}invoice", told["subscription"], style="primary")]
    change = button(
        t.plain("Change payment method"), f"{GO}payment", told["subscription"], style=None if asks else "primary"
    )
    return [*pay, change] if asks else [change, *pay]


def _needs_action(t: Words, _: Desk, told: Facts) -> Content:
    text = t(
        "*The bank wants you to approve {money} for {scope}.* Nothing is paid until you have.",
        money=t.money(told["amount"], told["currency"]),
        scope=told["scope"],
    )
    row = actions(
        button(t.plain("Approve the payment"), "kassor.invoice.open", style="primary", url=told["url"]), block_id="mend"
    )
    return _said(f":warning: {text}", row)


def _mended(t: Words, _: Desk, told: Facts) -> Content:
    return _said(":white_check_mark: " + t("The invoice for *{scope}* is paid. Thank you!", scope=told["scope"]))


def _method_changed(t: Words, _: Desk, told: Facts) -> Content:
    return _said(":white_check_mark: " + t("From now on it is paid with {label}.", label=told["label"]))


def _unreachable(t: Words, _: Desk, told: Facts) -> Content:
    return _said(
        t(
            "{owner}, billing owner of *{scope}*, can't be reached in Slack, so an invoice is waiting for them. "
            "If they have left, an admin can take over billing in the App Home.",
            owner=mention(told["owner"]),
            scope=told["scope"],
        )
    )


_BUILDERS: dict[NoticeKind, Builder] = {
    NoticeKind.UPGRADED: _upgraded,
    NoticeKind.BECAME_OWNER: _became_owner,
    NoticeKind.HANDED_OVER: _handed_over,
    NoticeKind.SEATS_CHANGED: _changed,
    NoticeKind.PLAN_CHANGED: _changed,
    NoticeKind.CHANGE_SCHEDULED: _scheduled,
    NoticeKind.CHANGE_FAILED: _failed,
    NoticeKind.CHECKOUT_READY: _checkout_ready,
    NoticeKind.CHECKOUT_EXPIRED: _checkout_expired,
    NoticeKind.OWNER_REPLACED: _owner_replaced,
    NoticeKind.CANCEL_SCHEDULED: _cancel_scheduled,
    NoticeKind.RESUMED: _resumed,
    NoticeKind.ENDED: _ended,
    NoticeKind.TRIAL_ENDING: _trial_ending,
    NoticeKind.PAYMENT_FAILED: _payment_failed,
    NoticeKind.PAYMENT_NEEDS_ACTION: _needs_action,
    NoticeKind.PAYMENT_MENDED: _mended,
    NoticeKind.PAYMENT_METHOD_CHANGED: _method_changed,
    NoticeKind.OWNER_UNREACHABLE: _unreachable,
    **upkeep_notices.BUILDERS,
    **admins.BUILDERS,
    **recipients.BUILDERS,
    **welcome.BUILDERS,
}


def audit_line(t: Words, desk: Desk, entry: AuditEntry, *, actor: str | None, scope: str) -> Content:
    """One line in the audit channel: who, what, before → after, reference. Never an amount (manners: no prices in a channel)."""
    who = mention(actor) if actor else ("Stripe" if entry.source == "stripe" else "Kassör")
    verbs = {
        "upgraded": t("upgraded"),
        "handed_over": t("handed over billing"),
        "claimed": t("took over billing"),
        "owner_gone": t("noticed that the billing owner is no longer active"),
        "owner_back": t("noticed that the billing owner is back"),
        "nobody_can_claim": t("found nobody who could take over billing"),
        "team_gone": t("noticed that the team's group or channel is gone"),
        "decrease_stopped": t("stopped a decrease to too few seats"),
        "seats_changed": t("changed seats"),
        "plan_changed": t("changed the plan"),
        "change_scheduled": t("arranged a change at renewal"),
        "cancel_scheduled": t("cancelled the subscription"),
        "resumed": t("kept the subscription after all"),
        "ended": t("ended the subscription"),
        "grace_over": t("ended a subscription that was never paid"),
        "absorbed": t("took a team's plan up in the organisation's"),
        "payment_failed": t("could not take a payment"),
        "payment_mended": t("took a payment that had failed"),
        "payment_method_changed": t("changed the payment method"),
        "admin_appointed": t("appointed an admin"),
        "admin_removed": t("removed an admin"),
        "recipient_added": t("let somebody get copies of the invoices"),
        "recipient_removed": t("ended somebody's copies of the invoices"),
        "second_subscription_undone": t("undid a second payment"),
        "sales_asked": t("asked sales"),
        "request_approved": t("approved a request"),
        "request_declined": t("declined a request"),
        "request_failed": t("could not carry out an approved request"),
        "support_answered": t("answered a question to support"),
    }
    change = " → ".join(part for part in (_state(t, desk, entry.before), _state(t, desk, entry.after)) if part)
    reference = f"`{entry.reference}`" if entry.reference else ""
    parts = (f"{who} {verbs.get(entry.verb, entry.verb)}", f"*{escape(scope)}*", change, reference)
    text = " · ".join(part for part in parts if part)
    return Content(text=text, blocks=[context(text)])


def _state(t: Words, desk: Desk, value: Any) -> str:
    if not isinstance(value, dict):
        return ""
    parts = []
    if value.get("plan"):
        parts.append(terms_line(t, desk, value["plan"], value.get("interval"), value.get("seats")))
    parts += [mention(value[name]) for name in ("owner", "admin", "recipient") if value.get(name)]
    if value.get("type"):
        parts.append(escape(str(value["type"])))
    return ", ".join(parts)
