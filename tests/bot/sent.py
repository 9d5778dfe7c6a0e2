"""Everything Slack could send Kassör: each command, button, menu, form and event, by anyone, about the first workspace.

All of it carries the ids of the first workspace's subscription, offer, request, channel and group, also when somebody of another
workspace sends it: a client can be made to send anything.
"""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from bot.listeners import BUTTONS, COMMANDS, SUBMISSIONS, decision_views, doors
from domain.actions.deciding import Terms
from domain.records import Subscription
from tests.bot.conftest import BIG

Json = dict[str, Any]
OWNER, MEMBER, GUEST = "U0BJORN02", "U0DAVID04", "U0GUEST19"
CHANNEL, GROUP = "C0DESIGN1", "S0DESIGN1"
KEY = UUID("0d0a1c5e-0000-4000-8000-000000000001")  # of the offer, and of the request
TYPED = {
    "/seats": "25",
    "/platser": "25",
    "/billing": "seats 25",
    "/fakturering": "avsluta",
    "/billing-owner": f"<@{MEMBER}>",
    "/betalningsansvarig": f"<@{MEMBER}>",
}
TERMS = Terms("premium", {str(KEY): 25}, 125_000, "sek", 30).as_json()
CHOICES = [f"kassor.upgrade.{name}" for name in ("scope", "channel", "plan", "interval", "seats", "currency")]
LINKS = [f"kassor.{name}" for name in ("checkout.open", "invoice.open", "invoice.pay", "invoice.pdf", "stripe.open")]
PATTERNED = [*CHOICES, "kassor.which.0", *LINKS]
_IN_FORMS = {"kassor.sales.topic", "kassor.sales.scope", "kassor.terms.plan", *CHOICES}
_OF_REQUESTS = {decision_views.APPROVE, decision_views.DECLINE, decision_views.ANSWER}
_OF_SUBSCRIPTIONS = {
    "kassor.seats.submit",
    "kassor.plan.submit",
    "kassor.owner.submit",
    "kassor.admins.submit",
    "kassor.copies.submit",
}


@dataclass(frozen=True)
class Sent:
    """One thing Slack would send."""

    kind: str
    name: str

    def body(self, team: str, user: str, trigger: str, url: str, live: Subscription) -> Json:
        """What Slack would post."""
        if self.kind == "event":
            return _envelope(team, trigger, EVENTS[self.name](user) | {"type": self.name})
        if self.kind == "command":
            text = TYPED.get(self.name, "premium yearly 20")
            place = {"channel_id": "D0FORGED", "command": self.name, "text": text, "trigger_id": trigger}
            return {"team_id": team, "user_id": user, "response_url": url} | place
        who = {"user": {"id": user, "team_id": team}, "team": {"id": team}, "trigger_id": trigger}
        if self.kind == "form":
            return who | {"type": "view_submission", "view": self._view(live)}
        if self.kind == "menu":
            asked = {"type": "block_suggestion", "action_id": self.name, "block_id": "x", "value": ""}
            return who | asked | {"view": self._view(live)}
        pressed = {"action_id": self.name, "block_id": "x", "type": "button", "value": self._value(live)}
        pressed["action_ts"] = "1790000000.000100"
        if self.name in _IN_FORMS:
            return who | {"type": "block_actions", "view": self._view(live), "actions": [pressed]}
        return who | {
            "type": "block_actions",
            "container": {"type": "message", "channel_id": "D0FORGED", "message_ts": "1.1"},
            "channel": {"id": "D0FORGED"},
            "response_url": url,
            "actions": [pressed],
        }

    def _value(self, live: Subscription) -> str:
        """What the button carries."""
        scope = str(live.scope_id)
        carried = {
            **dict.fromkeys(["kassor.quote.accept", "kassor.quote.drop", *_OF_REQUESTS], str(KEY)),
            **dict.fromkeys(["kassor.usage.previous", "kassor.usage.next"], f"{live.id}:0"),
            **dict.fromkeys(["kassor.invoices.newer", "kassor.invoices.older"], f"{scope}:0"),
            **dict.fromkeys(["kassor.go.page", "kassor.go.invoices"], scope),
            doors.SALES: f"adjust:{live.id}",
            "kassor.owner.confirm": f"{live.id}:{MEMBER}",
            "kassor.which.0": f"{live.id}|usage|",
        }
        return carried.get(self.name, live.id)

    def _view(self, live: Subscription) -> Json:
        kept = json.dumps({"request": str(KEY), "channel": "D0FORGED", "subscription": live.id, "terms": TERMS})
        return {
            "id": "V1",
            "type": "modal",
            "callback_id": self.name,
            "private_metadata": live.id if self.name in _OF_SUBSCRIPTIONS else kept,
            "state": {"values": {"x": _chosen(str(live.scope_id))}},
            "title": {"type": "plain_text", "text": "x"},
            "blocks": [],
        }


