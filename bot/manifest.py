"""What Slack must know of the app, as a manifest: commands, events, permissions."""

from typing import Any

from bot.install_pages import permissions
from bot.words import Words

SCOPES = tuple(permissions(Words("en-US")))
EVENTS = (
    "app_home_opened",
    "app_uninstalled",
    "tokens_revoked",
    "team_access_granted",
    "team_access_revoked",
    "team_join",
    "team_rename",
    "user_change",
    "subteam_created",
    "subteam_updated",
    "subteam_members_changed",
    "member_joined_channel",
    "member_left_channel",
    "channel_rename",
    "channel_archive",
    "channel_unarchive",
    "channel_deleted",
    "channel_left",
    "group_rename",
    "group_archive",
    "group_unarchive",
    "group_deleted",
    "group_left",
)
COMMANDS = {
    "/billing": (
        "Billing: plan, seats, invoices",
        "[upgrade | seats | usage | plan | owner | invoices | support | help]",
    ),
    "/upgrade": ("Upgrade to a paid plan", "[plan] [monthly | yearly] [seats]"),
    "/seats": ("Add or remove seats", "[+5 | 25]"),
    "/billing-owner": ("Hand over billing", "[@colleague]"),
    "/fakturering": (
        "Fakturering: abonnemang, platser, fakturor",
        "[uppgradera | platser | användning | abonnemang | ansvarig | fakturor | support | hjälp]",
    ),
    "/uppgradera": ("Uppgradera till ett betalabonnemang", "[abonnemang] [månadsvis | årsvis] [platser]"),
    "/platser": ("Lägg till eller ta bort platser", "[+5 | 25]"),
    "/betalningsansvarig": ("Lämna över faktureringen", "[@kollega]"),
}


def manifest(url: str | None, *, socket_mode: bool = False) -> dict[str, Any]:
    """The app manifest for a Kassör that Slack reaches at `url`, JSON-ready.

    `socket_mode`: Slack reaches it by the connections it opens, and `url`, if there is one, is for browsers alone.
    """
    base = (url or "").rstrip("/")
    at = {} if socket_mode else {"url": f"{base}/slack/events"}
    asked = {} if socket_mode else {"request_url": f"{base}/slack/events"}
    redirects = {"redirect_urls": [f"{base}/slack/oauth_redirect"]} if base else {}
    return {
        "display_information": {
            "name": "Kassör",
            "description": "The billing desk: plans, seats, owners and invoices.",
            "background_color": "#1f6f54",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": True,
            },
            "bot_user": {"display_name": "Kassör", "always_online": True},
            "slash_commands": [
                {"command": command, **at, "description": text, "usage_hint": hint, "should_escape": True}
                for command, (text, hint) in COMMANDS.items()
            ],
        },
        "oauth_config": {
            **redirects,
            "scopes": {"bot": list(SCOPES)},
        },
        "settings": {
            "event_subscriptions": {**asked, "bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True, **asked},
            "org_deploy_enabled": True,
            "socket_mode_enabled": socket_mode,
            "token_rotation_enabled": False,  # works when turned on, but Slack lets nobody turn it off again: the operator's choice
        },
    }
