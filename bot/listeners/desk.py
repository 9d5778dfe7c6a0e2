"""People and the two desks: asking sales and support, from everywhere (S1, R17)."""

import json
from dataclasses import replace
from uuid import UUID

from bot import people
from bot.listeners import finding
from bot.views import desk as views
from bot.views.blocks import Content, modal
from bot.views.refusals import refusal_text
from bot.views.terms import terms_line
from bot.views.upgrade import CHANNEL, ScopeOption
from bot.visit import Visit
from domain import directory
from domain.actions import sales as selling
from domain.actions import support as helping
from domain.records import Scope, Subscription
from domain.records.requests import Topic
from domain.rules import refusals as no
from domain.rules.sizes import parse_seats

_FIELDS: dict[type[no.Refusal], tuple[str, ...]] = {  # where it is said: the first of these that the form has
    no.OwnerNotEligible: ("owner",),
    no.LiveElsewhere: ("owner",),
    no.SeatsNotANumber: ("seats",),
    no.SeatsBelowMembers: ("seats",),
    no.SeatsTooMany: ("seats",),
    no.InvoiceNeedsYear: ("seats",),
    no.NothingToChange: ("seats",),
    no.TeamsTooFew: ("channels",),
    no.ScopeUnknown: ("channel", "channels"),
    no.UnknownPlan: ("plan",),
}


async def sales(visit: Visit, _: str = "") -> None:
    """`/billing sales`: the form, about what the person most likely means."""
    await _open_sales(visit, "", "")


async def sales_pressed(visit: Visit) -> None:
    """A *Contact sales* button; its value is `topic:scope_or_subscription_id`, both may be empty."""
    topic, _, about = str(visit.action.get("value") or "").partition(":")
    await _open_sales(visit, topic, about)


async def _open_sales(visit: Visit, topic: str, about: str) -> None:
    known = {each.value for each in Topic} - {Topic.HELP.value}
    wanted = Topic(topic) if topic in known else None
    live, scope = await _meant(visit, wanted, about)
    if live is not None:
        wanted = wanted if wanted in selling.CHANGES else Topic.ADJUST
    elif wanted is None:
        wanted = Topic.PAY_BY_INVOICE
    await selling.check_may_ask(visit.desk, visit.actor, topic=wanted, scope=scope, subscription=live)
    await visit.open(views.sales_form(visit.words, visit.desk, await _form(visit, wanted, scope, live)))
    await visit.ack()


async def _meant(visit: Visit, topic: Topic | None, about: str) -> tuple[Subscription | None, Scope]:
    """The manually invoiced subscription it is about, if it is about one, and the scope. Raises NotSubscribed."""
    if about.startswith("sub_"):
        live = await finding.subscription(visit, about)
        scope = await finding.scope_of(live)
        return (live if live.is_manually_invoiced or topic in selling.CHANGES else None), scope
    scope = await _scope(visit, about) or await directory.whole(visit.team_id)
    if topic in selling.CHANGES:
        live = await finding.subscription(visit)
        return live, await finding.scope_of(live)
    if topic is None:
        owned = Subscription.filter(is_live=True, owner_id=visit.actor.id, collection_method="send_invoice")
        found = await owned.order_by("scope__slack_ref").first()
        if found is not None:
            return found, await finding.scope_of(found)
    return None, scope


async def _scope(visit: Visit, scope_id: str) -> Scope | None:
    try:
        return await Scope.get_or_none(id=UUID(scope_id), workspace_id=visit.team_id)
    except ValueError:
        return None


async def _form(visit: Visit, topic: Topic, scope: Scope, live: Subscription | None) -> views.SalesForm:
    catalogue = visit.desk.catalogue
    if live is not None:
        now = terms_line(visit.words, visit.desk, live.plan, live.interval.value, live.seats)
        return views.SalesForm(
            topic, (), (), str(scope.id), scope.name, live.plan, str(live.seats), "", subscription=live.id, now=now
        )
    scopes = await finding.upgradable(visit)
    if scope.id not in {each.id for each in scopes}:
        scopes.append(scope)
    unlisted = next((plan.key for plan in catalogue.for_sale if not plan.price), catalogue.for_sale[-1].key)
    members = await directory.members_in(scope, catalogue)
    teams = await Scope.filter(workspace_id=visit.team_id, slack_ref__startswith="S").order_by("name")
    return views.SalesForm(
        topic=topic,
        scopes=tuple([await _option(visit, each) for each in scopes]),
        teams=tuple([await _option(visit, each) for each in teams]),
        scope=str(scope.id),
        scope_name=scope.name,
        plan=unlisted if topic == Topic.QUOTE else catalogue.for_sale[0].key,
        seats=str(max(members, catalogue.invoice_from_seats)),
        owner=visit.user_id,
    )


async def _option(visit: Visit, scope: Scope) -> ScopeOption:
    members = await directory.members_in(scope, visit.desk.catalogue)
    return ScopeOption(str(scope.id), scope.name, members, is_whole=not scope.slack_ref)


