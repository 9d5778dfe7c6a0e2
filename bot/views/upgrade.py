"""The upgrade modal: plan, scope, interval, seats and owner, its price following every choice (R1, R16–R20, R24)."""

import json
from dataclasses import dataclass, replace
from typing import Any

from bot.views.blocks import Json, actions, chosen, context, cut, divider, field_of, modal, option, section
from bot.views.doors import support_button
from bot.views.links import ask_sales, links_line
from bot.views.terms import per_interval
from bot.words import Words, escape
from domain.desk import Desk
from domain.rules.catalogue import Plan
from domain.rules.sizes import sizes_on_offer

CALLBACK = "kassor.upgrade.submit"
CHOOSE = "kassor.upgrade."
CHANNEL = "channel"  # the choice of scope that asks for a channel
MOST_OPTIONS = 100  # of a menu; more teams are found by typing


@dataclass(frozen=True)
class ScopeOption:
    """Something that can be upgraded: its record's id, or `channel`; `members` None while no channel is picked."""

    id: str
    name: str
    members: int | None
    is_whole: bool = False


@dataclass(frozen=True)
class Form:
    """The choices made so far."""

    scopes: tuple[ScopeOption, ...]
    scope: str
    plan: str
    interval: str
    seats: int | None
    owner: str  # Slack user id
    currency: str
    channel: str | None = None  # picked for the scope `channel`, with its members in `channel_members`
    channel_members: int | None = None
    channel_scope: str = ""  # its record's id
    trial_days: int = 0
    asked: int | None = None  # a number of seats somebody wrote, before it was rounded up (R7)
    currencies: tuple[str, ...] = ()  # to choose from, where there is a choice

    @property
    def chosen_scope(self) -> ScopeOption:
        """The scope picked."""
        return next((each for each in self.scopes if each.id == self.scope), self.scopes[0])

    @property
    def scope_id(self) -> str:
        """The record of what is being upgraded; empty while a channel is yet to be picked."""
        return self.channel_scope if self.scope == CHANNEL else self.chosen_scope.id

    @property
    def members(self) -> int | None:
        """How many members the scope has; None while a channel is yet to be picked."""
        return self.channel_members if self.scope == CHANNEL else self.chosen_scope.members

    def fitted(self, sizes: tuple[int, ...]) -> "Form":
        """With a size that is on offer: the one chosen if it still fits, else the next larger, else the smallest."""
        if self.seats in sizes or not sizes:
            return self
        larger = [size for size in sizes if size >= (self.seats or 0)]
        return replace(self, seats=larger[0] if larger else sizes[0])


def form(t: Words, desk: Desk, given: Form) -> Json:
    """The modal. A level without a listed price asks sales for a quote instead (R16)."""
    members = given.members
    sizes = sizes_on_offer(max(members, desk.catalogue.sizes[0]), desk.catalogue) if members is not None else ()
    given = given.fitted(sizes)
    plan = desk.catalogue.plan(given.plan)
    is_quoted = plan is not None and given.currency not in plan.price
    blocks: list[Json] = [
        _what(t, given),
        section(_price(t, desk, given, plan, sizes)),
        divider(),
        _plan_field(t, desk, given),
        _scope_field(t, given),
    ]
    if given.scope == CHANNEL:
        blocks.append(_channel_field(t, given))
    if not is_quoted:
        blocks.append(_interval_field(t, desk, given))
        if len(given.currencies) > 1:
            blocks.append(_currency_field(t, given))
        if sizes:
            blocks.append(_seats_field(t, given, sizes))
        blocks.append(_owner_field(t, given))
    blocks += _foot(t, desk, given, plan)
    return modal(
        t.plain("Upgrade"),
        blocks,
        close=t.plain("Cancel"),
        submit=t.plain("Ask for a quote") if is_quoted else t.plain("Continue"),
        callback_id=CALLBACK,
        private_metadata=json.dumps({"asked": given.asked}),
    )


def _what(t: Words, given: Form) -> Json:
    """R19: a checkmark by what is being upgraded."""
    name = given.chosen_scope.name
    if given.scope == CHANNEL:
        name = t.plain("one team in a channel")
    if given.members is None:
        return section(":ballot_box_with_check: " + t("You are upgrading *{name}*", name=name))
    who = t.n("{count} member needs a seat", "{count} members need a seat", given.members)
    return section(":white_check_mark: " + t("You are upgrading *{name}*", name=name) + f"\n{who}")


