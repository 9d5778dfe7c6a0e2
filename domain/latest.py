"""Of two answers about one thing, the one asked for last counts, in whichever order they come and whichever process they come to.

Two events at the same moment are two readings of Slack, two choices in an open form two drawings of it. The one that was asked for
last knows what the others do. When that was is a watermark, kept for as long as an older answer could still be under way.
"""

from datetime import datetime

from domain.records import Watermark

ASKED = "asked:"


async def is_latest(about: str, asked_at: datetime) -> bool:
    """Whether nothing has been asked later about it (at most 58 characters) that was told of here; then this counts from now on.

    In a transaction its row is held, so that what follows is written before anybody else's.
    """
    name = f"{ASKED}{about}"
    await Watermark.bulk_create([Watermark(id=name, at=asked_at)], ignore_conflicts=True)
    return bool(await Watermark.filter(id=name, at__lte=asked_at).update(at=asked_at))