async def chosen(visit: Visit) -> None:
    """Another topic or scope was picked in the open form: the fields follow."""
    await visit.ack()
    topic, picked, live = await _in_form(visit)
    scope = await _scope(visit, picked) or await directory.whole(visit.team_id)
    form = await _form(visit, topic, scope, live)
    if picked == CHANNEL:
        form = replace(form, scope=CHANNEL)
    await visit.follow(views.sales_form(visit.words, visit.desk, form))


async def _in_form(visit: Visit) -> tuple[Topic, str, Subscription | None]:
    """What the open form is about: topic, the id of a scope (or CHANNEL), and the subscription. Raises NotSubscribed."""
    kept = json.loads(visit.view.get("private_metadata") or "{}")
    picked = (visit.state.get(f"{views.ASK}topic") or {}).get("selected_option") or {}
    topic = Topic(picked.get("value", Topic.PAY_BY_INVOICE.value))
    live = await finding.subscription(visit, kept["subscription"]) if kept.get("subscription") else None
    scope = (visit.state.get(f"{views.ASK}scope") or {}).get("selected_option") or {}
    return topic, str(scope.get("value") or kept.get("scope") or ""), live


async def _scope_in_form(visit: Visit, picked: str) -> Scope:
    """The scope picked, a channel's members read from Slack. Raises ScopeUnknown."""
    if picked != CHANNEL:
        return await _scope(visit, picked) or await directory.whole(visit.team_id)
    channel = str((visit.state.get(f"{views.ASK}channel") or {}).get("selected_channel") or "")
    return await people.team(visit.client, visit.team_id, channel)


async def sales_submitted(visit: Visit) -> None:
    """Sent: what is wrong is said on its field; otherwise it is on record before Slack is answered."""
    state, t = visit.state, visit.words

    def text(name: str) -> str:
        return str((state.get(f"{views.ASK}{name}") or {}).get("value") or "")

    topic, wanted, live = await _in_form(visit)
    plan = (state.get(f"{views.ASK}plan") or {}).get("selected_option") or {}
    user_id = str((state.get(f"{views.ASK}owner") or {}).get("selected_user") or visit.user_id)
    try:
        seats = None
        if written := text("seats").strip():
            seats = parse_seats(written).from_(live.seats if live else 0)
        request = await selling.ask(
            visit.desk,
            visit.actor,
            scope=await _scope_in_form(visit, wanted),
            topic=topic,
            plan=plan.get("value"),
            seats=seats,
            owner=None if live else await finding.colleague(visit, user_id),
            teams=await _teams(visit) if topic == Topic.SEVERAL_TEAMS else (),
            subscription=live,
            text=text("text"),
        )
    except no.Refusal as refusal:
        there = [block.get("block_id") for block in visit.view["blocks"]]
        field = next((name for name in _FIELDS.get(type(refusal), ()) if name in there), None)
        if field is None:
            raise
        said = refusal_text(refusal, t, visit.desk)
        name = getattr(refusal, "name", "") or t.plain("That person")
        await visit.field_errors({field: said.replace(f"<@{user_id}>", name)})
        return
    await _show_sent(visit, views.sent_to_sales(t, visit.desk, request))


async def _teams(visit: Visit) -> list[Scope]:
    """The user groups and channels chosen. Raises ScopeUnknown."""
    groups = (visit.state.get(f"{views.ASK}teams") or {}).get("selected_options") or []
    channels = (visit.state.get(f"{views.ASK}channels") or {}).get("selected_channels") or []
    if len(groups) + len(channels) > selling.MOST_TEAMS:
        raise no.TeamsTooFew
    found = [scope for group in groups if (scope := await _scope(visit, str(group["value"]))) is not None]
    return [*found, *[await people.team(visit.client, visit.team_id, str(channel)) for channel in channels]]


async def support(visit: Visit, text: str = "") -> None:
    """`/billing support`, perhaps with the question after it."""
    await _open_support(visit, "command", "", text)


async def support_pressed(visit: Visit) -> None:
    """A *Contact support* button; its value is where it was pressed, and perhaps `:scope id`."""
    place, _, about = str(visit.action.get("value") or "").partition(":")
    await _open_support(visit, place, about, "")


async def _open_support(visit: Visit, place: str, about: str, text: str) -> None:
    if visit.desk.settings.support_channel is None:
        raise no.DeskClosed(desk="support")
    await visit.open(views.support_form(visit.words, place=place, scope=about, text=text))
    await visit.ack()


async def support_submitted(visit: Visit) -> None:
    """Sent to support, on record before Slack is answered."""
    kept = json.loads(visit.view.get("private_metadata") or "{}")
    text = str((visit.state.get("kassor.support.text") or {}).get("value") or "")
    scope = await _scope(visit, str(kept.get("scope") or ""))
    try:
        await helping.ask(visit.desk, visit.actor, scope=scope, text=text, place=str(kept.get("place") or ""))
    except no.NothingWritten as refusal:
        await visit.field_errors({"text": refusal_text(refusal, visit.words, visit.desk)})
        return
    await _show_sent(visit, views.sent_to_support(visit.words))


async def _show_sent(visit: Visit, content: Content) -> None:
    title = content.title or "Kassör"
    view = modal(title, content.blocks, close=visit.words.plain("Close"))
    await visit.ack(response_action="update", view=view)
