"""How Kassör says no: what, why, what next, and who can (the words of every refusal, in one place)."""

from collections.abc import Callable
from typing import Any

from bot.views.blocks import Json, actions, button, confirm
from bot.views.doors import sales_button, support_button
from bot.views.links import GO
from bot.words import Raw, Words, escape, link, mention
from domain.desk import Desk
from domain.records.requests import Topic
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
        "copies": t("Only the billing owner, {who}, can choose who gets copies of the invoices.", who=who),
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
        "owner_elsewhere": t("{who} is billing owner in another workspace and has to cancel that first.", who=who),
        "no_email": t("{who} has no e-mail address in Slack, and an invoice needs one.", who=who),
    }.get(refusal.reason, t("Nobody like that is in this workspace."))
    return f"{why} " + t("Pick an active member instead.")


def _not_in_scope(refusal: no.NotInScope, t: Words, _: Desk) -> str:
    if not refusal.scope:  # of another workspace: not even its name is told
        return t("That isn't in your workspace, so it can't be handled from here. `/billing` shows what is.")
    return t(
        "Only members of {scope} handle its billing, and you aren't one. Ask somebody who is.", scope=refusal.scope
    )


def _admin(refusal: no.AdminNotEligible, t: Words, _: Desk) -> str:
    who = mention(refusal.member)
    why = {
        "bot": t("{who} is an app and can't be admin.", who=who),
        "guest": t("{who} is a guest and can't be admin.", who=who),
        "deactivated": t("{who} is deactivated and can't be admin.", who=who),
        "not_a_member": t("{who} isn't a member of what you're paying for.", who=who),
    }.get(refusal.reason, t("Nobody like that is in this workspace."))
    return f"{why} " + t("Pick an active member instead.")


def _recipient(refusal: no.RecipientNotEligible, t: Words, _: Desk) -> str:
    who = mention(refusal.member)
    if refusal.reason == "owner":
        return t("{who} is billing owner and gets every invoice anyway. Pick somebody else.", who=who)
    why = {
        "bot": t("{who} is an app and can't get copies of invoices.", who=who),
        "guest": t("{who} is a guest and can't get copies of invoices.", who=who),
        "deactivated": t("{who} is deactivated and can't get copies of invoices.", who=who),
    }.get(refusal.reason, t("Nobody like that is in this workspace."))
    return f"{why} " + t("Pick an active member instead.")


def _cannot_claim(refusal: no.CannotClaim, t: Words, _: Desk) -> str:
    text = t(
        "{who} is billing owner of *{scope}* and no longer active.", who=mention(refusal.owner), scope=refusal.scope
    )
    if not refusal.who:
        return f"{text} " + t("Nobody can take over billing yet; support can help.")
    names = Raw(", ".join(mention(each) for each in refusal.who))
    return f"{text} " + t("You can't take over billing; these can: {names}.", names=names)


def _unknown_plan(refusal: no.UnknownPlan, t: Words, _: Desk) -> str:
    return _nearest(t, t("There is no plan called “{asked}”.", asked=refusal.asked), refusal.nearest, refusal.known)


def _unknown_word(refusal: no.UnknownWord, t: Words, _: Desk) -> str:
    return _nearest(t, t("I don't know “{asked}”.", asked=refusal.asked), refusal.nearest, refusal.known)


def _unknown_currency(refusal: no.UnknownCurrency, t: Words, _: Desk) -> str:
    asked, known = refusal.asked.upper(), ", ".join(each.upper() for each in refusal.known)
    if not known:  # they pay in a currency this plan isn't sold in, and Stripe changes nobody's
        return t(
            "That plan isn't sold in {asked}, which is what you pay in. Choose another plan, or ask sales.", asked=asked
        )
    return t("It can't be paid in {asked}. Choose one of these instead: {known}.", asked=asked, known=known)


def _nearest(t: Words, what: str, nearest: str | None, known: tuple[str, ...]) -> str:
    if nearest:
        return f"{what} " + t("Did you mean *{nearest}*?", nearest=nearest)
    return f"{what} " + t("Try one of these: {known}.", known=", ".join(known))


def _too_few(refusal: no.SeatsTooFew, t: Words, _: Desk) -> str:
    return t(
        "Plans start at {smallest} seats here; there is never a plan for fewer than two people. Choose {smallest} or more.",
        smallest=t.number(refusal.smallest),
    )


def _nothing(refusal: no.NothingToChange, t: Words, desk: Desk) -> str:
    return t(
        "It is like that already: {plan}, {interval}, {seats} seats. Nothing was changed, and you needn't do anything.",
        plan=plan_name(desk, refusal.plan),
        interval=t("yearly") if refusal.interval == "year" else t("monthly"),
        seats=t.number(refusal.seats),
    )


