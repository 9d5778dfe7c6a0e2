"""`kassor customer`, whole: find who is meant, gather, print."""

import json
from collections.abc import Callable

from cli.customer.meant import Hit, meant, nearest
from cli.customer.screen import candidates, console, screen
from cli.customer.story import story
from domain import clock
from domain.config import Settings
from domain.database import opened

MOST_STORIES = 10  # scopes told at once; a workspace with more paying teams is asked for by team


async def tell(settings: Settings, asked: str, say: Callable[[str], None], *, as_json: bool) -> bool:
    """Print the story; returns whether it could be told: False for nobody, and for several that may be meant."""
    clock.follow(settings.clock_file)
    async with opened(settings.database_url):
        hits = await meant(settings, asked)
        one = len(hits) == 1 or len({hit.scopes for hit in hits}) == 1
        if one and len(hits[0].scopes) <= MOST_STORIES:
            told = [await story(settings, scope) for scope in hits[0].scopes]
            if as_json:
                say(json.dumps({"asked": asked, "stories": told}, indent=2, ensure_ascii=False))
                return True
            out = console()
            for number, each in enumerate(told):
                if number:
                    out.rule()
                screen(out, each)
            return True
        near = [] if hits else await nearest(asked)
    if as_json:
        said = {"asked": asked, "stories": [], "candidates": [_shown(hit) for hit in hits], "nearest": near}
        say(json.dumps(said, indent=2, ensure_ascii=False))
    elif hits:
        candidates(console(), asked, hits)
    else:
        say(f"Nobody and nothing here is {asked!r}." + (f" Did you mean {', '.join(near)}?" if near else ""))
    return False


def _shown(hit: Hit) -> dict[str, str]:
    return {"kind": hit.kind, "name": hit.name, "key": hit.key}
