"""What people see: pure functions, facts in, Slack blocks out."""

from bot.views.blocks import Json, section


def note_loading(text: str) -> list[Json]:
    """What a modal shows while something takes a moment."""
    return [section(f":hourglass_flowing_sand: {text}")]
