"""Upgraded the wrong one (R10): it is cancelled from where the right one is being upgraded, and that goes on."""

from bot.views.blocks import actions, button, context, note
from bot.views.doors import support_button
from bot.views.links import GO
from bot.visit import Visit
from domain import clock, directory
from domain.actions import cancel


async def cancel_pressed(visit: Visit) -> None:
    """*Cancel the plan of …*, confirmed: it ends when its paid period does; asked twice, it is done once."""
    await visit.ack()
    t = visit.words
    work = cancel.cancel_elsewhere(visit.desk, visit.actor, str(visit.action.get("value") or ""))
    fresh = await visit.unhurried(work, t("One moment…"))
    ends = t.day(fresh.cancel_at or fresh.current_period_end)
    text = t("The other plan is cancelled and works until {day}. Now you can upgrade here.", day=ends)
    whole = await directory.whole(visit.team_id)
    row = [button(t.plain("Upgrade"), f"{GO}upgrade", str(whole.id), style="primary"), support_button(t, "elsewhere")]
    if visit.view.get("previous_view_id"):  # the filled-in upgrade is open below
        text += " " + t("Close this and go on where you were.")
        row = row[1:]
    await visit.reply(
        note(f":white_check_mark: {text}", context(t.time(clock.now())), actions(*row, block_id="elsewhere"))
    )
