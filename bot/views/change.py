"""Modals for a live subscription: another number of seats, another plan or interval, another owner."""

from bot.views.blocks import (
    Content,
    Json,
    actions,
    button,
    chosen,
    context,
    facts,
    field_of,
    modal,
    note,
    option,
    section,
)
from bot.views.doors import support_button
from bot.views.links import foot
from bot.views.terms import plan_name, terms_line
from bot.words import Words, escape, mention
from domain.desk import Desk
from domain.records import Subscription
from domain.rules.sizes import sizes_on_offer

SEATS, PLAN, OWNER = "kassor.seats.submit", "kassor.plan.submit", "kassor.owner.submit"


def seats_form(t: Words, desk: Desk, subscription: Subscription, *, scope: str, members: int) -> Json:
    """The Seats menu (R44): sizes that fit the members there are."""
    sizes = sizes_on_offer(members, desk.catalogue)[:100]
    options = [option(t.n("{count} seat", "{count} seats", size), str(size)) for size in sizes]
    element: Json = {"type": "static_select", "action_id": "kassor.seats.size", "options": options}
    element |= chosen(options, str(subscription.next_seats or subscription.seats))
    now = t("{used} of {seats} in use", used=t.number(members), seats=t.number(subscription.seats))
    blocks = [
        facts([(t("For"), escape(scope)), (t("Plan"), plan_name(desk, subscription.plan)), (t("Seats"), now)]),
        field_of("seats", t.plain("New number of seats"), element),
        context(t("More seats come at once, for the rest of the period. Fewer come at the next renewal.")),
        *foot(t, desk, "seats", "pricing", "support"),
    ]
    return modal(
        t.plain("Change seats"),
        blocks,
        close=t.plain("Cancel"),
        submit=t.plain("Show the price"),
        callback_id=SEATS,
        private_metadata=subscription.id,
    )


def seats_suffice(t: Words, subscription: Subscription, *, scope: str, members: int) -> Content:
    """The members no longer outgrow the seats: somebody left, or there are more seats meanwhile (M6)."""
    text = t(
        "*{scope}* has {members} members and {seats} seats now, so nothing needs to change.",
        scope=scope,
        members=t.number(members),
        seats=t.number(subscription.seats),
    )
    another = button(t.plain("Choose another size"), "kassor.go.seats", subscription.id)
    return note(text, actions(another, block_id="grow"))


def plan_form(t: Words, desk: Desk, subscription: Subscription, *, scope: str) -> Json:
    """Another plan or interval (M3)."""
    plans = [plan for plan in desk.catalogue.for_sale if subscription.currency in plan.price][:10]
    options = []
    for plan in plans:
        price = t.money(desk.catalogue.seat_price(plan, "month", subscription.currency).amount, subscription.currency)
        options.append(option(plan.name, plan.key, t.plain("{money} per seat and month", money=price)))
    free = 12 - desk.catalogue.annual_months
    saved = t.n("{count} month free", "{count} months free", free) if free else None  # R4
    every = [option(t.plain("Yearly"), "year", saved), option(t.plain("Monthly"), "month")]
    plan_menu: Json = {"type": "radio_buttons", "action_id": "kassor.plan.plan", "options": options}
    interval_menu: Json = {"type": "radio_buttons", "action_id": "kassor.plan.interval", "options": every}
    now = terms_line(t, desk, subscription.plan, subscription.interval.value, subscription.seats)
    blocks = [
        section(t("{scope} has {terms}.", scope=scope, terms=now)),
        field_of("plan", t.plain("Plan"), plan_menu | chosen(options, subscription.plan)),
        field_of("interval", t.plain("Payment"), interval_menu | chosen(every, subscription.interval.value)),
        context(
            t(
                "A higher plan, or yearly instead of monthly, comes at once with credit for unused time; the rest at renewal."
            )
        ),
        *_plan_foot(t, desk, subscription),
    ]
    return modal(
        t.plain("Change plan"),
        blocks,
        close=t.plain("Cancel"),
        submit=t.plain("Show the price"),
        callback_id=PLAN,
        private_metadata=subscription.id,
    )


def _plan_foot(t: Words, desk: Desk, subscription: Subscription) -> list[Json]:
    """Levels without a listed price are spoken about (R16); the links and support (R47, R17)."""
    quoted = [plan.name for plan in desk.catalogue.for_sale if not plan.price and plan.key != subscription.plan]
    more = [context(t("{plans}: price on request. Support can help.", plans=", ".join(quoted)))] if quoted else []
    return [*more, *foot(t, desk, "plan")]


def owner_form(t: Words, subscription: Subscription, *, scope: str, picked: str | None = None) -> Json:
    """Handing billing over (R30)."""
    picker: Json = {"type": "users_select", "action_id": "kassor.owner.member"}
    if picked:
        picker["initial_user"] = picked
    blocks = [
        section(t("Who should answer for the billing of *{scope}* from now on?", scope=scope)),
        field_of("member", t.plain("New billing owner"), picker),
        context(t("They get the invoices and are the only one who can change the subscription. You stay admin.")),
        actions(support_button(t, "owner"), block_id="foot"),
    ]
    return modal(
        t.plain("Hand over billing"),
        blocks,
        close=t.plain("Cancel"),
        submit=t.plain("Continue"),
        callback_id=OWNER,
        private_metadata=subscription.id,
    )


def owner_question(t: Words, subscription: Subscription, *, scope: str, to: str) -> list[Json]:
    """The last look before billing is handed over."""
    return [
        section(t("Make {who} billing owner of *{scope}*?", who=mention(to), scope=scope)),
        context(t("They get the invoices and are the only one who can change the subscription. You stay admin.")),
        actions(
            button(t.plain("Hand over billing"), "kassor.owner.confirm", f"{subscription.id}:{to}", style="primary"),
            button(t.plain("Not now"), "kassor.quote.drop", "owner"),
            support_button(t, "owner"),
            block_id="owner",
        ),
    ]
