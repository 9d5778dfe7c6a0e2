"""How Kassör says no: what, why, what next, and who can (the words of every refusal, in one place)."""

from collections.abc import Callable
from typing import Any

from bot.views.blocks import Json, actions, button, confirm
from bot.views.links import GO
from bot.words import Raw, Words, link, mention
from domain.desk import Desk
from domain.rules import refusals as no

ELSEWHERE = "kassor.elsewhere.cancel"  # value: the subscription of the other workspace


def refusal_text(refusal: no.Refusal, t: Words, desk: Desk) -> str:
    """The refusal in the reader's language, as Slack's mrkdwn."""
    say = _SAYINGS.get(type(refusal))
    if say is None:
        return t("That can't be done here. Nothing was changed; support can help.")
    return say(refusal, t, desk)


def way_out(refusal: no.Refusal, t: Words) -> list[Json]:
    """What can be done about it, one click away; nothing for a refusal whose words say it all."""
    lead = _WAYS_OUT.get(type(refusal))
    found = lead(refusal, t) if lead else []
    return [actions(*found, block_id="way_out")] if found else []


def _cancel_elsewhere(refusal: no.LiveElsewhere, t: Words) -> list[Json]:
    """R10: the wrong one can be cancelled from here; then upgrading goes on."""
    leave = button(
        t.plain("Cancel the plan of {name}", name=refusal.elsewhere),
        ELSEWHERE,
        refusal.elsewhere_subscription,
        style="danger",
    )
    leave["confirm"] = confirm(
        t.plain("Cancel the other plan?"),
        t("It keeps working until its paid period ends, and is not renewed. Nothing is deleted."),
        t.plain("Cancel it"),
        t.plain("Keep it"),
    )
    return [leave]


def _choose(refusal: no.SeveralSubscriptions, t: Words) -> list[Json]:
    return [
        button(t.plain("Choose {name}", name=name), f"kassor.which.{number}", f"{key}|menu|")
        for number, (key, name) in enumerate(zip(refusal.subscriptions, refusal.scopes, strict=True))
    ][:25]


def _to_the_page(_: no.Refusal, t: Words) -> list[Json]:
    return [button(t.plain("Show billing"), f"{GO}page")]


def _not_owner(refusal: no.NotOwner, t: Words, _: Desk) -> str:
    who = mention(refusal.owner)
    asked = {
        "seats": t("Only the billing owner, {who}, can change seats.", who=who),
        "plan": t("Only the billing owner, {who}, can change the plan.", who=who),
        "owner": t("Only the billing owner, {who}, can hand over billing.", who=who),
        "cancel": t("Only the billing owner, {who}, can cancel the subscription.", who=who),
        "resume": t("Only the billing owner, {who}, can keep the subscription.", who=who),
        "usage": t("Only the billing owner, {who}, can see seat usage.", who=who),
        "invoices": t("Only the billing owner, {who}, can see invoices.", who=who),
        "billing_information": t("Only the billing owner, {who}, can update billing information.", who=who),
        "admins": t("Only the billing owner, {who}, can appoint admins.", who=who),
        "claim": t("{who} is billing owner and still here.", who=who),
    }.get(refusal.asked, t("Only the billing owner, {who}, can do that.", who=who))
    return f"{asked} " + t("Nothing was changed; ask {who}.", who=who)


def _actor(refusal: no.ActorNotEligible, t: Words, _: Desk) -> str:
    if refusal.reason == "guest":
        return t("Guests can't handle billing. Ask a member of the workspace.")
    return t("This account can't handle billing. Ask a member of the workspace.")


def _owner(refusal: no.OwnerNotEligible, t: Words, _: Desk) -> str:
    who = mention(refusal.member)
    why = {
        "bot": t("{who} is an app and can't be billing owner.", who=who),
        "guest": t("{who} is a guest and can't be billing owner.", who=who),
        "deactivated": t("{who} is deactivated and can't be billing owner.", who=who),
        "not_a_member": t("{who} isn't a member of what you're paying for.", who=who),
        "already_owner": t("{who} is billing owner already.", who=who),
    }.get(refusal.reason, t("Nobody like that is in this workspace."))
    return f"{why} " + t("Pick an active member instead.")


