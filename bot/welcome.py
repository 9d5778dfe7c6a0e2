"""Somebody has installed Kassör: they hear from it once, in their own language, and are told what to do first."""

from datetime import timedelta

from domain import clock, directory, notices
from domain.notices import NoticeKind
from domain.records import Installation, Subscription

FRESH = timedelta(days=1)  # whoever installed longer ago knows it by now


async def greet(team_id: str) -> None:
    """Tell who has just installed it here: once a workspace, and not where somebody has had a plan, as after a new install (P3).

    Called when the workspace's people are known. Nobody is told of one token for one workspace, or of an organisation's install:
    Slack does not say who is there to read it.
    """
    made = await Installation.get_or_none(team_id=team_id, revoked_at=None)
    if made is None or made.installed_at < clock.now() - FRESH:
        return
    if await Subscription.filter(scope__workspace_id=team_id).exists():
        return
    installer = await directory.member(team_id, made.installer_user_id)
    if installer is None or not installer.is_active:
        return
    await notices.tell(
        NoticeKind.WELCOME, workspace_id=team_id, facts={}, dedup_key=f"welcome:{team_id}", member=installer
    )
