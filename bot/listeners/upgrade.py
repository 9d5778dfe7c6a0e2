"""Upgrading: the modal whose price follows every choice, and the way to Stripe's page (R1–R24)."""

import json
from dataclasses import replace

from bot import people
from bot.listeners import finding
from bot.parsing import UpgradeWish, parse_upgrade
from bot.views import confirmation, note_loading
from bot.views import upgrade as views
from bot.views.blocks import Json, modal, note
from bot.views.refusals import refusal_text, way_out
from bot.views.upgrade import CHANNEL, Form, ScopeOption
from bot.visit import Visit
from domain import directory
from domain.actions import upgrade
from domain.actions.common import check_actor
from domain.records import Customer, Scope
from domain.rules import refusals
from domain.rules.refusals import LiveElsewhere, NoListedPrice, Refusal, ScopeUnknown, TooManyMembers

_FIELDS: dict[type[Refusal], str] = {
    refusals.OwnerNotEligible: "owner",
    refusals.LiveElsewhere: "owner",
    refusals.ScopeUnknown: "scope",
    refusals.NotInScope: "scope",
    refusals.AlreadySubscribed: "scope",
    refusals.UnknownPlan: "plan",
    refusals.UnknownInterval: "interval",
    refusals.UnknownCurrency: "currency",
    refusals.SeatsTooFew: "seats",
    refusals.SeatsTooMany: "seats",
    refusals.SeatsBelowMembers: "seats",
}


async def asked(visit: Visit, text: str) -> None:
    """`/upgrade …`: complete, it is priced at once; otherwise the modal opens with what was said filled in."""
    wish = parse_upgrade(text, visit.desk.catalogue, visit.words.language)
    if wish.plan is not None and not (plan := visit.desk.catalogue.plan(wish.plan) or visit.desk.catalogue.free).price:
        raise NoListedPrice(plan=plan.name)
    if not wish.is_complete:
        named = await people.team(visit.client, visit.team_id, wish.team) if wish.team else None
        await _open(visit, wish, named)
        return
    await visit.ack()
    scope = (
        await people.team(visit.client, visit.team_id, wish.team) if wish.team else await directory.whole(visit.team_id)
    )
    owner = await finding.colleague(visit, wish.owner) if wish.owner else visit.actor
    assert wish.plan is not None  # it is complete
    assert wish.interval is not None
    assert wish.seats is not None
    offering = upgrade.offer(
        visit.desk,
        visit.actor,
        scope=scope,
        plan=wish.plan,
        interval=wish.interval,
        seats=wish.seats.number,
        owner=owner,
    )
    quote = await visit.unhurried(offering, visit.words("Working out the price…"))
    await visit.reply(confirmation.offer(visit.words, visit.desk, quote, payment_method=None))


async def pressed(visit: Visit) -> None:
    """The Upgrade button (R15), of the whole or of a team; one whose scope is gone opens for the whole."""
    try:
        named = await finding.scope(visit, str(visit.action.get("value") or ""))
    except ScopeUnknown:
        named = None
    await _open(visit, UpgradeWish(), named)


async def _open(visit: Visit, wish: UpgradeWish, named: Scope | None) -> None:
    check_actor(visit.actor)
    whole = await directory.whole(visit.team_id)
    scope = named or whole
    await upgrade.check_may_upgrade(visit.actor, scope)
    is_channel = scope.slack_ref.startswith("C")
    currencies = await _currencies(visit, scope)
    form = Form(
        scopes=await _scopes(visit),
        scope=CHANNEL if is_channel else str(scope.id),
        plan=wish.plan or _first_plan(visit, currencies[0]),
        interval=wish.interval or "year",
        seats=wish.seats.number if wish.seats else None,
        asked=wish.seats.number if wish.seats else None,
        owner=wish.owner or visit.actor.slack_user_id,
        currency=currencies[0],
        currencies=currencies,
    )
    if is_channel:
        form = await _with_channel(visit, replace(form, channel=scope.slack_ref), scope)
    await visit.open(views.form(visit.words, visit.desk, await _with_trial(visit, form, scope)))
    await visit.ack()


def _first_plan(visit: Visit, currency: str) -> str:
    return next(plan.key for plan in visit.desk.catalogue.for_sale if currency in plan.price)


async def _currencies(visit: Visit, scope: Scope | None) -> tuple[str, ...]:
    """What can be paid in, the first unless somebody chooses: the customer's own once there is one, else the catalogue's."""
    customer = await Customer.get_or_none(scope_id=scope.id) if scope else None
    if customer is not None and customer.currency:
        return (customer.currency,)
    catalogue = visit.desk.catalogue
    listed = dict.fromkeys(currency for plan in catalogue.for_sale for currency in plan.price)
    return (catalogue.default_currency, *[each for each in listed if each != catalogue.default_currency])


async def _scopes(visit: Visit) -> tuple[ScopeOption, ...]:
    found = await finding.upgradable(visit)
    members = await directory.members_in_each(found, visit.desk.catalogue)
    options = [
        ScopeOption(str(scope.id), scope.name, members[scope.id], is_whole=not scope.slack_ref) for scope in found
    ]
    return (*options, ScopeOption(CHANNEL, "", None))


async def _with_trial(visit: Visit, form: Form, scope: Scope | None) -> Form:
    plan = visit.desk.catalogue.plan(form.plan)
    days = await upgrade.trial_days(plan, scope) if plan and scope else 0
    return replace(form, trial_days=days)