def _unknown_plan(refusal: no.UnknownPlan, t: Words, _: Desk) -> str:
    return _nearest(t, t("There is no plan called “{asked}”.", asked=refusal.asked), refusal.nearest, refusal.known)


def _unknown_word(refusal: no.UnknownWord, t: Words, _: Desk) -> str:
    return _nearest(t, t("I don't know “{asked}”.", asked=refusal.asked), refusal.nearest, refusal.known)


def _nearest(t: Words, what: str, nearest: str | None, known: tuple[str, ...]) -> str:
    if nearest:
        return f"{what} " + t("Did you mean *{nearest}*?", nearest=nearest)
    return f"{what} " + t("Try one of these: {known}.", known=", ".join(known))


def _too_few(refusal: no.SeatsTooFew, t: Words, _: Desk) -> str:
    return t(
        "Plans start at {smallest} seats here; there is never a plan for fewer than two people.",
        smallest=t.number(refusal.smallest),
    )


def _below(refusal: no.SeatsBelowMembers, t: Words, _: Desk) -> str:
    return t(
        "{members} members need a seat, so {asked} seats would be too few. The smallest size that fits is {smallest}.",
        members=t.number(refusal.members),
        asked=t.number(refusal.asked),
        smallest=t.number(refusal.smallest),
    )


def _subscribed(refusal: no.AlreadySubscribed, t: Words, desk: Desk) -> str:
    return t(
        "{scope} already has {plan}. {who} is billing owner and can change it with `/billing`.",
        scope=refusal.scope,
        plan=plan_name(desk, refusal.plan),
        who=mention(refusal.owner),
    )


def _past_due(_: no.PastDue, t: Words, __: Desk) -> str:
    return t("An invoice is unpaid. Pay it first, in `/billing`, then change the plan or the seats.")


def _declined(refusal: no.PaymentDeclined, t: Words, _: Desk) -> str:
    why = {
        "insufficient_funds": t("There wasn't enough money on the card."),
        "expired_card": t("The card has expired."),
        "incorrect_cvc": t("The card's security code was wrong."),
        "authentication_required": t("The bank wants the cardholder to approve the payment."),
    }.get(refusal.code or "", t("The bank said no to the payment."))
    return f"{why} " + t(
        "Nothing was changed and nothing was charged. Change payment method in `/billing` and try again."
    )


def _needs_action(refusal: no.PaymentNeedsAction, t: Words, _: Desk) -> str:
    text = t("The bank wants you to approve the payment. Nothing changes until you have.")
    if refusal.url is None:
        return text
    return " ".join([text, link(refusal.url, t.plain("Approve it on Stripe's page"))])


def plan_name(desk: Desk, key: str | None) -> str:
    """A plan's name by its key; the key itself for one that is no longer in the catalogue."""
    plan = desk.catalogue.plan(key or "")
    return plan.name if plan else (key or "")


