"""Seat usage as the billing owner reads it (R33, R36): bought, used, free; who uses a seat, and who doesn't count and why."""

from bot.views.blocks import Content, Json, actions, button, context, divider, facts, section
from bot.views.doors import support_button
from bot.views.links import GO
from bot.words import Words, escape, mention
from domain.actions.usage import SeatUsage

PREVIOUS, NEXT = "kassor.usage.previous", "kassor.usage.next"  # value: subscription:page
_CELLS = 10  # of the bar


def usage(t: Words, found: SeatUsage) -> Content:
    """A page of it."""
    title = t.plain("Seat usage")
    seats = found.subscription.seats
    key = found.subscription.id
    numbers = [
        (t("Bought"), t.number(seats)),
        (t("In use"), t.number(found.used)),
        (t("Free"), t.number(max(0, found.free))),
    ]
    blocks: list[Json] = [section(f"*{escape(found.scope.name)}*\n{_bar(found.used, seats)}"), facts(numbers)]
    if found.free < 0:
        missing = t.n("{count} seat is missing.", "{count} seats are missing.", -found.free)
        blocks.append(section(f":warning: {missing} " + t("Nothing is added by itself: you decide.")))
    blocks.append(divider())
    names = " · ".join(mention(person.slack_user_id) for person in found.people)
    blocks.append(section(t("*Members who use a seat*") + "\n" + (names or t("nobody"))))
    blocks += _uncounted(t, found)
    row: list[Json] = []
    if found.page > 0:
        row.append(button(t.plain("Show previous"), PREVIOUS, f"{key}:{found.page - 1}"))
    if found.page + 1 < found.pages:
        row.append(button(t.plain("Show next"), NEXT, f"{key}:{found.page + 1}"))
    if found.pages > 1:
        blocks.append(context(t("Page {page} of {pages}", page=t.number(found.page + 1), pages=t.number(found.pages))))
    blocks.append(
        actions(*row, button(t.plain("Change seats"), f"{GO}seats", key), support_button(t, "usage"), block_id="usage")
    )
    said = t("{used} of {seats} in use", used=t.number(found.used), seats=t.number(seats))
    return Content(text=f"{title}: {said}", blocks=blocks, title=title)


def _bar(used: int, seats: int) -> str:
    """How full it is, beside the numbers that say it."""
    full = min(_CELLS, -(-used * _CELLS // max(1, seats)))
    return "▰" * full + "▱" * (_CELLS - full)


def _uncounted(t: Words, found: SeatUsage) -> list[Json]:
    """Who needs no seat, and why, in numbers."""
    numbers = [
        (found.guests, t.n("{count} guest", "{count} guests", found.guests or 0)),
        (found.bots, t.n("{count} app", "{count} apps", found.bots)),
        (found.deactivated, t.n("{count} deactivated account", "{count} deactivated accounts", found.deactivated)),
    ]
    who = ", ".join(said for number, said in numbers if number)
    blocks = [context(t("Not counted, because only active members need a seat: {who}.", who=who))] if who else []
    return [*blocks, context(t("Guests need a seat here too."))] if found.guests is None else blocks