def _price(t: Words, desk: Desk, given: Form, plan: Plan | None, sizes: tuple[int, ...]) -> str:
    """What it costs, shown at the top where every choice is seen to change it; what a year saves (R4), what was rounded (R7)."""
    if plan is not None and given.currency not in plan.price:
        return t("*{plan}: price on request.* Sales make you an offer.", plan=plan.name)
    if given.members is None:
        return t("Pick a channel to see the price.")
    if plan is None:
        return t("Pick a plan to see the price.")
    if not sizes or given.seats is None:
        return t("There are more members than the largest listed size. Sales can help.")
    seat = desk.catalogue.seat_price(plan, given.interval, given.currency)
    total = seat * given.seats
    lines = [f"*{per_interval(t, total.amount, total.currency, given.interval)}*"]
    each = t.money(seat.amount, seat.currency)
    lines.append(t("{plan}: {seats} × {money}", plan=plan.name, seats=t.number(given.seats), money=each))
    free = 12 - desk.catalogue.annual_months
    if free:
        month = desk.catalogue.seat_price(plan, "month", given.currency)
        money = t.money(month.amount * free * given.seats, given.currency)
        lines.append(
            t("You save {money} a year", money=money)
            if given.interval == "year"
            else t("Yearly would save you {money} a year", money=money)
        )
    if given.trial_days and plan.trial_days:
        lines.append(t.n("Free for the first {count} day", "Free for the first {count} days", given.trial_days))
    if given.asked is not None and given.seats != given.asked:
        lines.append(
            t(
                "You asked for {asked}. Plans come in sizes, and {size} is the next.",
                asked=t.number(given.asked),
                size=t.number(given.seats),
            )
        )
    return "\n".join(lines)


def scope_options(t: Words, scopes: tuple[ScopeOption, ...]) -> list[Json]:
    """What can be upgraded, as options."""
    options = []
    for each in scopes:
        if each.id == CHANNEL:
            options.append(option(t.plain("One team: the members of a channel…"), CHANNEL))
            continue
        counted = t.n("{count} member", "{count} members", each.members or 0)
        name = t.plain("All of {name}", name=each.name) if each.is_whole else each.name
        options.append(option(f"{cut(name, 74 - len(counted) - 3)} – {counted}", each.id))
    return options


def _scope_field(t: Words, given: Form) -> Json:
    """R18: organisation or one team. More teams than a menu takes are found by typing."""
    options = scope_options(t, given.scopes)
    element: Json = {"type": "static_select", "action_id": f"{CHOOSE}scope", "options": options}
    if len(options) > MOST_OPTIONS:
        element = {"type": "external_select", "action_id": f"{CHOOSE}scope", "min_query_length": 0}
    return field_of("scope", t.plain("Who should have it?"), element | chosen(options, given.scope), dispatch=True)


def _channel_field(t: Words, given: Form) -> Json:
    picker: Json = {"type": "channels_select", "action_id": f"{CHOOSE}channel"}
    if given.channel:
        picker["initial_channel"] = given.channel
    return field_of("channel", t.plain("Channel"), picker, dispatch=True, hint=t.plain("Its members become the team."))


def _plan_field(t: Words, desk: Desk, given: Form) -> Json:
    """R16: every level, with its price or that it is on request."""
    options = []
    for plan in desk.catalogue.for_sale:
        if given.currency in plan.price:
            seat = desk.catalogue.seat_price(plan, "month", given.currency)
            price = t.plain("{money} per seat and month", money=t.money(seat.amount, given.currency))
            options.append(option(plan.name, plan.key, price))
        elif not plan.price:
            options.append(option(plan.name, plan.key, t.plain("price on request")))
    element = {"type": "radio_buttons", "action_id": f"{CHOOSE}plan", "options": options[:10]}
    return field_of("plan", t.plain("Plan"), element | chosen(options[:10], given.plan), dispatch=True)


