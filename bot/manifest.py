"""What Slack must know of the app, as a manifest: commands, events, and each permission with its reason."""

from typing import Any

SCOPES = {
    "commands": "people type /billing and its siblings",
    "chat:write": "messages about billing, to the people they concern",
    "im:write": "opening the direct message they arrive in",
    "im:history": "looking whether a message whose sending timed out has arrived, so that nobody gets it twice",
    "files:write": "the invoice as a PDF",
    "files:read": "looking whether that PDF has arrived",
    "users:read": "counting members, names, languages and time zones",
    "users:read.email": "telling that somebody is billing owner elsewhere already; Stripe's letters to the owner",
    "usergroups:read": "user groups are teams that can have a plan of their own",
    "channels:read": "so are the members of a channel",
    "groups:read": "also of a private one Kassör is invited to",
    "channels:join": "posting in the sales, support and audit channels",
    "team:read": "the workspace's name",
}
EVENTS = (
    "app_home_opened",
    "app_uninstalled",
    "tokens_revoked",
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


def manifest(url: str) -> dict[str, Any]:
    """The app manifest for a Kassör that Slack reaches at `url`, JSON-ready."""
    base = url.rstrip("/")
    events = f"{base}/slack/events"
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
                {"command": command, "url": events, "description": text, "usage_hint": hint, "should_escape": True}
                for command, (text, hint) in COMMANDS.items()
            ],
        },
        "oauth_config": {
            "redirect_urls": [f"{base}/slack/oauth_redirect"],
            "scopes": {"bot": list(SCOPES)},
        },
        "settings": {
            "event_subscriptions": {"request_url": events, "bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True, "request_url": events},
            "org_deploy_enabled": False,
            "socket_mode_enabled": False,
            "token_rotation_enabled": False,  # tokens are sealed at rest, and a message due at night needs no refresh
        },
    }
