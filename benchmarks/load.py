"""The load: signed events over raw sockets from a process of its own, prepared before the clock starts.

A request costs it one write and one scan of the answer, a tenth of what the cheapest server here spends on it.
Run as `python -m benchmarks.load URL[,URL…] CONNECTIONS EVENTS [DISTINCT_CUSTOMERS [EVENTS_A_SECOND]]`; prints one line of
JSON. Without a pace every connection sends its next event as soon as it has its answer; with one, each event has its moment, and
its time is counted from then, whether or not a connection was free.
"""

import asyncio
import hashlib
import hmac
import json
import os
import sys
import time
from collections import Counter
from urllib.parse import urlsplit

SECRET = "whsec_benchmark"


def body(event_id: str, customer: str) -> bytes:
    """An event of 6.7 KB, shaped like an invoice's."""
    lines = [
        {"id": f"il_{n}", "object": "line_item", "amount": 12_500 * n, "currency": "sek", "description": "10 × Premium (årsvis)",
         "metadata": {"kassor_scope": "1"}, "period": {"start": 1_795_000_000, "end": 1_826_536_000}, "proration": False,
         "price": {"id": "price_1", "unit_amount": 12_500, "recurring": {"interval": "year", "interval_count": 1}}}
        for n in range(17)
    ]  # fmt: skip
    subject = {"id": f"in_{event_id}", "object": "invoice", "customer": customer, "lines": {"data": lines}}
    event = {
        "id": event_id,
        "object": "event",
        "api_version": "2026-01-28",
        "type": "product.updated",
        "created": 1_795_000_000,
        "livemode": False,
        "data": {"object": subject},
    }
    return json.dumps(event).encode()


def request(url: str, content: bytes) -> bytes:
    """The bytes on the wire."""
    parts = urlsplit(url)
    stamp = str(int(time.time()))
    mac = hmac.new(SECRET.encode(), f"{stamp}.".encode() + content, hashlib.sha256).hexdigest()
    head = (
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json; charset=utf-8\r\n"
        f"User-Agent: Stripe/1.0\r\nStripe-Signature: t={stamp},v1={mac}\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


class _Connection(asyncio.Protocol):
    """One request after another, as long as there are any."""

    def __init__(self, run: "_Run", url: str) -> None:
        self.run, self.url = run, url
        self.transport: asyncio.Transport | None = None
        self.answer = b""
        self.began = 0.0
        self.sending: bytes | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def next(self) -> None:
        if self.sending is not None:
            self.send()
            return
        self.sending = self.run.take(self.url)
        if self.sending is None:
            self.run.ended()
            return
        self.began = self.run.moment()
        wait = self.began - time.perf_counter()
        if wait > 0:
            asyncio.get_running_loop().call_later(wait, self.send)
        else:
            self.send()

    def send(self) -> None:
        assert self.transport is not None
        assert self.sending is not None
        self.transport.write(self.sending)

    def data_received(self, data: bytes) -> None:
        self.answer += data
        head, found, rest = self.answer.partition(b"\r\n\r\n")
        if not found:
            return
        where = head.lower().find(b"content-length:")
        length = int(head[where + 15 :].split(b"\r\n", 1)[0]) if where >= 0 else 0
        if len(rest) < length:
            return
        self.run.took.append(time.perf_counter() - self.began)
        self.run.statuses[int(head[9:12])] += 1
        self.answer, self.sending = b"", None
        if b"connection: close" in head.lower():
            return  # connection_lost goes on
        self.next()

    def connection_lost(self, _: Exception | None) -> None:
        if not self.run.over:
            asyncio.get_running_loop().create_task(self.run.connect(self.url, self))


class _Run:
    def __init__(self, waiting: dict[str, list[bytes]], connections: int, pace: float | None) -> None:
        self.waiting, self.left = waiting, connections
        self.pace, self.began, self.taken = pace, time.perf_counter(), 0
        self.took: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.over = False
        self.done = asyncio.Event()

    def take(self, url: str) -> bytes | None:
        return self.waiting[url].pop() if self.waiting[url] else None

    def moment(self) -> float:
        """When the event just taken is to be sent."""
        self.taken += 1
        return time.perf_counter() if self.pace is None else self.began + self.taken / self.pace

    def ended(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.over = True
            self.done.set()

    async def connect(self, url: str, again: _Connection | None = None) -> None:
        parts = urlsplit(url)
        _, connection = await asyncio.get_running_loop().create_connection(
            lambda: _Connection(self, url), parts.hostname, parts.port
        )
        if again is not None:
            connection.sending = again.sending
        connection.next()


async def run(
    urls: list[str], connections: int, events: int, customers: int, pace: float | None = None
) -> dict[str, object]:
    """Send so many events from so many connections; the rate, the times and the answers."""
    mark = f"{os.getpid()}_{time.time_ns()}"
    waiting: dict[str, list[bytes]] = {url: [] for url in urls}
    for number in range(events):
        url = urls[number % len(urls)]
        waiting[url].append(request(url, body(f"evt_{mark}_{number}", f"cus_{number % customers}")))
    made = _Run(waiting, connections, pace)
    began = time.perf_counter()
    for number in range(connections):
        await made.connect(urls[number % len(urls)])
    await made.done.wait()
    seconds = time.perf_counter() - began
    took = sorted(made.took)
    return {
        "rate": len(took) / seconds,
        "p50_ms": took[len(took) // 2] * 1000,
        "p99_ms": took[int(len(took) * 0.99)] * 1000,
        "statuses": dict(made.statuses),
    }


if __name__ == "__main__":
    targets, at_once, how_many, *more = sys.argv[1:]
    distinct, pace = (*more, None, None)[:2]
    done = run(targets.split(","), int(at_once), int(how_many), int(distinct or 1_000), float(pace) if pace else None)
    print(json.dumps(asyncio.run(done)))