_SAYINGS: dict[type[no.Refusal], Callable[[Any, Words, Desk], str]] = {
    no.NotOwner: _not_owner,
    no.ActorNotEligible: _actor,
    no.OwnerNotEligible: _owner,
    no.NotInScope: lambda r, t, _: t("You aren't a member of {scope}; somebody who is can upgrade it.", scope=r.scope),
    no.UnknownPlan: _unknown_plan,
    no.UnknownWord: _unknown_word,
    no.UnknownInterval: lambda r, t, _: t("“{asked}” is neither monthly nor yearly. Say one of them.", asked=r.asked),
    no.UnknownCurrency: lambda r, t, _: t(
        "It can't be paid in {asked}. It can in: {known}.",
        asked=r.asked.upper(),
        known=", ".join(known.upper() for known in r.known),
    ),
    no.NoListedPrice: lambda r, t, _: t("{plan} has no listed price: sales will make you an offer.", plan=r.plan),
    no.SeatsNotANumber: lambda r, t, _: t(
        "“{asked}” is no number of seats. Write a whole number, such as `25`, or `+5` for five more.", asked=r.asked
    ),
    no.SeatsTooFew: _too_few,
    no.SeatsTooMany: lambda r, t, _: t(
        "The largest listed size is {largest} seats. Sales can help with more.", largest=t.number(r.largest)
    ),
    no.SeatsBelowMembers: _below,
    no.TooManyMembers: lambda r, t, _: t(
        "{members} members are more than the largest listed size, {largest}. Sales can help.",
        members=t.number(r.members),
        largest=t.number(r.largest),
    ),
    no.NothingToChange: lambda r, t, desk: t(
        "It is like that already: {plan}, {seats} seats. Nothing was changed.",
        plan=plan_name(desk, r.plan),
        seats=t.number(r.seats),
    ),
    no.AlreadySubscribed: _subscribed,
    no.NotSubscribed: lambda r, t, desk: t(
        "There is no paid plan here: everybody is on {plan}. `/upgrade` shows what there is.",
        plan=desk.catalogue.free.name,
    ),
    no.SeveralSubscriptions: lambda r, t, _: t(
        "You are billing owner of several: {scopes}. Say which one you mean.", scopes=", ".join(r.scopes)
    ),
    no.LiveElsewhere: lambda r, t, _: t(
        "That person is billing owner of {elsewhere}. A subscription can't be moved: cancel the one for {elsewhere} first, "
        "then upgrade {scope}.",
        elsewhere=r.elsewhere,
        scope=r.scope,
    ),
    no.CannotMove: lambda r, t, _: t(
        "A subscription can't be moved to another workspace, organisation or team. Cancel it first (it works until the paid "
        "period ends), then upgrade the right one."
    ),
    no.ScopeUnknown: lambda r, t, _: t(
        "I can't see that team, or nobody is in it. Invite me to the channel, or pick another."
    ),
    no.ChangeInProgress: lambda r, t, _: t("Another change is being made right now. Look again in a moment."),
    no.ManuallyInvoiced: lambda r, t, _: t("This plan is paid by invoice: sales make changes to it. Contact them."),
    no.InvoiceNeedsYear: lambda r, t, _: t(
        "Paying by invoice is for yearly plans of at least {smallest} seats, through sales.",
        smallest=t.number(r.smallest),
    ),
    no.PastDue: _past_due,
    no.NoInvoiceYet: lambda r, t, _: t("There is no invoice yet. It comes as soon as the first payment is made."),
    no.WorkspaceBeingRead: lambda r, t, _: t(
        "I'm still getting to know who is in your workspace. Try again in a minute."
    ),
    no.QuoteChanged: lambda r, t, _: t("The price has changed since it was shown. Nothing was charged."),
    no.QuoteOver: lambda r, t, _: t(
        "That offer is no longer open. Nothing was changed; start again for today's price."
    ),
    no.PaymentDeclined: _declined,
    no.PaymentNeedsAction: _needs_action,
    no.PaymentsAway: lambda r, t, _: t(
        "Stripe doesn't answer right now. Nothing is lost: what you confirmed is carried out when it does, and I'll tell you."
    ),
    no.PaymentsRefused: lambda r, t, _: t(
        "Stripe didn't accept that, and nothing was changed. Give support this reference: `{reference}`.",
        reference=Raw(str(r.reference or "-").replace("`", "")),
    ),
}


_WAYS_OUT: dict[type[no.Refusal], Callable[[Any, Words], list[Json]]] = {
    no.LiveElsewhere: _cancel_elsewhere,
    no.SeveralSubscriptions: _choose,
    no.AlreadySubscribed: _to_the_page,
    no.CannotMove: _to_the_page,
    no.PastDue: _to_the_page,
    no.QuoteOver: _to_the_page,
    no.UnknownWord: lambda _, t: [button(t.plain("Get help"), f"{GO}help")],
}
