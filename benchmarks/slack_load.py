"""What people do in Slack, signed and at a steady rate, whether answered or not: latency counts from when it should have been sent.

Run as `python -m benchmarks.slack_load URL RATE SECONDS RESPONSE_URL OWNER MEMBERS SUBSCRIPTION`; prints one line of JSON.
"""

import asyncio
import hashlib
import hmac
import json
import sys
import time
from collections import Counter
from itertools import count
from typing import Any
from urllib.parse import urlencode

import aiohttp

SIGNING_SECRET = "benchmark"
Json = dict[str, Any]
_number = count(time.time_ns())


class Doings:
    """Ten things, over and over: half of them commands, by the owner and everybody else."""

    def __init__(self, respond: str, owner: str, members: list[str], subscription: str) -> None:
        self._respond, self._owner, self._members, self._subscription = respond, owner, members, subscription
        self._turn = count()

    def next(self) -> tuple[str, bytes]:
        """(content type, body) of what happens next."""
        turn = next(self._turn)
        member = self._members[turn % len(self._members)]
        doing = [
            lambda: self._command(member, "/billing", ""),
            lambda: self._command(self._owner, "/seats", ""),
            lambda: self._press(member, "kassor.go.page"),
            lambda: self._home(member),
            lambda: self._command(self._owner, "/billing", ""),
            lambda: self._command(member, "/billing", "help"),
            lambda: self._press(self._owner, "kassor.go.seats", self._subscription),
            lambda: self._home(self._owner),
            lambda: self._command(member, "/seats", "+5"),
            lambda: self._submit(self._owner),
        ][turn % 10]
        return doing()

    def _command(self, user: str, command: str, text: str) -> tuple[str, bytes]:
        body = {
            "command": command,
            "text": text,
            "team_id": "T1",
            "user_id": user,
            "channel_id": "C1",
            "channel_name": "general",
            "response_url": self._respond,
            "trigger_id": f"t.{next(_number)}",
            "api_app_id": "A1",
            "is_enterprise_install": "false",
        }
        return "application/x-www-form-urlencoded", urlencode(body).encode()

    def _interaction(self, user: str, **more: Any) -> tuple[str, bytes]:
        body = {
            "team": {"id": "T1", "domain": "bench"},
            "user": {"id": user, "team_id": "T1"},
            "api_app_id": "A1",
            "trigger_id": f"t.{next(_number)}",
            "enterprise": None,
            **more,
        }
        return "application/x-www-form-urlencoded", urlencode({"payload": json.dumps(body)}).encode()

    def _press(self, user: str, action_id: str, value: str = "") -> tuple[str, bytes]:
        action = {"type": "button", "action_id": action_id, "block_id": "b", "value": value, "action_ts": "1.1"}
        home = {"id": "V0", "type": "home", "state": {"values": {}}}
        container = {"type": "view", "view_id": "V0"}
        return self._interaction(user, type="block_actions", actions=[action], container=container, view=home)

    def _submit(self, user: str) -> tuple[str, bytes]:
        option = {"selected_option": {"value": "350", "text": {"type": "plain_text", "text": "350"}}}
        view = {
            "id": "V1",
            "type": "modal",
            "callback_id": "kassor.seats.submit",
            "hash": "1.a",
            "private_metadata": self._subscription,
            "title": {"type": "plain_text", "text": "Change seats"},
            "state": {"values": {"seats": {"kassor.seats.size": {"type": "static_select", **option}}}},
        }
        return self._interaction(user, type="view_submission", view=view)

    def _home(self, user: str) -> tuple[str, bytes]:
        body = {
            "type": "event_callback",
            "team_id": "T1",
            "api_app_id": "A1",
            "event_id": f"Ev{next(_number)}",
            "event_time": int(time.time()),
            "event": {"type": "app_home_opened", "user": user, "channel": "D1", "tab": "home"},
        }
        return "application/json", json.dumps(body).encode()


def signed(body: bytes) -> dict[str, str]:
    """Slack's headers."""
    stamp = str(int(time.time()))
    mac = hmac.new(SIGNING_SECRET.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={mac}"}


async def run(url: str, rate: float, seconds: float, doings: Doings) -> Json:
    """Do `rate` things a second for so long; times in milliseconds from the moment each was due."""
    took: list[float] = []
    answers: Counter[str] = Counter()
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=10)) as session:

        async def send(due: float) -> None:
            kind, body = doings.next()
            try:
                async with session.post(url, data=body, headers={"Content-Type": kind, **signed(body)}) as response:
                    said = await response.text()
                    answers[str(response.status)] += 1
                    if response.status != 200:
                        print(response.status, said[:200], body[:300], file=sys.stderr)
            except (aiohttp.ClientError, TimeoutError) as error:
                answers[type(error).__name__] += 1
            took.append((time.perf_counter() - due) * 1000)

        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number in range(int(rate * seconds)):
                due = began + number / rate
                if (wait := due - time.perf_counter()) > 0:
                    await asyncio.sleep(wait)
                group.create_task(send(due))
    took.sort()
    return {
        "p50_ms": took[len(took) // 2],
        "p99_ms": took[int(len(took) * 0.99)],
        "max_ms": took[-1],
        "statuses": dict(answers),
    }


if __name__ == "__main__":
    address, per_second, how_long, respond_at, owner_id, how_many, live = sys.argv[1:]
    people = [f"U{number}" for number in range(1, int(how_many))]
    print(
        json.dumps(
            asyncio.run(run(address, float(per_second), float(how_long), Doings(respond_at, owner_id, people, live)))
        )
    )