def _below(refusal: no.SeatsBelowMembers, t: Words, _: Desk) -> str:
    return t(
        "{members} members need a seat, so {asked} seats would be too few. Choose {smallest} or more.",
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


def _needs_action(refusal: no.PaymentNeedsAction, t: Words, desk: Desk) -> str:
    if refusal.url is None:  # nowhere to approve it: it came to nothing
        return _declined(no.PaymentDeclined(code="authentication_required"), t, desk)
    text = t("The bank wants you to approve the payment. Nothing changes until you have.")
    return " ".join([text, link(refusal.url, t.plain("Approve it on Stripe's page"))])


def _payments_refused(refusal: no.PaymentsRefused, t: Words, _: Desk) -> str:
    reference = (refusal.reference or "").replace("`", "")
    if not reference:
        return t("Stripe didn't accept that, and nothing was changed. Tell support what you were doing.")
    return t(
        "Stripe didn't accept that, and nothing was changed. Give support this reference: `{reference}`.",
        reference=Raw(escape(reference)),
    )


def _desk_closed(refusal: no.DeskClosed, t: Words, desk: Desk) -> str:
    text = (
        t("Nobody answers sales questions here.")
        if refusal.desk == "sales"
        else t("Support can't be reached from here.")
    )
    url = desk.catalogue.links.get("support")
    return f"{text} " + str(link(url, t.plain("Write to support"))) if url else text


def _request_open(refusal: no.RequestOpen, t: Words, _: Desk) -> str:
    who, day = mention(refusal.by), t.iso_day(refusal.at)
    if refusal.state == "approved":
        return t("{who} asked for that on {day}. Sales have said yes, and it is being arranged.", who=who, day=day)
    return t(
        "{who} asked sales for that on {day}, and they haven't answered yet. It isn't sent twice.", who=who, day=day
    )


def _request_decided(refusal: no.RequestDecided, t: Words, _: Desk) -> str:
    who, day = mention(refusal.by), t.iso_day(refusal.at)
    if refusal.state == "approved":
        return t("{who} approved it already, on {day}. You needn't do anything.", who=who, day=day)
    if refusal.state == "declined":
        return t("{who} declined it already, on {day}. You needn't do anything.", who=who, day=day)
    return t("{who} answered it already, on {day}. You needn't do anything.", who=who, day=day)


def plan_name(desk: Desk, key: str | None) -> str:
    """A plan's name by its key; the key itself for one that is no longer in the catalogue."""
    plan = desk.catalogue.plan(key or "")
    return plan.name if plan else (key or "")


_SAYINGS: dict[type[no.Refusal], Callable[[Any, Words, Desk], str]] = {
    no.NotOwner: _not_owner,
    no.ActorNotEligible: _actor,
    no.OwnerNotEligible: _owner,
    no.AdminNotEligible: _admin,
    no.RecipientNotEligible: _recipient,
    no.TooManyRecipients: lambda r, t, _: t(
        "At most {most} others can get copies of the invoices. Leave somebody out and save again.",
        most=t.number(r.most),
    ),
    no.NotRecipient: lambda _r, t, _: t(
        "No copies of these invoices come to you, so there is nothing to stop. `/billing` shows what there is."
    ),
    no.CannotClaim: _cannot_claim,
    no.NotInScope: _not_in_scope,
    no.UnknownPlan: _unknown_plan,
    no.UnknownWord: _unknown_word,
    no.UnknownInterval: lambda r, t, _: t("“{asked}” is neither monthly nor yearly. Say one of them.", asked=r.asked),
    no.UnknownCurrency: _unknown_currency,
    no.NoListedPrice: lambda r, t, _: t("{plan} has no listed price. Ask sales for a quote.", plan=r.plan),
    no.SeatsNotANumber: lambda r, t, _: t(
        "“{asked}” is no number of seats. Write a whole number, such as `25`, or `+5` for five more.", asked=r.asked
    ),
    no.SeatsTooFew: _too_few,
    no.SeatsTooMany: lambda r, t, _: t(
        "The largest listed size is {largest} seats. Ask sales for more.", largest=t.number(r.largest)
    ),
    no.SeatsBelowMembers: _below,
    no.TooManyMembers: lambda r, t, _: t(
        "{members} members are more than the largest listed size, {largest}. Ask sales for an offer.",
        members=t.number(r.members),
        largest=t.number(r.largest),
    ),
    no.NothingToChange: _nothing,
    no.AlreadySubscribed: _subscribed,
    no.NotSubscribed: lambda r, t, desk: t(
        "There is no paid plan here: everybody is on {plan}. `/upgrade` shows what there is.",
        plan=desk.catalogue.free.name,
    ),
    no.SeveralSubscriptions: lambda r, t, _: t(
        "You are billing owner of several: {scopes}. Say which one you mean.", scopes=", ".join(r.scopes)
    ),
    no.LiveElsewhere: lambda r, t, _: t(
        "You are billing owner of {elsewhere}. A subscription can't be moved: cancel the one for {elsewhere} first, "
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
    no.ChangeInProgress: lambda r, t, _: t(
        "Another change of {scope} is being made right now, so yours was not made. Look again in a moment.",
        scope=r.scope,
    ),
    no.ManuallyInvoiced: lambda r, t, _: t("This plan is paid by invoice: sales make changes to it. Contact them."),
    no.InvoiceNeedsYear: lambda r, t, _: t(
        "Paying by invoice is for yearly plans of at least {smallest} seats, through sales. Choose one, or pay by card or PayPal.",
        smallest=t.number(r.smallest),
    ),
    no.PastDue: _past_due,
    no.EndsAnyway: lambda r, t, _: t(
        "{scope} is cancelled and ends on {day}, so there is no renewal to change at. Keep the subscription first, then change it.",
        scope=r.scope,
        day=t.iso_day(r.until),
    ),
    no.NoInvoiceYet: lambda r, t, _: t("There is no invoice yet. It comes as soon as the first payment is made."),
    no.WorkspaceBeingRead: lambda r, t, _: t(
        "I'm still getting to know who is in your workspace. Try again in a minute."
    ),
    no.DeskClosed: _desk_closed,
    no.NotStaff: lambda r, t, _: (
        t("Only the sales staff can answer this, in the sales channel. Nothing was changed; leave it to one of them.")
        if r.desk == "sales"
        else t("Only those in the support channel can answer this. Nothing was changed; leave it to one of them.")
    ),
    no.RequestOpen: _request_open,
    no.RequestDecided: _request_decided,
    no.RequestGone: lambda r, t, _: t(
        "That request isn't there any more. Nothing was changed; look in the channel for what is open."
    ),
    no.NothingWritten: lambda r, t, _: t("Write a few words, so that it can be understood."),
    no.TeamsTooFew: lambda r, t, _: t("Choose two teams or more, at most eight at a time."),
    no.PaidByCard: lambda r, t, _: t(
        "{scope} is paid by card or PayPal, so you change it yourself with `/billing`.", scope=r.scope
    ),
    no.PriceNotANumber: lambda r, t, _: t("“{asked}” is no price. Write an amount, such as 1250.", asked=r.asked),
    no.DaysOutOfRange: lambda r, t, _: t(
        "“{asked}” won't do: an invoice is due in 1 to {most} days.", asked=r.asked, most=t.number(r.most)
    ),
    no.QuoteChanged: lambda r, t, _: t(
        "The price has changed since it was shown. Nothing was charged; look at the new one before you confirm."
    ),
    no.QuoteOver: lambda r, t, _: t(
        "That offer is no longer open. Nothing was changed; start again for today's price."
    ),
    no.PaymentDeclined: _declined,
    no.PaymentNeedsAction: _needs_action,
    no.PaymentsAway: lambda r, t, _: t(
        "Stripe doesn't answer right now. Nothing is lost: what you confirmed is carried out when it does, and I'll tell you."
    ),
    no.PaymentsRefused: _payments_refused,
}

_WAYS_OUT: dict[type[no.Refusal], Callable[[Any, Words], list[Json]]] = {
    no.NoListedPrice: lambda r, t: [sales_button(t, Topic.QUOTE, style="primary")],
    no.SeatsTooMany: lambda r, t: [sales_button(t, Topic.QUOTE, style="primary")],
    no.TooManyMembers: lambda r, t: [sales_button(t, Topic.QUOTE, style="primary")],
    no.InvoiceNeedsYear: lambda r, t: [sales_button(t, Topic.PAY_BY_INVOICE)],
    no.ManuallyInvoiced: lambda r, t: [
        sales_button(t, Topic.CANCEL if r.asked == "cancel" else Topic.ADJUST, style="primary")
    ],
    no.PaymentDeclined: lambda r, t: [support_button(t, "payment")],
    no.PaymentsRefused: lambda r, t: [support_button(t, "payment")],
    no.LiveElsewhere: _cancel_elsewhere,
    no.SeveralSubscriptions: _choose,
    no.AlreadySubscribed: _to_the_page,
    no.CannotMove: _to_the_page,
    no.PastDue: _to_the_page,
    no.QuoteOver: _to_the_page,
    no.UnknownWord: lambda _, t: [button(t.plain("Get help"), f"{GO}help")],
}
