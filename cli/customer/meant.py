"""Who is meant: a workspace, a team, a person, an e-mail address, an invoice's number or any id of Slack's or Stripe's."""

import difflib
import re
from dataclasses import dataclass, field
from typing import Any

from tortoise.expressions import Q

from domain.config import Settings
from domain.payments.tracing import Tracing
from domain.records import Customer, DeskRequest, Event, Invoice, Member, Notice, Quote, Scope, Subscription, Workspace
from domain.rules import catalogue

MOST = 20  # candidates shown
NAMES = 5_000  # names compared when nothing fits
_UUID = re.compile(r"[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}")


@dataclass(frozen=True)
class Hit:
    """Something that was meant, by a word that finds it again alone, and the scopes its story is told in."""

    kind: str
    name: str
    key: str
    scopes: tuple[Any, ...] = field(default=())  # ids


async def meant(settings: Settings, asked: str) -> list[Hit]:
    """All that `asked` may mean, exactly; failing that, what contains it. Raises PaymentsAway for a pi_… or ch_… then."""
    asked = asked.strip()
    if found := await _by_id(settings, asked):
        return found
    exact = [
        *await _workspaces(Q(name__iexact=asked) | Q(domain__iexact=asked)),
        *await _scopes(Q(name__iexact=asked) & ~Q(slack_ref="")),
        *await _people(Q(name__iexact=asked) | Q(email__iexact=asked)),
        *await _customers(Q(email__iexact=asked) | Q(name__iexact=asked)),
        *await _invoices(Q(number__iexact=asked)),
    ]
    if exact or len(asked) < 2:
        return _told_once(exact)
    part = Q(name__icontains=asked)
    return _told_once(
        [
            *await _workspaces(part | Q(domain__icontains=asked)),
            *await _scopes(part & ~Q(slack_ref="")),
            *await _people(part | Q(email__icontains=asked)),
            *await _customers(part | Q(email__icontains=asked)),
            *await _invoices(Q(number__icontains=asked)),
        ]
    )


def _told_once(hits: list[Hit]) -> list[Hit]:
    """Stripe's customer beside the person or workspace it is for says nothing new."""
    told: list[Hit] = []
    for hit in hits:
        if hit.kind == "customer" and any(set(hit.scopes) <= set(each.scopes) for each in told):
            continue
        told.append(hit)
    return told


async def nearest(asked: str) -> list[str]:
    """Names that look like it, when nothing fits."""
    names: list[Any] = [
        *await Workspace.all().limit(NAMES).values_list("name", flat=True),
        *await Workspace.exclude(domain="").limit(NAMES).values_list("domain", flat=True),
        *await Scope.exclude(slack_ref="").limit(NAMES).values_list("name", flat=True),
        *await Member.filter(is_bot=False).limit(NAMES).values_list("name", flat=True),
        *await Invoice.filter(number__not_isnull=True)
        .order_by("-created_at")
        .limit(NAMES)
        .values_list("number", flat=True),
    ]
    folded = {str(name).casefold(): str(name) for name in names}
    return [folded[each] for each in difflib.get_close_matches(asked.casefold(), folded, n=5, cutoff=0.6)]


async def _by_id(settings: Settings, asked: str) -> list[Hit]:
    if _UUID.fullmatch(asked):
        return await _by_uuid(asked)
    if re.fullmatch(r"[A-Z0-9]{2,32}", asked):
        return [
            *await _workspaces(Q(id=asked) | Q(enterprise_id=asked)),
            *await _scopes(Q(slack_ref=asked)),
            *await _people(Q(slack_user_id=asked)),
        ]
    event = await Event.get_or_none(id=asked) if asked.startswith("evt_") else None
    return await _by_stripe_id(settings, event.lane if event is not None else asked)


async def _by_stripe_id(settings: Settings, asked: str) -> list[Hit]:
    if asked.startswith(("pi_", "ch_")):
        door = Tracing(settings, catalogue.load(settings.catalogue))
        try:
            asked = await door.customer_of(asked) or asked
        finally:
            await door.close()
    if asked.startswith("sub_"):
        return [Hit("subscription", each.id, each.id, (each.scope_id,)) for each in await Subscription.filter(id=asked)]
    if asked.startswith("in_"):
        return await _invoices(Q(id=asked))
    return await _customers(Q(id=asked)) if asked.startswith("cus_") else []


async def _by_uuid(asked: str) -> list[Hit]:
    if scopes := await _scopes(Q(id=asked)):
        return scopes
    quote: Quote | DeskRequest | None = await Quote.get_or_none(id=asked) or await DeskRequest.get_or_none(id=asked)
    if quote is not None:
        return await _scopes(Q(id=quote.scope_id))
    notice = await Notice.get_or_none(id=asked).prefetch_related("owner_of")
    if notice is None:
        return []
    if notice.owner_of is not None:
        return await _scopes(Q(id=notice.owner_of.scope_id))
    return await _people(Q(id=notice.member_id)) if notice.member_id else await _workspaces(Q(id=notice.workspace_id))


async def _workspaces(which: Q) -> list[Hit]:
    return [
        Hit("workspace", each.name, each.id, tuple(await _of_interest(each.id)))
        for each in await Workspace.filter(which).order_by("name").limit(MOST)
    ]


async def _of_interest(workspace_id: str) -> list[Any]:
    """The whole workspace first, then every team that ever had a subscription."""
    whole = await Scope.filter(workspace_id=workspace_id, slack_ref="").values_list("id", flat=True)
    teams = Scope.filter(workspace_id=workspace_id).exclude(slack_ref="").order_by("name")
    paying = set(await Subscription.filter(scope__workspace_id=workspace_id).values_list("scope_id", flat=True))
    return [*whole, *(each for each in await teams.values_list("id", flat=True) if each in paying)]


async def _scopes(which: Q) -> list[Hit]:
    found = await Scope.filter(which).order_by("name").limit(MOST).prefetch_related("workspace")
    return [
        Hit(each.kind.value, f"{each.name}, in {each.workspace.name}", each.slack_ref or str(each.id), (each.id,))
        for each in found
    ]


async def _people(which: Q) -> list[Hit]:
    found = await Member.filter(which).order_by("name").limit(MOST).prefetch_related("workspace")
    return [
        Hit("person", f"{each.name}, in {each.workspace.name}", each.slack_user_id, tuple(await _scopes_of(each)))
        for each in found
    ]


async def _scopes_of(member: Member) -> list[Any]:
    """What they own or owned or asked for; for everybody else, their workspace."""
    ids: list[Any] = [
        *await Subscription.filter(owner_id=member.id).order_by("-is_live").values_list("scope_id", flat=True),
        *await Quote.filter(Q(requester_id=member.id) | Q(owner_id=member.id), state="applied").values_list(
            "scope_id", flat=True
        ),
    ]
    return list(dict.fromkeys(ids)) or await _of_interest(member.workspace_id)


async def _customers(which: Q) -> list[Hit]:
    found = await Customer.filter(which).order_by("id").limit(MOST)
    return [Hit("customer", each.name or each.email or each.id, each.id, (each.scope_id,)) for each in found]


async def _invoices(which: Q) -> list[Hit]:
    found = await Invoice.filter(which).order_by("-created_at").limit(MOST)
    return [Hit("invoice", each.number or each.id, each.id, (each.scope_id,)) for each in found]
