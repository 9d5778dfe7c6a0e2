"""What Slack says: tokens, permissions, channels, staff, and what time it is there."""

from datetime import UTC, datetime

from cli.doctor.finding import Finding, Tools, ok, unknown, wrong
from domain import clock

MOST_SKEW = 60.0  # seconds; Slack and Stripe refuse signatures older than 300
_DEAD = {"account_inactive", "invalid_auth", "not_authed", "token_expired", "token_revoked"}


async def tokens(tools: Tools) -> list[Finding]:
    """Each workspace's token works and may do what the manifest says."""
    if tools.settings.slack_client_id is not None and not tools.database_is_good:
        return [unknown("Slack", "The installations are in the database.", "Mend the database first, then ask again.")]
    found = await tools.slack.tokens()
    again = f"{tools.settings.public_url}/slack/install"
    if not found:
        return [wrong("Slack", "Kassör is installed in no workspace.", f"Open {again} as a workspace admin.")]
    lines: list[Finding] = []
    for token in found:
        subject = f"Slack {token.name or token.team_id}".strip()
        if token.problem == "sealed":
            lines.append(
                wrong(
                    subject,
                    "Its token was sealed with a key that is gone.",
                    "Put the old key back into KASSOR_ENCRYPTION_KEYS, last, or install again.",
                )
            )
        elif token.problem == "unrefreshed":
            lines.append(
                wrong(
                    subject,
                    f"Its token has expired, and Slack gives no new one ({token.why}).",
                    f"See that SLACK_CLIENT_ID and SLACK_CLIENT_SECRET are right; else open {again} there.",
                )
            )
        elif token.problem is not None:
            mend = "Install Kassör again there." if token.problem in _DEAD else "See Slack's page for that error."
            lines.append(wrong(subject, f"Slack refuses the token: {token.problem}.", mend))
        elif token.expires_at is not None:
            left = max(0, round((token.expires_at - clock.now()).total_seconds() / 60))
            lines.append(
                wrong(
                    subject,
                    f"Its token expires in {left} minutes and could not be refreshed.",
                    f"Ask again in a minute; if it stays so, open {again} there before it falls silent.",
                )
            )
        elif token.missing:
            lines.append(
                wrong(
                    subject,
                    f"Permissions are missing: {', '.join(token.missing)}.",
                    "Update the app's manifest (`kassor manifest`) and install again there.",
                )
            )
        elif not token.scopes_are_known:
            lines.append(
                unknown(subject, "The token works; Slack did not say what it may.", "Look at OAuth & Permissions.")
            )
        else:
            extra = f"; more than needed: {', '.join(token.superfluous)}" if token.superfluous else ""
            lines.append(ok(subject, f"The token works and has every permission{extra}."))
    lines += skew("Slack", [token.said_at for token in found])
    return lines


async def channels(tools: Tools) -> list[Finding]:
    """The desks' channels are there, and the bot is in them."""
    if tools.settings.slack_client_id is not None and not tools.database_is_good:
        return []  # said once, by `tokens`
    settings, lines = tools.settings, []
    for what, channel in (
        ("sales channel", settings.sales_channel),
        ("support channel", settings.support_channel),
        ("audit channel", settings.audit_channel),
    ):
        if channel is None:
            continue
        place = await tools.slack.place(channel)
        if place is None:
            lines.append(
                wrong(
                    what, f"Nobody of ours sees {channel}.", "See that the id is right; invite Kassör to a private one."
                )
            )
        elif place.is_archived:
            lines.append(wrong(what, f"#{place.name} is archived.", "Unarchive it, or set another."))
        elif not place.is_joined and place.is_private:
            lines.append(wrong(what, f"Kassör is not in #{place.name}.", "Type /invite @Kassör there."))
        else:
            lines.append(ok(what, f"#{place.name}" + ("." if place.is_joined else "; Kassör joins it by itself.")))
    for user in settings.sales_staff:
        person = await tools.slack.person(user)
        if person is None or not person.is_active:
            why = "is nobody Slack knows" if person is None else "is deactivated, or a bot"
            lines.append(wrong("sales staff", f"{user} {why}.", "Take them out of KASSOR_SALES_STAFF."))
        else:
            lines.append(ok("sales staff", f"{person.name} ({user})."))
    return lines


def skew(subject: str, said: list[datetime | None]) -> list[Finding]:
    """How far this machine's own clock (not the world's) is from theirs. Whole seconds, and the way there, make up to two."""
    heard = [moment for moment in said if moment is not None]
    if not heard:
        return []
    apart = abs((datetime.now(UTC) - max(heard)).total_seconds())
    if apart > MOST_SKEW:
        return [
            wrong(
                f"clock ({subject})",
                f"This machine's clock is {apart:.0f} s from {subject}'s: signatures would be refused.",
                "Let it follow a time server (NTP).",
            )
        ]
    return [ok(f"clock ({subject})", f"Within {max(2, round(apart))} s of {subject}'s.")]
