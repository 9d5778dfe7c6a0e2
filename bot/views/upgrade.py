"""The upgrade modal: scope, plan, interval, seats and owner, its price following every choice (R1, R16–R20)."""

import json
from dataclasses import dataclass, replace
from typing import Any

from bot.views.blocks import Json, chosen, context, cut, divider, field_of, modal, option, section
from bot.views.terms import per_interval
from bot.words import Words, escape, link
from domain.desk import Desk
from domain.rules.catalogue import Plan
from domain.rules.sizes import sizes_on_offer

CALLBACK = "kassor.upgrade.submit"
CHOOSE = "kassor.upgrade."
CHANNEL = "channel"  # the choice of scope that asks for a channel
MOST_OPTIONS = 100


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
    trial_days: int = 0

    @property
    def chosen_scope(self) -> ScopeOption:
        """The scope picked."""
        return next((each for each in self.scopes if each.id == self.scope), self.scopes[0])

    @property
    def members(self) -> int | None:
        """How many members the scope has; None while a channel is yet to be picked."""
        return self.channel_members if self.scope == CHANNEL else self.chosen_scope.members

    def fitted(self, sizes: tuple[int, ...]) -> "Form":
        """With a size that is on offer: the one chosen if it still fits, else the smallest."""
        if self.seats in sizes or not sizes:
            return self
        larger = [size for size in sizes if size >= (self.seats or 0)]
        return replace(self, seats=larger[0] if larger else sizes[0])


def form(t: Words, desk: Desk, given: Form) -> Json:
    """The modal."""
    members = given.members
    sizes = sizes_on_offer(max(members, desk.catalogue.sizes[0]), desk.catalogue) if members is not None else ()
    given = given.fitted(sizes)
    price, more = _price(t, desk, given, sizes)
    blocks: list[Json] = [_what(t, given), price, divider(), _scope_field(t, given)]
    if given.scope == CHANNEL:
        picker: Json = {"type": "channels_select", "action_id": f"{CHOOSE}channel"}
        if given.channel:
            picker["initial_channel"] = given.channel
        blocks.append(
            field_of("channel", t.plain("Channel"), picker, dispatch=True, hint=t.plain("Its members become the team."))
        )
    blocks += [_plan_field(t, desk, given), _interval_field(t, desk, given)]
    if sizes:
        blocks.append(_seats_field(t, given, sizes))
    owner: Json = {"type": "users_select", "action_id": f"{CHOOSE}owner", "initial_user": given.owner}
    hint = t.plain(
        "Pays, gets the invoices and is the only one who can change the subscription. Yourself or a colleague."
    )
    blocks.append(field_of("owner", t.plain("Billing owner"), owner, hint=hint))
    blocks += more
    return modal(
        t.plain("Upgrade"),
        blocks,
        close=t.plain("Cancel"),
        submit=t.plain("Continue"),
        callback_id=CALLBACK,
        private_metadata=json.dumps({"currency": given.currency}),
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


def _scope_field(t: Words, given: Form) -> Json:
    options = []
    for each in given.scopes[: MOST_OPTIONS - 1]:
        if each.id == CHANNEL:
            options.append(option(t.plain("One team: the members of a channel…"), CHANNEL))
            continue
        counted = t.n("{count} member", "{count} members", each.members or 0)
        name = t.plain("All of {name}", name=each.name) if each.is_whole else each.name
        options.append(option(cut(f"{name} – {counted}", 75), each.id))
    element = {"type": "static_select", "action_id": f"{CHOOSE}scope", "options": options}
    element |= chosen(options, given.scope)
    return field_of("scope", t.plain("Who should have it?"), element, dispatch=True)


def _plan_field(t: Words, desk: Desk, given: Form) -> Json:
    options = []
    for plan in _listed(desk, given.currency):
        seat = desk.catalogue.seat_price(plan, "month", given.currency)
        price = t.plain("{money} per seat and month", money=t.money(seat.amount, given.currency))
        options.append(option(plan.name, plan.key, price))
    element = {"type": "radio_buttons", "action_id": f"{CHOOSE}plan", "options": options[:10]}
    return field_of("plan", t.plain("Plan"), element | chosen(options, given.plan), dispatch=True)


def _interval_field(t: Words, desk: Desk, given: Form) -> Json:
    free = 12 - desk.catalogue.annual_months
    saved = t.n("{count} month free", "{count} months free", free) if free else None
    options = [option(t.plain("Yearly"), "year", saved), option(t.plain("Monthly"), "month")]
    element = {"type": "radio_buttons", "action_id": f"{CHOOSE}interval", "options": options}
    return field_of("interval", t.plain("Payment"), element | chosen(options, given.interval), dispatch=True)


def _seats_field(t: Words, given: Form, sizes: tuple[int, ...]) -> Json:
    options = [option(t.n("{count} seat", "{count} seats", size), str(size)) for size in sizes[:MOST_OPTIONS]]
    element = {"type": "static_select", "action_id": f"{CHOOSE}seats", "options": options}
    # Slack keeps what was chosen by block id: other sizes on offer need another one.
    return field_of(f"seats_{sizes[0]}", t.plain("Seats"), element | chosen(options, str(given.seats)), dispatch=True)


def _price(t: Words, desk: Desk, given: Form, sizes: tuple[int, ...]) -> tuple[Json, list[Json]]:
    """What it costs, shown at the top where every choice is seen to change it; and what goes at the foot."""
    plan = desk.catalogue.plan(given.plan)
    if given.members is None:
        return section(t("Pick a channel to see the price.")), []
    if plan is None or not sizes or given.seats is None:
        return section(t("There are more members than the largest listed size. Sales can help.")), []
    seat = desk.catalogue.seat_price(plan, given.interval, given.currency)
    total = seat * given.seats
    lines = [f"*{per_interval(t, total.amount, total.currency, given.interval)}*"]
    each = t.money(seat.amount, seat.currency)
    lines.append(t("{plan}: {seats} × {money}", plan=plan.name, seats=t.number(given.seats), money=each))
    if given.trial_days and plan.trial_days:
        lines.append(t.n("Free for the first {count} day", "Free for the first {count} days", given.trial_days))
    features = plan.features.get(t.language) or plan.features.get("en") or ()
    foot = [divider()]
    if features:
        foot.append(context(f"*{escape(plan.name)}:* " + " · ".join(escape(feature) for feature in features)))
    links = [
        link(desk.catalogue.links[name], words)
        for name, words in (
            ("pricing", t.plain("Prices")),
            ("scopes", t.plain("Organisation or team?")),
            ("cancellation", t.plain("Cancelling")),
        )
        if desk.catalogue.links.get(name)
    ]
    if links:
        foot.append(context(" · ".join(links)))
    return section("\n".join(lines)), foot if len(foot) > 1 else []


def _listed(desk: Desk, currency: str) -> list[Plan]:
    return [plan for plan in desk.catalogue.for_sale if currency in plan.price]


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
        seats=int(seats) if seats else given.seats,
        owner=(state.get(f"{CHOOSE}owner") or {}).get("selected_user") or given.owner,
        channel=(state.get(f"{CHOOSE}channel") or {}).get("selected_channel") or given.channel,
    )
