"""A message that asked for a payment, once that is over: its buttons have given way to what happened and when."""

from bot.views.blocks import Content, section
from bot.words import Words
from domain.asks import How


def what_happened(t: Words, how: str, at: str) -> str:
    """What became of it; `at` is an ISO 8601 moment."""
    day = t.iso_day(at)
    if how == How.PAID:
        return ":white_check_mark: " + t("*Paid* on {day}.", day=day)
    if how == How.EXPIRED:
        return ":information_source: " + t("The payment page closed on {day}. Nothing was charged.", day=day)
    if how == How.SUPERSEDED:
        return ":information_source: " + t("A newer upgrade took its place on {day}. Nothing was charged.", day=day)
    return ":information_source: " + t("Taken back on {day}: there is nothing to pay.", day=day)


def without_buttons(content: Content, happened: str) -> Content:
    """The message as it was, with what happened in place of its buttons."""
    kept = [block for block in content.blocks if block["type"] != "actions"]
    return Content(text=f"{content.text}\n{happened}", blocks=[*kept, section(happened)])
