"""Slack's objects as its API and events show them."""

from typing import Any

from sandbox.cast import Channel, User, UserGroup, Workspace

Json = dict[str, Any]


def user(person: User, *, locale: bool = True) -> Json:
    """A user object, as users.list and user_change carry it."""
    shown: Json = {
        "id": person.id,
        "team_id": person.team_id,
        "name": person.name,
        "deleted": person.deleted,
        "color": person.colour.removeprefix("#"),
        "real_name": person.real_name,
        "tz": person.tz,
        "tz_label": person.tz,
        "tz_offset": 0,
        "profile": {
            "real_name": person.real_name,
            "real_name_normalized": person.real_name,
            "display_name": person.real_name.split()[0] if not person.is_bot else "",
            "display_name_normalized": person.real_name.split()[0] if not person.is_bot else "",
            "team": person.team_id,
            "image_48": "",
        },
        "is_admin": person.is_admin,
        "is_owner": person.is_admin,
        "is_primary_owner": False,
        "is_restricted": person.is_restricted,
        "is_ultra_restricted": False,
        "is_bot": person.is_bot,
        "is_app_user": False,
        "updated": person.updated,
    }
    if person.email:
        shown["profile"]["email"] = person.email
    if locale:
        shown["locale"] = person.locale
    return shown


def channel(place: Channel) -> Json:
    """A conversation object."""
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
        "is_member": True,
        "created": 1_700_000_000,
        "creator": place.creator,
        "topic": {"value": "", "creator": "", "last_set": 0},
        "purpose": {"value": place.purpose, "creator": place.creator, "last_set": 0},
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
        "date_update": 1_700_000_000,
        "date_delete": group.deleted_at,
        "auto_type": None,
        "created_by": group.users[0] if group.users else "",
        "updated_by": group.users[0] if group.users else "",
        "prefs": {"channels": [], "groups": []},
        "user_count": len(group.users),
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
