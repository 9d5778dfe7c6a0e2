"""A process without public routes tells its own numbers on a port of its own, when given one."""

import asyncio
import sys
from pathlib import Path

import pytest
from aiohttp import ClientError, ClientSession

from domain.database import migrate_database
from tests.sandbox.stripe.shop import free_port

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("role", ["worker", "scheduler"])
async def test_a_process_without_public_routes_can_be_watched(tmp_path: Path, role: str) -> None:
    url, port = f"sqlite://{tmp_path}/kassor.db", free_port()
    await migrate_database(url)
    environment = {
        "DATABASE_URL": url,
        "SLACK_SIGNING_SECRET": "a-secret",
        "SLACK_BOT_TOKEN": "xoxb-1",
        "SLACK_API_URL": "http://127.0.0.1:9/api/",
        "STRIPE_API_KEY": "sk_test_1",
        "STRIPE_API_URL": "http://127.0.0.1:9",
        "STRIPE_WEBHOOK_SECRETS": "whsec_1",
        "KASSOR_PUBLIC_URL": "https://kassor.example",
        "KASSOR_METRICS_PORT": str(port),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli", "serve", role, cwd=ROOT, env=environment
    )
    try:
        text = await _read(f"http://127.0.0.1:{port}/metrics")
        await _read(f"http://127.0.0.1:{port}/readyz")
    finally:
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 15) == 0
    assert 'kassor_queue_items{queue="outbox",state="due"} 0.0' in text


async def _read(url: str) -> str:
    async with ClientSession() as session:
        for _ in range(200):
            try:
                async with session.get(url) as response:
                    assert response.status == 200
                    return await response.text()
            except ClientError:
                await asyncio.sleep(0.1)
    raise AssertionError("it was never there")
