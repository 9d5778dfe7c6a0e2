"""An Enterprise Grid organisation by whose one install Kassör is in many workspaces: which they are, and where a person is.

A view that was opened by such an install names the organisation as where the app is installed, and `team` is null. Bolt takes
the former for the workspace; the person's own `team_id` says which it is.
"""

from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

PAGE = 200
MOST_PAGES = 50


async def admitted(client: AsyncWebClient, token: str) -> dict[str, str]:
    """The workspaces an organisation lets its install into, by id, with their names. Raises what the call to Slack raises."""
    found: dict[str, str] = {}
    cursor = None
    for _ in range(MOST_PAGES):
        told = await client.auth_teams_list(token=token, limit=PAGE, cursor=cursor)
        found |= {str(each["id"]): str(each.get("name") or each["id"]) for each in told["teams"]}
        cursor = (told.get("response_metadata") or {}).get("next_cursor")
        if not cursor:
            break
    return found


def workspace_in(body: dict[str, Any]) -> str | None:
    """The workspace of who pressed or sent something in a view of an organisation's install; None of anything else."""
    view, user = body.get("view"), body.get("user")
    if not isinstance(view, dict) or not str(view.get("app_installed_team_id") or "").startswith("E"):
        return None
    given = (user.get("team_id") if isinstance(user, dict) else None, view.get("team_id"))
    return next((each for each in given if isinstance(each, str) and each.startswith("T")), None)
