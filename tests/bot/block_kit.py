"""Whether Slack would take what is shown: its written limits, the ones people found by being refused, and what Kassör promises
beside them.

The written limits are the local Slack's own (`sandbox/slack/blocks.py`), so that what passes here is taken there and the other way
round. The total of a message's text is written nowhere: Slack answers `msg_blocks_too_long` from about 12,000 characters, and has
done so from 11,300, so messages stay a good way below.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from bot.views.blocks import Content, Json
from sandbox.slack.blocks import problems_in_blocks, problems_in_view

MESSAGE_TOTAL = 10_000  # characters of all text in a message's blocks
FALLBACK = 4_000  # characters Slack recommends at most for a message's text
VIEW_BYTES = 250_000  # of a whole view: `view_too_large`
_DATE = re.compile(r"<!date\^\d+\^\{date\}(, \{time\})?\|[^<>|]+>")
_PINGS = re.compile(r"<(!(channel|here|everyone)|!subteam|https://x\.example)")


def walk(shown: Any) -> Iterator[Json]:
    """Every object in a view or in blocks."""
    if isinstance(shown, dict):
        yield shown
        shown = list(shown.values())
    if isinstance(shown, list):
        for each in shown:
            yield from walk(each)


def text_total(blocks: list[Json]) -> int:
    """Characters of all the text in blocks, as Slack adds them up."""
    return sum(len(each["text"]) for each in walk(blocks) if isinstance(each.get("text"), str))


def problems(shown: Content | Json | list[Json]) -> list[str]:
    """What Slack, or a careful reader, would say; empty if nothing. Blocks alone are checked as a modal's."""
    found: list[str] = []
    if isinstance(shown, Content):
        found += problems_in_blocks(shown.blocks)
        total = text_total(shown.blocks)
        if total > MESSAGE_TOTAL:
            found.append(f"{total} characters of text: msg_blocks_too_long")
        if not shown.text.strip():
            found.append("no fallback text")
        if "!date" in shown.text:
            found.append("a date in the fallback, where nobody draws it")
        if len(shown.text) > FALLBACK:
            found.append(f"a fallback of {len(shown.text)} characters")
        if shown.title is not None and not shown.title.strip():
            found.append("an empty title")
    elif isinstance(shown, dict) and "blocks" in shown:
        found += problems_in_view(shown)
        size = len(json.dumps(shown).encode())
        if size > VIEW_BYTES:
            found.append(f"{size} bytes: view_too_large")
    else:
        found += problems_in_blocks(shown if isinstance(shown, list) else [shown], "modal")
    return found + _careless(shown.blocks if isinstance(shown, Content) else shown)


def _careless(shown: Json | list[Json]) -> list[str]:
    """What Slack takes and a reader minds."""
    found: list[str] = []
    for each in walk(shown):
        if each.get("type") == "mrkdwn" and (ping := _PINGS.search(each["text"])):
            found.append(f"somebody's markup works: {ping.group()}")
        if "!date" in str(each.get("text")) and each.get("type") == "plain_text":
            found.append(f"a date that Slack does not draw: {each['text']}")
        if each.get("type") == "mrkdwn" and "!date" in _DATE.sub("", each["text"]):
            found.append(f"half a date, or one escaped: {each['text']}")
        if "!date" in str((each.get("confirm") or {}).get("text")):
            found.append(f"a date in a question: {each['confirm']['text']}")
        if each.get("type") in {"button", "overflow", "plain_text_input"} and not each.get("action_id"):
            found.append(f"no action_id: {each}")
        if each.get("type") == "image" and not str(each.get("alt_text", "")).strip():
            found.append("an image without alt text")
        if "url" in each and not str(each["url"]).startswith(("https://", "http://")):
            found.append(f"an address no browser should open: {each['url']}")
    return found
