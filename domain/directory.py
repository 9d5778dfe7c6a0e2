"""Who is in a workspace and its teams: the only writer of what mirrors Slack's people. Knows facts, not Slack."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from dataclasses import fields as fields_of
from datetime import datetime
from typing import Any
from uuid import uuid4

from tortoise.exceptions import IntegrityError
from tortoise.functions import Count
from tortoise.queryset import QuerySet
from tortoise.transactions import in_transaction

from domain import clock
from domain.latest import is_latest
from domain.records import Member, Scope, ScopeMember, Workspace
from domain.records.people import ScopeKind
from domain.rules.catalogue import Catalogue


@dataclass(frozen=True)
class MemberFacts:
    """A person or bot as Slack tells of them."""

    slack_user_id: str
    name: str
    email: str | None
    locale: str
    tz: str
    is_bot: bool
    is_guest: bool
    is_deactivated: bool
    is_workspace_admin: bool = False  # of Slack's own kind; says nothing about billing, but somebody to turn to (P1)


@dataclass
class Mended:
    """What a whole reading of Slack's list changed here, as Slack user ids."""

    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)  # no longer on the list: deactivated here


async def ensure_workspace(team_id: str, *, name: str, domain: str = "", enterprise_id: str | None = None) -> Workspace:
    """The workspace's record, made when new, its name kept current; its whole scope is made with it (R2)."""
    facts = {"name": name[:255], "domain": domain[:255], "enterprise_id": enterprise_id}
    await Workspace.bulk_create([Workspace(id=team_id, created_at=clock.now(), **facts)], ignore_conflicts=True)
    await Workspace.filter(id=team_id).update(**facts)
    await ensure_scope(team_id, slack_ref="", name=name, kind=ScopeKind.WORKSPACE)
    return await Workspace.get(id=team_id)


async def rename_workspace(team_id: str, name: str) -> None:
    """It is called otherwise now; so is the whole of it as a scope."""
    if name:
        await Workspace.filter(id=team_id).update(name=name[:255])
        await Scope.filter(workspace_id=team_id, slack_ref="").update(name=name[:255])


async def set_installed(team_id: str, *, installed: bool) -> None:
    """Whether the app can speak in the workspace (P3); billing itself goes on either way."""
    await Workspace.filter(id=team_id).update(installed=installed)


async def upsert_member(workspace_id: str, facts: MemberFacts, *, asked_at: datetime | None = None) -> Member:
    """Write what Slack says of one person; not what it was asked for (`asked_at`) before something that is written already."""
    known = _fields(facts)
    await Member.bulk_create([Member(workspace_id=workspace_id, **known)], ignore_conflicts=True)
    found = await Member.get(workspace_id=workspace_id, slack_user_id=facts.slack_user_id)
    async with in_transaction():
        if asked_at is None or await is_latest(f"member:{found.id}", asked_at):
            await Member.filter(id=found.id).update(**known)
    return await Member.get(id=found.id)


async def members_by_id(workspace_id: str) -> dict[str, MemberFacts]:
    """What is known of everybody in a workspace, by Slack user id."""
    return {member.slack_user_id: facts_of(member) for member in await Member.filter(workspace_id=workspace_id)}


async def replace_members(
    workspace_id: str, everyone: list[MemberFacts], *, known_before: dict[str, MemberFacts] | None = None
) -> Mended:
    """Write the whole member list; who is no longer on it counts as deactivated (nobody is deleted: R48). What was mended.

    A list takes minutes to read. `known_before` is what was known when the reading began: whoever an event has told of since
    stays as told, for the list may be the older of the two.
    """
    mended = Mended()
    async with in_transaction():
        present = {
            member.slack_user_id: member
            for member in await Member.filter(workspace_id=workspace_id).select_for_update()
        }
        if known_before is not None:
            told_since = {key for key, member in present.items() if facts_of(member) != known_before.get(key)}
            everyone = [facts for facts in everyone if facts.slack_user_id not in told_since]
            present = {key: member for key, member in present.items() if key not in told_since}
        new = []
        for facts in everyone:
            member = present.pop(facts.slack_user_id, None)
            fields = _fields(facts)
            if member is None:
                new.append(Member(workspace_id=workspace_id, **fields))
            elif any(getattr(member, name) != value for name, value in fields.items()):
                await Member.filter(id=member.id).update(**fields)
                mended.changed.append(facts.slack_user_id)
        await Member.bulk_create(new, ignore_conflicts=True)
        gone = [member for member in present.values() if not member.is_deactivated]
        if gone:
            await Member.filter(id__in=[member.id for member in gone]).update(is_deactivated=True)
        await Workspace.filter(id=workspace_id).update(members_read_at=clock.now())
    mended.new = [member.slack_user_id for member in new]
    mended.gone = [member.slack_user_id for member in gone]
    return mended


def _fields(facts: MemberFacts) -> dict[str, Any]:
    return asdict(facts) | {"name": facts.name[:255]}


def facts_of(member: Member) -> MemberFacts:
    """What is known of somebody, as Slack told it."""
    return MemberFacts(**{each.name: getattr(member, each.name) for each in fields_of(MemberFacts)})