def _interval_field(t: Words, desk: Desk, given: Form) -> Json:
    free = 12 - desk.catalogue.annual_months
    saved = t.n("{count} month free", "{count} months free", free) if free else None
    options = [option(t.plain("Yearly"), "year", saved), option(t.plain("Monthly"), "month")]
    element = {"type": "radio_buttons", "action_id": f"{CHOOSE}interval", "options": options}
    return field_of("interval", t.plain("Payment"), element | chosen(options, given.interval), dispatch=True)


def _currency_field(t: Words, given: Form) -> Json:
    options = [option(each.upper(), each) for each in given.currencies[:MOST_OPTIONS]]
    element = {"type": "static_select", "action_id": f"{CHOOSE}currency", "options": options}
    hint = t.plain("It can't be changed later.")
    return field_of(
        "currency", t.plain("Currency"), element | chosen(options, given.currency), dispatch=True, hint=hint
    )


def _seats_field(t: Words, given: Form, sizes: tuple[int, ...]) -> Json:
    options = [option(t.n("{count} seat", "{count} seats", size), str(size)) for size in sizes[:MOST_OPTIONS]]
    element = {"type": "static_select", "action_id": f"{CHOOSE}seats", "options": options}
    hint = t.plain("Plans come in sizes. {size} is the smallest that fits.", size=t.number(sizes[0]))
    # Slack keeps what was chosen by block id: other sizes on offer need another one.
    return field_of(
        f"seats_{sizes[0]}", t.plain("Seats"), element | chosen(options, str(given.seats)), dispatch=True, hint=hint
    )


def _owner_field(t: Words, given: Form) -> Json:
    owner: Json = {"type": "users_select", "action_id": f"{CHOOSE}owner", "initial_user": given.owner}
    hint = t.plain(
        "Pays, gets the invoices and is the only one who can change the subscription. Yourself or a colleague."
    )
    return field_of("owner", t.plain("Billing owner"), owner, hint=hint)


def _foot(t: Words, desk: Desk, given: Form, plan: Plan | None) -> list[Json]:
    """What the plan gives, the links (R47), and sales and support one click away (R14, R17, R24)."""
    blocks = [divider()]
    features = (plan.features.get(t.language) or plan.features.get("en") or ()) if plan else ()
    if plan is not None and features:
        blocks.append(context(f"*{escape(plan.name)}:* " + " · ".join(escape(feature) for feature in features)))
    least = t.number(desk.catalogue.invoice_from_seats)
    text = t("Yearly plans from {least} seats can be paid by invoice, through sales.", least=least)
    if given.interval == "year" and (given.seats or 0) >= desk.catalogue.invoice_from_seats and given.scope_id:
        ask = ask_sales(t.plain("Pay by invoice instead"), "pay_by_invoice", given.scope_id)
        blocks.append(section(text, ask))
    else:
        blocks.append(context(text))
    whole = given.scopes[0]
    several = ask_sales(t.plain("Upgrade several teams"), "several_teams", whole.id if whole.is_whole else "")
    return [*blocks, *links_line(t, desk), actions(several, support_button(t, "upgrade"), block_id="foot")]


def to_sales(t: Words, text: str, topic: str, scope_id: str) -> Json:
    """What no listed price covers: the button that asks sales (R16)."""
    blocks = [
        section(text),
        actions(
            ask_sales(t.plain("Ask for a quote"), topic, scope_id, style="primary"),
            support_button(t, "quote"),
            block_id="to_sales",
        ),
    ]
    return modal(t.plain("Ask for a quote"), blocks, close=t.plain("Back"))


def chosen_in(state: dict[str, Any], given: Form) -> Form:
    """The form after what the person has chosen in the open modal."""

    def value(name: str) -> str | None:
        picked = (state.get(f"{CHOOSE}{name}") or {}).get("selected_option") or {}
        return picked.get("value")

    seats = value("seats")
    return replace(
        given,
        scope=value("scope") or given.scope,
        plan=value("plan") or given.plan,
        interval=value("interval") or given.interval,
        currency=value("currency") or given.currency,
        seats=int(seats) if seats else given.seats,
        owner=(state.get(f"{CHOOSE}owner") or {}).get("selected_user") or given.owner,
        channel=(state.get(f"{CHOOSE}channel") or {}).get("selected_channel") or given.channel,
    )
