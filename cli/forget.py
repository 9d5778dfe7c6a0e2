"""`kassor forget`: a workspace that has left, and the people in it."""

import json
from collections.abc import Callable

from tortoise.expressions import Q

from domain import clock, forgetting
from domain.config import Settings
from domain.database import opened
from domain.forgetting import NotYet
from domain.records import Workspace


async def forget(settings: Settings, asked: str, say: Callable[[str], None], *, dry_run: bool, as_json: bool) -> None:
    """Forget, or say what would be. Raises NotYet, also for a workspace that is nowhere, or is not named alone."""
    clock.follow(settings.clock_file)
    async with opened(settings.database_url):
        found = await Workspace.filter(Q(id=asked) | Q(domain=asked)).limit(2)
        if len(found) != 1:
            raise NotYet((f"{asked!r} is no workspace's id (T…) or Slack domain; `kassor customer` finds them",))
        told = await forgetting.standing(found[0]) if dry_run else await forgetting.forget(found[0])
    if as_json:
        facts = {"workspace": found[0].id, "dry_run": dry_run, "rows": told.rows, "obstacles": list(told.obstacles)}
        say(json.dumps(facts, indent=2, ensure_ascii=False))
        return
    for name, count in told.rows.items():
        say(f"  {name:<14} {count:>7}")
    for obstacle in told.obstacles:
        say(f"Not yet: {obstacle}.")
    say(
        "Nothing was changed: what is forgotten, and what the law wants kept, is in docs/privacy.md."
        if dry_run
        else "Forgotten. Stripe keeps its own: erase the customer there too (Customers → Redact), if the law asks for it."
    )
