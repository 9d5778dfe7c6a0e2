"""What Slack's answers mean: which errors are about the person, which about the token, and which tell nothing at all."""

from enum import Enum

from slack_sdk.errors import SlackApiError

TOKEN_GONE = frozenset({"token_revoked", "account_inactive", "token_expired", "team_access_not_granted"})
TOKEN_BAD = frozenset({"invalid_auth", "not_authed"})
NOBODY_THERE = frozenset(
    {
        "user_disabled",
        "user_not_found",
        "user_not_visible",
        "cannot_dm_bot",
        "messages_tab_disabled",
        "is_inactive",
        "channel_not_found",
        "is_archived",
    }
)
CHANNEL_GONE = frozenset({"channel_not_found", "is_archived", "is_inactive", "not_in_channel"})
NO_FILES = frozenset(  # the workspace's own rules: no later try goes better
    {
        "file_uploads_disabled",
        "file_uploads_except_images_disabled",
        "file_upload_size_restricted",
        "file_type_not_allowed",
    }
)
UNSURE = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout"})


class Step(Enum):
    """What was being done when Slack answered, or didn't: it decides what an answer tells of the message."""

    LOOKING = "looking"  # for an earlier try: whatever comes of it, that try stays unknown
    PREPARING = "preparing"  # finding the channel, opening the DM: nothing has gone
    SENDING = "sending"  # a "no" is certain, silence is not


class NothingSent(Exception):  # noqa: N818 - it says what it is
    """It went wrong before anything could be seen in Slack."""


def code(error: SlackApiError) -> str:
    """Slack's word for it; empty when what answered was no word of Slack's."""
    try:
        return str(error.response.get("error") or "")
    except AttributeError:  # plain text, or JSON cut short: the SDK hands on what it got
        return ""


def status(error: SlackApiError) -> int:
    """The HTTP status, 0 when there is none."""
    response = error.response
    return int(getattr(response, "status_code", 0) or getattr(response, "status", 0) or 0)


def is_limit(error: SlackApiError) -> bool:
    """Whether Slack asks to wait: nothing was done."""
    return status(error) == 429 or code(error) in {"ratelimited", "rate_limited"}


def is_unsure(error: SlackApiError) -> bool:
    """Whether it may have been done all the same: also when something between us and Slack answered in its place."""
    return status(error) >= 500 or code(error) in UNSURE or not (code(error) or is_limit(error))


def retry_after(error: SlackApiError) -> float:
    """Seconds to wait; half a minute where Slack doesn't say."""
    given = str((getattr(error.response, "headers", None) or {}).get("Retry-After", ""))
    return float(given) if given.isdigit() else 30.0


def messages(error: SlackApiError) -> str:
    """What it says of the reasons, for the log."""
    try:
        return "; ".join((error.response.get("response_metadata") or {}).get("messages") or [])[:500]
    except AttributeError:
        return ""
