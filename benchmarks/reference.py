"""The reference receiver: what the same machine does with the same libraries and nothing else in the way.

aiohttp, HMAC, `json.loads`, and asyncpg group commit into a table with a key and nothing else. `single` inserts each event by
itself; `sqlite` is aiosqlite group commit with the same durability. Run as `python -m benchmarks.reference KIND PORT DATABASE`.
"""

import asyncio
import hashlib
import hmac
import json
import sys
import time
from collections import deque
from datetime import UTC, datetime
from typing import Any

import aiosqlite
import asyncpg
from aiohttp import web

from benchmarks.load import SECRET

TABLE = "CREATE TABLE IF NOT EXISTS reference (id text PRIMARY KEY, type text, created timestamptz, payload text)"
MANY = "INSERT INTO reference SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[]) ON CONFLICT DO NOTHING"
ONE = "INSERT INTO reference VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"
Row = tuple[str, str, datetime, str]


class Group:
    """Whoever comes during a commit shares the next one."""

    def __init__(self, commit: Any) -> None:
        self.commit = commit
        self.waiting: deque[tuple[Row, asyncio.Future[None]]] = deque()
        self.task: asyncio.Task[None] | None = None

    async def put(self, row: Row) -> None:
        """Return when the row is committed."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append((row, future))
        if self.task is None:
            self.task = asyncio.create_task(self.write())
        await future

    async def write(self) -> None:
        """Commit what waits, batch by batch."""
        while self.waiting:
            batch = [self.waiting.popleft() for _ in range(min(256, len(self.waiting)))]
            await self.commit([row for row, _ in batch])
            for _, future in batch:
                future.set_result(None)
        self.task = None


async def store(kind: str, database: str) -> Any:
    """How a row gets in."""
    if kind == "sqlite":
        file = await aiosqlite.connect(database, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            await file.execute(f"PRAGMA {pragma}")
        await file.execute(TABLE)

        async def commit_file(rows: list[Row]) -> None:
            await file.execute("BEGIN")
            await file.executemany(
                "INSERT INTO reference VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                [(a, b, str(c), d) for a, b, c, d in rows],
            )
            await file.commit()

        return Group(commit_file).put
    if kind == "single":
        pool = await asyncpg.create_pool(database, min_size=1, max_size=20)

        async def insert(row: Row) -> None:
            async with pool.acquire() as connection:
                await connection.execute(ONE, *row)

        await pool.execute(TABLE)
        return insert
    connection = await asyncpg.connect(database)
    await connection.execute(TABLE)

    async def commit(rows: list[Row]) -> None:
        await connection.execute(MANY, *map(list, zip(*rows, strict=True)))

    return Group(commit).put


async def main(kind: str, port: int, database: str) -> None:
    """Serve until killed."""
    put = await store(kind, database)

    async def receive(request: web.Request) -> web.Response:
        body = await request.read()
        parts = dict(part.split("=", 1) for part in request.headers["Stripe-Signature"].split(","))
        signed = hmac.new(SECRET.encode(), parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(signed, parts["v1"]) or abs(time.time() - int(parts["t"])) > 300:
            return web.Response(status=400)
        event = json.loads(body)
        await put((event["id"], event["type"], datetime.fromtimestamp(event["created"], UTC), body.decode()))
        return web.json_response({"received": True})

    app = web.Application()
    app.add_routes([web.post("/stripe/webhooks", receive)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