def _chosen(scope_id: str) -> Json:
    """In every form, whatever it has fields for."""
    return {
        "kassor.seats.size": {"selected_option": {"value": "25"}},
        "kassor.plan.plan": {"selected_option": {"value": "business"}},
        "kassor.plan.interval": {"selected_option": {"value": "year"}},
        "kassor.owner.member": {"selected_user": MEMBER},
        "kassor.admins.members": {"selected_users": [MEMBER]},
        "kassor.copies.members": {"selected_users": [MEMBER]},
        "kassor.support.text": {"value": "Help"},
        "kassor.desk.words": {"value": "No"},
        "kassor.upgrade.seats": {"selected_option": {"value": "20"}},
        "kassor.upgrade.scope": {"selected_option": {"value": scope_id}},
    }


# --- events: what each tells, about whom ---


def _envelope(team: str, key: str, event: Json) -> Json:
    sent_for = {"team_id": team, "enterprise_id": None, "is_bot": True, "is_enterprise_install": False}
    return {
        "type": "event_callback",
        "event_id": f"Ev{key}",
        "team_id": team,
        "enterprise_id": "E0FORGED" if event["type"].startswith("team_access") else None,
        "event": event,
        "authorizations": [sent_for | {"user_id": "U0KASSOR1"}],
    }


def _person(user: str) -> Json:
    """Slack tells of somebody, as of the first workspace, by another name than before."""
    told = {"id": user, "team_id": BIG, "name": "renamed", "real_name": "Renamed", "locale": "sv-SE", "tz": "UTC"}
    return {"user": told | {"is_restricted": user == GUEST}}


def _group(_: str) -> Json:
    return {"subteam": {"id": GROUP, "date_delete": 1_790_000_000}}


def _in_channel(user: str) -> Json:
    return {"user": user, "channel": CHANNEL}


def _channel_renamed(_: str) -> Json:
    return {"channel": {"id": CHANNEL, "name": "renamed"}}


def _reach(_: str) -> Json:
    return {"team_ids": [BIG]}


EVENTS = {
    "app_home_opened": lambda user: {"user": user, "channel": "D0FORGED", "tab": "home"},
    "team_join": _person,
    "user_change": _person,
    "subteam_created": _group,
    "subteam_updated": _group,
    "subteam_members_changed": lambda _: {"subteam_id": GROUP},
    "channel_rename": _channel_renamed,
    "group_rename": _channel_renamed,
    "team_rename": lambda _: {"name": "Renamed"},
    **dict.fromkeys(
        [
            "member_joined_channel",
            "member_left_channel",
            "channel_archive",
            "group_archive",
            "channel_deleted",
            "group_deleted",
            "channel_left",
            "group_left",
            "channel_unarchive",
            "group_unarchive",
        ],
        _in_channel,
    ),
    "team_access_granted": _reach,
    "team_access_revoked": _reach,
    "tokens_revoked": lambda _: {"tokens": {"bot": ["U0KASSOR1"]}},
    "app_uninstalled": lambda _: {},
}
EVERYTHING = [
    *(Sent("command", name) for name in COMMANDS),
    *(Sent("button", name) for name in [*BUTTONS, *PATTERNED]),
    Sent("menu", "kassor.upgrade.scope"),
    *(Sent("form", name) for name in SUBMISSIONS),
    *(Sent("event", name) for name in EVENTS),
]