async def ensure_scope(workspace_id: str, *, slack_ref: str, name: str, kind: ScopeKind) -> Scope:
    """The record of what a subscription can cover, made when new. `slack_ref` is empty for the whole workspace."""
    known = await Scope.get_or_none(workspace_id=workspace_id, slack_ref=slack_ref)
    if known is None:
        try:
            async with in_transaction():
                return await Scope.create(
                    id=uuid4(),
                    workspace_id=workspace_id,
                    slack_ref=slack_ref,
                    name=name[:255],
                    kind=kind,
                    created_at=clock.now(),
                )
        except IntegrityError:  # somebody else made it at the same moment
            known = await Scope.get(workspace_id=workspace_id, slack_ref=slack_ref)
    changes = {}
    if known.name != name[:255]:
        changes["name"] = name[:255]
    if known.kind == ScopeKind.WORKSPACE and kind == ScopeKind.ORGANISATION:
        changes["kind"] = kind
    if changes:
        await Scope.filter(id=known.id).update(**changes)
        await known.refresh_from_db()
    return known


async def whole(workspace_id: str) -> Scope:
    """The scope of the whole workspace or organisation."""
    return await Scope.get(workspace_id=workspace_id, slack_ref="")


async def becomes_organisation(workspace_id: str) -> None:
    """The workspace has teams now: it is an organisation from here on (R2)."""
    await Scope.filter(workspace_id=workspace_id, slack_ref="", kind=ScopeKind.WORKSPACE).update(
        kind=ScopeKind.ORGANISATION
    )


async def set_team_members(
    scope: Scope, slack_user_ids: list[str], *, asked_at: datetime | None = None
) -> tuple[int, int]:
    """Write who is in a team; returns how many joined and left. Users the workspace doesn't know yet are left out until it does.

    Nothing is written of what Slack was asked for (`asked_at`; now) before something that is written already.
    """
    async with in_transaction():
        if not await is_latest(f"team:{scope.id}", asked_at or clock.now()):
            return 0, 0
        members = await Member.filter(workspace_id=scope.workspace_id, slack_user_id__in=slack_user_ids)
        wanted = {member.id for member in members}
        present = {row.member_id for row in await ScopeMember.filter(scope_id=scope.id)}
        if present - wanted:
            await ScopeMember.filter(scope_id=scope.id, member_id__in=list(present - wanted)).delete()
        new = [ScopeMember(scope_id=scope.id, member_id=member) for member in sorted(wanted - present)]
        await ScopeMember.bulk_create(new, ignore_conflicts=True)
    return len(new), len(present - wanted)


def counted(scope: Scope, catalogue: Catalogue) -> QuerySet[Member]:
    """Who needs a seat: active humans of the whole (R5) or the team (R6); guests where the catalogue says so."""
    found = Member.filter(workspace_id=scope.workspace_id, is_bot=False, is_deactivated=False)
    if not catalogue.count_guests:
        found = found.filter(is_guest=False)
    return found.filter(teams__scope_id=scope.id) if scope.kind == ScopeKind.TEAM else found


async def members_in(scope: Scope, catalogue: Catalogue) -> int:
    """How many members of the scope need a seat."""
    return await counted(scope, catalogue).count()


async def members_in_each(scopes: Sequence[Scope], catalogue: Catalogue) -> dict[Any, int]:
    """`members_in` of many scopes in two questions, by scope id."""
    counted: dict[str, Any] = {"is_bot": False, "is_deactivated": False}
    if not catalogue.count_guests:
        counted["is_guest"] = False
    teams = [scope for scope in scopes if scope.kind == ScopeKind.TEAM]
    workspaces = {scope.workspace_id for scope in scopes if scope.kind != ScopeKind.TEAM}
    everybody: dict[str, int] = dict(
        await Member.filter(workspace_id__in=list(workspaces), **counted)
        .annotate(number=Count("id"))
        .group_by("workspace_id")
        .values_list("workspace_id", "number")
        if workspaces
        else []
    )
    on_teams: dict[Any, int] = dict(
        await ScopeMember.filter(
            scope_id__in=[team.id for team in teams], **{f"member__{name}": value for name, value in counted.items()}
        )
        .annotate(number=Count("id"))
        .group_by("scope_id")
        .values_list("scope_id", "number")
        if teams
        else []
    )
    return {
        scope.id: on_teams.get(scope.id, 0) if scope.kind == ScopeKind.TEAM else everybody.get(scope.workspace_id, 0)
        for scope in scopes
    }


async def is_in(scope: Scope, member: Member) -> bool:
    """Whether somebody belongs to the scope: the workspace's own, and on the team when it is one."""
    if member.workspace_id != scope.workspace_id:
        return False
    if scope.kind != ScopeKind.TEAM:
        return True
    return await ScopeMember.filter(scope_id=scope.id, member_id=member.id).exists()


async def member(workspace_id: str, slack_user_id: str) -> Member | None:
    """Somebody by their Slack user id, in that workspace only."""
    return await Member.get_or_none(workspace_id=workspace_id, slack_user_id=slack_user_id)