async def _with_channel(visit: Visit, form: Form, scope: Scope) -> Form:
    members = await directory.members_in(scope, visit.desk.catalogue)
    return replace(form, channel_members=members, channel_scope=str(scope.id))


async def _form(visit: Visit) -> tuple[Form, Scope | None]:
    """The choices in the open modal, and the scope they name; None while a channel is yet to be picked.

    A scope that can't be had any more stays the one chosen: why is said when it is asked for, and it never becomes another.
    """
    metadata = json.loads(visit.view.get("private_metadata") or "{}")
    catalogue = visit.desk.catalogue
    scopes = await _scopes(visit)
    first = _first_plan(visit, catalogue.default_currency)
    blank = Form(scopes, scopes[0].id, first, "year", None, visit.actor.slack_user_id, catalogue.default_currency)
    form = views.chosen_in(visit.state, blank)
    scope: Scope | None = None
    if form.scope != CHANNEL:
        scope = await finding.scope(visit, form.scope)
        if all(each.id != form.scope for each in scopes):
            gone = ScopeOption(form.scope, scope.name, await directory.members_in(scope, catalogue))
            form = replace(form, scopes=(*scopes[:-1], gone, scopes[-1]))
    elif form.channel:
        scope = await people.team(visit.client, visit.team_id, form.channel)
        form = await _with_channel(visit, form, scope)
    currencies = await _currencies(visit, scope)
    form = replace(
        form,
        asked=metadata.get("asked") if form.seats is None else None,
        currencies=currencies,
        currency=form.currency if form.currency in currencies else currencies[0],
    )
    return await _with_trial(visit, form, scope), scope


async def chosen(visit: Visit) -> None:
    """A choice was made: the price follows (R20)."""
    await visit.ack()
    check_actor(visit.actor)
    form, _ = await _form(visit)
    plan = visit.desk.catalogue.plan(form.plan)
    if plan is None or (plan.price and form.currency not in plan.price):  # gone from the catalogue, or not sold in it
        form = replace(form, plan=_first_plan(visit, form.currency))
    await visit.follow(views.form(visit.words, visit.desk, form))


async def suggestions(visit: Visit, typed: str) -> list[Json]:
    """What of many teams fits what is typed, as options; the whole and the channel are always there. Raises ActorNotEligible."""
    check_actor(visit.actor)
    scopes = await _scopes(visit)
    wanted = typed.strip().casefold()
    teams = [each for each in scopes[1:-1] if wanted in each.name.casefold()]
    return views.scope_options(visit.words, (scopes[0], *teams[: views.MOST_OPTIONS - 2], scopes[-1]))


async def submitted(visit: Visit) -> None:
    """The choices are made: errors are said on their field; otherwise it leads on to payment (R21–R23)."""
    try:
        form, scope = await _form(visit)
    except ScopeUnknown as refusal:
        await _on_field(visit, refusal)
        return
    plan = visit.desk.catalogue.plan(form.plan)
    if plan is not None and not plan.price:
        text = visit.words("*{plan}: price on request.* Sales make you an offer.", plan=plan.name)
        await visit.stack(views.to_sales(visit.words, text, "quote", form.scope_id))
        return
    try:
        if scope is None:
            raise ScopeUnknown(asked=form.channel or "")
        owner = await finding.colleague(visit, form.owner)
        await upgrade.check(
            visit.desk,
            visit.actor,
            scope=scope,
            plan=form.plan,
            interval=form.interval,
            seats=form.seats,
            owner=owner,
            currency=form.currency,
        )
    except TooManyMembers as refusal:
        text = refusal_text(refusal, visit.words, visit.desk)
        await visit.stack(views.to_sales(visit.words, text, "quote", form.scope_id))
        return
    except LiveElsewhere as refusal:
        if form.owner != visit.actor.slack_user_id:
            await _on_field(visit, refusal)
            return
        t = visit.words
        said = note(refusal_text(refusal, t, visit.desk), *way_out(refusal, t))
        await visit.stack(modal(t.plain("Upgrade"), said.blocks, close=t.plain("Back")))
        return
    except Refusal as refusal:
        await _on_field(visit, refusal)
        return
    await visit.ack(response_action="update", view=_preparing(visit))
    quote = await upgrade.offer(
        visit.desk,
        visit.actor,
        scope=scope,
        plan=form.plan,
        interval=form.interval,
        seats=form.seats,
        owner=owner,
        currency=form.currency,
    )
    await upgrade.accept(visit.desk, visit.actor, quote.id)
    quote = await upgrade.carry_out(visit.desk, quote)
    await visit.reply(confirmation.payment_page(visit.words, visit.desk, quote))
    await people.hear(visit.client, quote.scope)


async def _on_field(visit: Visit, refusal: Refusal) -> None:
    """Say no on the field it is about. Raises the refusal when that field isn't shown."""
    field = _FIELDS.get(type(refusal))
    shown = [str(block.get("block_id")) for block in visit.view.get("blocks") or []]
    if field == "scope" and "channel" in shown:
        field = "channel"
    block_id = next((each for each in shown if field and (each == field or each.startswith(f"{field}_"))), None)
    if block_id is None:
        raise refusal
    await visit.field_errors({block_id: refusal_text(refusal, visit.words, visit.desk)})


def _preparing(visit: Visit) -> Json:
    t = visit.words
    return modal(t.plain("Upgrade"), note_loading(t("Preparing the payment page…")), close=t.plain("Close"))
