"""Upgrading: the modal whose price follows every choice, and the way to Stripe's page (R1–R24)."""

import json
from dataclasses import replace

from bot import people
from bot.listeners import finding
from bot.parsing import UpgradeWish, parse_upgrade
from bot.views import confirmation, note_loading
from bot.views import upgrade as views
from bot.views.blocks import modal
from bot.views.refusals import refusal_text
from bot.views.upgrade import CHANNEL, Form, ScopeOption
from bot.visit import Visit
from domain import directory
from domain.actions import upgrade
from domain.actions.common import check_actor
from domain.records import Customer, Scope
from domain.rules import refusals
from domain.rules.refusals import NoListedPrice, Refusal, ScopeUnknown

_FIELDS: dict[type[Refusal], str] = {
    refusals.OwnerNotEligible: "owner",
    refusals.LiveElsewhere: "owner",
    refusals.ScopeUnknown: "channel",
    refusals.UnknownPlan: "plan",
    refusals.NoListedPrice: "plan",
    refusals.UnknownInterval: "interval",
}


async def asked(visit: Visit, text: str) -> None:
    """`/upgrade …`: complete, it is priced at once; otherwise the modal opens with what was said filled in."""
    wish = parse_upgrade(text, visit.desk.catalogue)
    if wish.plan is not None and not (plan := visit.desk.catalogue.plan(wish.plan) or visit.desk.catalogue.free).price:
        raise NoListedPrice(plan=plan.name)
    if not wish.is_complete:
        await _open(visit, wish)
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
    """The Upgrade button (R15)."""
    await _open(visit, UpgradeWish())


async def _open(visit: Visit, wish: UpgradeWish) -> None:
    check_actor(visit.actor)
    whole = await directory.whole(visit.team_id)
    await upgrade.check_may_upgrade(visit.actor, whole)
    catalogue = visit.desk.catalogue
    customer = await Customer.get_or_none(scope_id=whole.id)
    currency = customer.currency if customer and customer.currency else catalogue.default_currency
    first = next(plan.key for plan in catalogue.for_sale if currency in plan.price)
    scopes = await _scopes(visit)
    named = await Scope.get_or_none(workspace_id=visit.team_id, slack_ref=wish.team) if wish.team else None
    form = Form(
        scopes=scopes,
        scope=str(named.id) if named and str(named.id) in {each.id for each in scopes} else scopes[0].id,
        plan=wish.plan or first,
        interval=wish.interval or "year",
        seats=wish.seats.number if wish.seats else None,
        owner=wish.owner or visit.actor.slack_user_id,
        currency=currency,
    )
    await visit.open(views.form(visit.words, visit.desk, await _with_trial(visit, form, whole)))
    await visit.ack()


async def _scopes(visit: Visit) -> tuple[ScopeOption, ...]:
    found = [
        ScopeOption(
            str(scope.id),
            scope.name,
            await directory.members_in(scope, visit.desk.catalogue),
            is_whole=not scope.slack_ref,
        )
        for scope in await finding.upgradable(visit)
    ]
    return (*found, ScopeOption(CHANNEL, "", None))


async def _with_trial(visit: Visit, form: Form, scope: Scope | None) -> Form:
    plan = visit.desk.catalogue.plan(form.plan)
    days = await upgrade.trial_days(plan, scope) if plan and scope else 0
    return replace(form, trial_days=days)


async def _form(visit: Visit) -> tuple[Form, Scope | None]:
    """The choices in the open modal, and the scope they name; None while a channel is yet to be picked."""
    currency = (
        json.loads(visit.view.get("private_metadata") or "{}").get("currency") or visit.desk.catalogue.default_currency
    )
    scopes = await _scopes(visit)
    first = next(plan.key for plan in visit.desk.catalogue.for_sale if currency in plan.price)
    blank = Form(scopes, scopes[0].id, first, "year", None, visit.actor.slack_user_id, currency)
    form = views.chosen_in(visit.state, blank)
    if form.scope != CHANNEL:
        scope = await Scope.get_or_none(id=form.chosen_scope.id, workspace_id=visit.team_id)
    elif form.channel:
        scope = await people.team(visit.client, visit.team_id, form.channel)
        form = replace(form, channel_members=await directory.members_in(scope, visit.desk.catalogue))
    else:
        scope = None
    return await _with_trial(visit, form, scope), scope


async def chosen(visit: Visit) -> None:
    """A choice was made: the price follows (R20)."""
    await visit.ack()
    form, _ = await _form(visit)
    await visit.update(views.form(visit.words, visit.desk, form), view_hash=visit.view.get("hash"))


async def submitted(visit: Visit) -> None:
    """The choices are made: errors are said on their field; otherwise it leads on to payment (R21–R23)."""
    form, scope = await _form(visit)
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
    except Refusal as refusal:
        field = _FIELDS.get(type(refusal))
        if field is None or (field == "channel" and form.scope != CHANNEL):
            raise
        said = refusal_text(refusal, visit.words, visit.desk)
        name = getattr(refusal, "name", "") or visit.words.plain("That person")
        await visit.field_errors({field: said.replace(f"<@{form.owner}>", name)})
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


def _preparing(visit: Visit) -> dict[str, object]:
    t = visit.words
    return modal(t.plain("Upgrade"), note_loading(t("Preparing the payment page…")), close=t.plain("Close"))
