"""The pages of an installation: what Kassör is and asks for, how it went, and each way it can fail in words of its own."""

import html

from bot.pages import DESK, DONE, LEFT, STOPPED, page
from bot.words import Words

START = "/slack/install/start"
AGAIN = "/slack/install"
BACK = "/slack/oauth_redirect"
APP_REDIRECT = "https://slack.com/app_redirect"
CHOOSE = (
    "https://app.slack.com/manage/{enterprise_id}/integrations/profile/{app_id}/workspaces/add"  # as Slack documents it
)


def permissions(t: Words) -> dict[str, str]:
    """Each of Slack's scopes that Kassör asks for, and why; the manifest, the OAuth address and this page have them from here."""
    return {
        "commands": t.plain("people type /billing and its siblings"),
        "chat:write": t.plain("messages about billing, to the people they concern"),
        "im:write": t.plain("opening the direct message they arrive in"),
        "im:history": t.plain(
            "looking whether a message whose sending timed out has arrived, so that nobody gets it twice"
        ),
        "files:write": t.plain("the invoice as a PDF"),
        "files:read": t.plain("looking whether that PDF has arrived"),
        "users:read": t.plain("counting members; their names, languages and time zones"),
        "users:read.email": t.plain(
            "telling that somebody is billing owner elsewhere already; Stripe's letters to the owner"
        ),
        "usergroups:read": t.plain("user groups are teams that can have a plan of their own"),
        "channels:read": t.plain("so are the members of a channel"),
        "groups:read": t.plain("also of a private one Kassör is invited to"),
        "channels:join": t.plain("posting in the sales, support and audit channels"),
        "team:read": t.plain("the workspace's name"),
    }


def before(t: Words) -> str:
    """What Kassör does, may do and keeps, and the way to Slack's own page."""
    does = (
        t.plain("It shows what something costs before anybody pays, and charges only what was confirmed."),
        t.plain(
            "It tells the billing owner about invoices and payments, in a direct message, and nobody whom the owner has not chosen."
        ),
        t.plain("It counts who is there, so that seats and people agree."),
    )
    rows = "".join(
        f"<div><dt>{html.escape(scope)}</dt><dd>{html.escape(why)}</dd></div>" for scope, why in permissions(t).items()
    )
    keeps = t.plain(
        "Kassör reads no conversations but its own direct messages. It keeps the names, e-mail addresses, languages and time zones"
        " of members, and what was decided about billing. Cards are entered at Stripe and never reach Kassör."
    )
    more = "".join(
        (
            _heading(t.plain("What it does")),
            "<ul>" + "".join(f"<li>{html.escape(each)}</li>" for each in does) + "</ul>",
            _heading(t.plain("What it asks Slack for, and why")),
            f"<dl>{rows}</dl>",
            _heading(t.plain("What it knows about you")),
            f"<p>{html.escape(keeps)}</p>",
        )
    )
    text = t.plain("Upgrade, change seats, hand over billing and get the invoices, without leaving the conversation.")
    title = t.plain("The billing desk in your Slack")
    return page(t, title, text, icon=DESK, href=START, button=t.plain("Add to Slack"), more=more)


def _heading(text: str) -> str:
    return f"<h2>{html.escape(text)}</h2>"


def installed(t: Words, *, where: str, app_id: str, team_id: str) -> str:
    """It went well, in a workspace called `where`."""
    href = f"{APP_REDIRECT}?app={app_id}&team={team_id}"
    text = t.plain("It is finding out who is there. Type /billing in Slack to begin.")
    title = t.plain("Kassör is in {where}", where=where)
    return page(t, title, text, icon=DONE, href=href, button=t.plain("Open Kassör in Slack"))


def installed_widely(t: Words, *, where: str, app_id: str, enterprise_id: str) -> str:
    """It went well, in an organisation called `where`: it is in none of its workspaces until somebody has chosen them."""
    href = CHOOSE.format(enterprise_id=enterprise_id, app_id=app_id)
    text = t.plain("An admin of the organisation now chooses the workspaces it may be in.")
    title = t.plain("Kassör is in {where}", where=where)
    return page(t, title, text, icon=DONE, href=href, button=t.plain("Choose workspaces in Slack"))


def failed(t: Words, reason: str) -> str:
    """It did not: why, and the way to begin anew. `reason` is Slack's or Bolt's code, shown only where it is one we don't know."""
    title, icon = t.plain("Kassör was not installed"), STOPPED
    if reason == "access_denied":
        icon = LEFT
        text = t.plain("You said no on Slack's page, and nothing has changed. Start again whenever you like.")
    elif reason == "invalid_browser":
        text = t.plain(
            "The installation was begun in another browser, or this one keeps no cookies. Begin and finish it in the same one."
        )
    elif reason == "invalid_state":
        text = t.plain(
            "It took longer than ten minutes, or this page was opened twice. If Kassör isn't in Slack yet, start again."
        )
    elif reason in {"invalid_code", "missing_code"}:
        text = t.plain(
            "Slack's confirmation is missing, too old or used already. If Kassör isn't in Slack yet, start again."
        )
    elif reason in {"storage_error", "slack_away"}:
        text = t.plain("Something did not answer on the way. Nothing is half done: wait a minute, then start again.")
    else:
        code = "".join(each for each in reason if each.isascii() and (each.isalnum() or each == "_"))[:60]
        text = t.plain(
            "Slack did not allow it ({code}). An admin of the workspace may have to approve Kassör first.", code=code
        )
    return page(t, title, text, icon=icon, href=AGAIN, button=t.plain("Start again"))


def too_often(t: Words) -> str:
    """Somebody, or many behind one address, began more often than anybody needs to."""
    text = t.plain(
        "It was begun too many times from where you are. Nothing has changed: wait a minute, then start again."
    )
    return page(t, t.plain("A moment, please"), text, icon=STOPPED, href=AGAIN, button=t.plain("Start again"))
