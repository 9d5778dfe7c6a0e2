"""Who is there: workspaces, their members, and what a subscription can cover. Mirrors Slack; written by `domain.directory`."""

from enum import StrEnum

from tortoise import fields
from tortoise.models import Model


class ScopeKind(StrEnum):
    """What one subscription covers (R2). A workspace is an organisation as soon as it has teams."""

    WORKSPACE = "workspace"
    ORGANISATION = "organisation"
    TEAM = "team"


class Workspace(Model):
    """A Slack workspace that has, or has had, Kassör installed."""

    id = fields.CharField(max_length=32, primary_key=True)  # slack_team_id
    enterprise_id = fields.CharField(max_length=32, null=True)
    name = fields.CharField(max_length=255)
    domain = fields.CharField(max_length=255, default="")
    installed = fields.BooleanField(default=True)  # P3: False while the app is uninstalled or its token revoked
    members_read_at = fields.DatetimeField(null=True)  # last full read of Slack's member list
    created_at = fields.DatetimeField()

    class Meta:
        table = "workspace"


class Member(Model):
    """A person (or bot) in a Slack workspace."""

    id = fields.BigIntField(primary_key=True)
    workspace: fields.ForeignKeyRelation[Workspace] = fields.ForeignKeyField(
        "kassor.Workspace", related_name="members", on_delete=fields.RESTRICT
    )
    workspace_id: str
    slack_user_id = fields.CharField(max_length=32)
    name = fields.CharField(max_length=255)  # as Slack shows it; never trusted as markup
    email = fields.CharField(max_length=320, null=True)
    locale = fields.CharField(max_length=16, default="en-US")  # Slack's, such as sv-SE
    tz = fields.CharField(max_length=64, default="UTC")
    is_bot = fields.BooleanField(default=False)
    is_guest = fields.BooleanField(default=False)  # single- or multi-channel
    is_deactivated = fields.BooleanField(default=False)
    is_workspace_admin = fields.BooleanField(default=False)  # an admin or owner in Slack's own sense

    class Meta:
        table = "member"
        unique_together = (("workspace", "slack_user_id"),)

    @property
    def is_active(self) -> bool:
        """May act and own: an active human who is no guest (R26)."""
        return not (self.is_bot or self.is_guest or self.is_deactivated)


class Scope(Model):
    """What one subscription covers: a whole workspace or organisation, or one team in it. Never moves (R9), never deleted (R48)."""

    id = fields.UUIDField(primary_key=True)
    workspace: fields.ForeignKeyRelation[Workspace] = fields.ForeignKeyField(
        "kassor.Workspace", related_name="scopes", on_delete=fields.RESTRICT
    )
    workspace_id: str
    kind = fields.CharEnumField(ScopeKind, max_length=16)
    slack_ref = fields.CharField(max_length=32, default="")  # a user group (S…) or channel (C…); empty for the whole
    name = fields.CharField(max_length=255)
    created_at = fields.DatetimeField()

    class Meta:
        table = "scope"
        unique_together = (("workspace", "slack_ref"),)


class ScopeMember(Model):
    """Who belongs to a team. The members of a whole workspace are its Member rows, not repeated here."""

    id = fields.BigIntField(primary_key=True)
    scope: fields.ForeignKeyRelation[Scope] = fields.ForeignKeyField(
        "kassor.Scope", related_name="memberships", on_delete=fields.CASCADE
    )
    scope_id: str
    member: fields.ForeignKeyRelation[Member] = fields.ForeignKeyField(
        "kassor.Member", related_name="teams", on_delete=fields.CASCADE
    )
    member_id: int

    class Meta:
        table = "scope_member"
        unique_together = (("scope", "member"),)


class Admin(Model):
    """An admin of a paying scope (R28). Ended, never deleted (R48), and at most one current row a member and scope (constraint)."""

    id = fields.BigIntField(primary_key=True)
    scope: fields.ForeignKeyRelation[Scope] = fields.ForeignKeyField(
        "kassor.Scope", related_name="admins", on_delete=fields.RESTRICT
    )
    scope_id: str
    member: fields.ForeignKeyRelation[Member] = fields.ForeignKeyField(
        "kassor.Member", related_name="admin_of", on_delete=fields.RESTRICT
    )
    member_id: int
    since = fields.DatetimeField()
    until = fields.DatetimeField(null=True)

    class Meta:
        table = "admin"
