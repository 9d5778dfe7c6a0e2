"""The sales and support desks: what people fill in, and what they are told (S1, R14, R16, R17, R24, R38, R43)."""

import json
from dataclasses import dataclass

from bot.views.blocks import Content, Json, chosen, context, facts, field_of, modal, option, section
from bot.views.terms import plan_name, terms_line
from bot.views.upgrade import CHANNEL, ScopeOption
from bot.words import Raw, Words, escape
from domain.actions.sales import MOST_TEXT
from domain.desk import Desk
from domain.records import DeskRequest
from domain.records.requests import Topic

SUBMIT_SALES, SUBMIT_SUPPORT = "kassor.sales.submit", "kassor.support.submit"
ASK = "kassor.sales."  # + topic, scope, channel, teams, channels, plan, seats, owner, text
NEW = (Topic.PAY_BY_INVOICE, Topic.QUOTE, Topic.SEVERAL_TEAMS)
CHANGES = (Topic.ADJUST, Topic.CANCEL)


@dataclass(frozen=True)
class SalesForm:
    """What the sales form begins with. `subscription` is the manually invoiced one to change, if that is what it is about."""

    topic: Topic
    scopes: tuple[ScopeOption, ...]  # that can get a plan of their own
    teams: tuple[ScopeOption, ...]  # user groups, for several teams
    scope: str  # id of the chosen one, or CHANNEL
    scope_name: str
    plan: str
    seats: str
    owner: str  # Slack user id
    subscription: str = ""
    now: str = ""  # the terms of `subscription`, in words


def topic_word(t: Words, topic: str) -> str:
    """What a request is about, as a verb phrase: it is an option of a menu too."""
    words = {
        Topic.PAY_BY_INVOICE: t.plain("Pay by invoice"),
        Topic.QUOTE: t.plain("Get a quote"),
        Topic.SEVERAL_TEAMS: t.plain("Upgrade several teams"),
        Topic.ADJUST: t.plain("Change seats or plan"),
        Topic.CANCEL: t.plain("Cancel the subscription"),
        Topic.HELP: t.plain("Get help"),
    }
    return words.get(Topic(topic), topic)


def sales_form(t: Words, desk: Desk, form: SalesForm) -> Json:
    """*Contact sales*: the fields follow the topic; what is filled in stays, because Slack keeps it by block."""
    topics = [option(topic_word(t, topic), topic.value) for topic in (CHANGES if form.subscription else NEW)]
    menu: Json = {"type": "static_select", "action_id": f"{ASK}topic", "options": topics}
    blocks = [field_of("topic", t.plain("What is it about?"), menu | chosen(topics, form.topic.value), dispatch=True)]
    if form.subscription:
        blocks.insert(0, section(t("{scope} has {terms}.", scope=form.scope_name, terms=Raw(form.now))))
    elif form.topic == Topic.SEVERAL_TEAMS:
        blocks += _team_fields(t, form)
    else:
        blocks += _scope_fields(t, form)
    if form.topic != Topic.CANCEL:
        blocks += [_plan_field(t, desk, form), _seats_field(t, desk, form)]
    if not form.subscription:
        owner: Json = {"type": "users_select", "action_id": f"{ASK}owner", "initial_user": form.owner}
        hint = t.plain("Gets the invoices by e-mail and here, and pays them. Yourself or a colleague.")
        blocks.append(field_of("owner", t.plain("Billing owner"), owner, hint=hint))
    blocks += [
        _text_field(t.plain("Anything sales should know?"), f"{ASK}text", optional=True),
        context(_what_happens(t, desk, form.topic)),
    ]
    return modal(
        t.plain("Contact sales"),
        blocks,
        close=t.plain("Cancel"),
        submit=t.plain("Send"),
        callback_id=SUBMIT_SALES,
        private_metadata=json.dumps({"subscription": form.subscription, "scope": form.scope}),
    )


def _what_happens(t: Words, desk: Desk, topic: Topic) -> str:
    if topic == Topic.CANCEL:
        return t("Everything works until the paid period ends. Sales confirm it, and I'll write to you here.")
    if topic == Topic.ADJUST:
        return t("Sales confirm the change and the price, then it holds at once and the invoice is sent.")
    return t(
        "Payment by invoice is yearly, from {smallest} seats. Sales answer with a price, and nothing is charged before that.",
        smallest=t.number(desk.catalogue.invoice_from_seats),
    )


def _scope_fields(t: Words, form: SalesForm) -> list[Json]:
    options = [option(_scope_text(t, each), each.id) for each in form.scopes[:99]]
    options.append(option(t.plain("One team: the members of a channel…"), CHANNEL))
    menu: Json = {"type": "static_select", "action_id": f"{ASK}scope", "options": options}
    fields = [field_of("scope", t.plain("Who should have it?"), menu | chosen(options, form.scope), dispatch=True)]
    if form.scope == CHANNEL:
        picker: Json = {"type": "channels_select", "action_id": f"{ASK}channel"}
        fields.append(field_of("channel", t.plain("Channel"), picker, hint=t.plain("Its members become the team.")))
    return fields


