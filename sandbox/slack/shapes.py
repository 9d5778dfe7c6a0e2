"""Slack's objects as its API and events show them."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.cast import Channel, Organisation, User, UserGroup, Workspace

Json = dict[str, Any]


def user(
    person: User, *, locale: bool = True, at: datetime | None = None, organisation: Organisation | None = None
) -> Json:
    """A user object, as users.list and user_change carry it. `at`: when, for the offset from UTC; now where not given.

    `organisation`: the one that the person's workspace is part of.
    """
    first, _, last = person.real_name.partition(" ")
    offset = (at or datetime.now(UTC)).astimezone(ZoneInfo(person.tz)).utcoffset()
    shown: Json = {
        "id": person.id,
        "team_id": person.team_id,
        "name": person.name,
        "deleted": person.deleted,
        "color": person.colour.removeprefix("#"),
        "real_name": person.real_name,
        "tz": person.tz,
        "tz_label": person.tz,
        "tz_offset": int(offset.total_seconds()) if offset else 0,
        "profile": {
            "real_name": person.real_name,
            "real_name_normalized": person.real_name,
            "display_name": person.real_name.split()[0] if not person.is_bot else "",
            "display_name_normalized": person.real_name.split()[0] if not person.is_bot else "",
            "first_name": first,
            "last_name": last,
            "title": "",
            "phone": "",
            "status_text": "",
            "status_emoji": "",
            "status_expiration": 0,
            "team": person.team_id,
            "image_48": "",
        },
        "is_admin": person.is_admin,
        "is_owner": person.is_admin,
        "is_primary_owner": False,
        "is_restricted": person.is_restricted,
        "is_ultra_restricted": person.is_ultra_restricted,
        "is_bot": person.is_bot,
        "is_app_user": False,
        "is_email_confirmed": not person.is_bot,
        "updated": person.updated,
    }
    if person.email:
        shown["profile"]["email"] = person.email
    if organisation is not None:
        shown["enterprise_user"] = {
            "id": person.id,
            "enterprise_id": organisation.id,
            "enterprise_name": organisation.name,
            "is_admin": False,
            "is_owner": False,
            "is_primary_owner": False,
            "teams": [person.team_id],
        }
    if locale:
        shown["locale"] = person.locale
    return shown


def channel(place: Channel, *, member: bool = True) -> Json:
    """A conversation object; `member`: whether whoever asks is in it."""
    return {
        "id": place.id,
        "name": place.name,
        "name_normalized": place.name,
        "is_channel": not place.is_private,
        "is_group": place.is_private,
        "is_im": False,
        "is_mpim": False,
        "is_private": place.is_private,
        "is_archived": place.is_archived,
        "is_general": place.id.endswith("GENERAL"),
        "is_shared": False,
        "is_ext_shared": False,
        "is_org_shared": False,
        "is_member": member,
        "created": 1_700_000_000,
        "creator": place.creator,
        "topic": {"value": "", "creator": "", "last_set": 0},
        "purpose": {"value": place.purpose, "creator": place.creator, "last_set": 0},
        "previous_names": list(place.previous_names),
        "num_members": len(place.members),
    }


def usergroup(group: UserGroup, *, users: bool = False) -> Json:
    """A user group object."""
    shown: Json = {
        "id": group.id,
        "team_id": group.team_id,
        "is_usergroup": True,
        "is_subteam": True,
        "name": group.name,
        "handle": group.handle,
        "description": "",
        "is_external": False,
        "date_create": 1_700_000_000,
        "date_update": group.updated,
        "date_delete": group.deleted_at,
        "auto_type": None,
        "auto_provision": False,
        "enterprise_subteam_id": "",
        "created_by": group.users[0] if group.users else "",
        "updated_by": group.users[0] if group.users else "",
        "deleted_by": group.deleted_by,
        "prefs": {"channels": [], "groups": []},
        "user_count": len(group.users),
        "channel_count": 0,
    }
    if users:
        shown["users"] = list(group.users)
    return shown


def team(workspace: Workspace) -> Json:
    """A team object, as team.info shows it."""
    return {
        "id": workspace.id,
        "name": workspace.name,
        "domain": workspace.domain,
        "email_domain": "",
        "icon": {"image_default": True},
        "url": f"https://{workspace.domain}.slack.example/",
    }