def _scope_text(t: Words, each: ScopeOption) -> str:
    counted = t.n("{count} member", "{count} members", each.members or 0)
    name = t.plain("All of {name}", name=each.name) if each.is_whole else each.name
    room = 75 - len(counted) - 3
    return f"{name if len(name) <= room else name[: room - 1] + '…'} – {counted}"


def _team_fields(t: Words, form: SalesForm) -> list[Json]:
    fields = []
    if form.teams:
        options = [option(_scope_text(t, each), each.id) for each in form.teams[:100]]
        menu: Json = {"type": "multi_static_select", "action_id": f"{ASK}teams", "options": options}
        fields.append(field_of("teams", t.plain("Which teams?"), menu) | {"optional": True})
    picker: Json = {"type": "multi_channels_select", "action_id": f"{ASK}channels"}
    hint = t.plain("The members of a channel become a team.")
    fields.append(field_of("channels", t.plain("Teams in channels"), picker, hint=hint) | {"optional": True})
    return fields


def _plan_field(t: Words, desk: Desk, form: SalesForm) -> Json:
    currency = desk.catalogue.default_currency
    options = []
    for plan in desk.catalogue.for_sale[:100]:
        price = t.plain("price on request")
        if currency in plan.price:
            amount = desk.catalogue.seat_price(plan, "month", currency).amount
            price = t.plain("{money} per seat and month", money=t.money(amount, currency))
        options.append(option(plan.name, plan.key, price))
    menu: Json = {"type": "static_select", "action_id": f"{ASK}plan", "options": options}
    return field_of("plan", t.plain("Plan"), menu | chosen(options, form.plan))


def _seats_field(t: Words, desk: Desk, form: SalesForm) -> Json:
    element: Json = {"type": "plain_text_input", "action_id": f"{ASK}seats", "max_length": 40}
    if form.seats:
        element["initial_value"] = form.seats
    hint = t.plain("A whole number, at least one for each member.")
    return field_of("seats", t.plain("Number of seats"), element, hint=hint)


def _text_field(label: str, action_id: str, *, optional: bool = False, value: str = "") -> Json:
    element: Json = {"type": "plain_text_input", "action_id": action_id, "multiline": True, "max_length": MOST_TEXT}
    if value:
        element["initial_value"] = value[:MOST_TEXT]
    field = field_of("text", label, element)
    return field | {"optional": True} if optional else field


def support_form(t: Words, *, place: str, scope: str, text: str = "") -> Json:
    """*Contact support*."""
    blocks = [
        _text_field(t.plain("How can we help?"), "kassor.support.text", value=text),
        context(t("Support see who you are, your plan and where you were, but no card data. The answer comes here.")),
    ]
    return modal(
        t.plain("Contact support"),
        blocks,
        close=t.plain("Cancel"),
        submit=t.plain("Send"),
        callback_id=SUBMIT_SUPPORT,
        private_metadata=json.dumps({"place": place[:60], "scope": scope[:60]}),
    )


def sent_to_sales(t: Words, desk: Desk, request: DeskRequest) -> Content:
    """At once, where the person is: it is on its way."""
    text = t("*Sent to sales.* They answer as soon as they can, and I'll write to you here how it went.")
    told = request.facts
    pairs = [(t("About"), escape(topic_word(t, request.topic))), (t("For"), covers(request))]
    pairs.append((t("Plan"), terms_line(t, desk, told["plan"], told["interval"], told["seats"])))
    return Content(
        text=text, blocks=[section(f":white_check_mark: {text}"), facts(pairs)], title=t.plain("Contact sales")
    )


def sent_to_support(t: Words) -> Content:
    """At once, where the person is: it is on its way."""
    text = t("*Sent to support.* The answer comes to you here.")
    return Content(text=text, blocks=[section(f":white_check_mark: {text}")], title=t.plain("Contact support"))


def covers(request: DeskRequest) -> str:
    """What a request is for: its scope, or its teams. mrkdwn."""
    names = [team["name"] for team in request.facts.get("teams") or []] or [request.scope.name]
    return escape(", ".join(names))


def state_line(t: Words, desk: Desk, request: DeskRequest) -> str:
    """One line about an open request, for the billing page: what, when asked, and what it waits for. mrkdwn."""
    what = topic_word(t, request.topic)
    if request.facts.get("plan"):
        what = f"{what} ({plan_name(desk, request.facts['plan'])})"
    if request.decided_at is not None:
        return t("{what}: agreed, and being arranged.", what=what)
    return t("{what}: asked on {day}, waiting for an answer.", what=what, day=t.day(request.asked_at))
