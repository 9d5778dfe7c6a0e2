"""What the sandbox's Kassör shows of its own rows: the latest of each, and nothing that opens a door."""

import json
from datetime import timedelta
from uuid import UUID

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from cli import inside
from domain import clock
from domain.records import AuditEntry, Event, Notice, Quote
from tests.domain.conftest import settle


async def filled() -> None:
    """One row of each, with secrets wherever a row may carry one."""
    scope, members = await settle("T1", 2)
    now = clock.now()
    await Event.create(
        id="evt_1", type="invoice.paid", created_at=now, received_at=now, available_at=now, payload='{"id": "SECRET"}'
    )
    await Notice.create(
        id=UUID(int=1),
        kind="payment_failed",
        facts={
            "amount": 100,
            "deep": [{"response_url": "https://SECRET", "access_token": "SECRET", "plan": "premium"}],
        },
        dedup_key="k1",
        workspace_id="T1",
        member=members[0],
        created_at=now,
        available_at=now,
    )
    await Quote.create(
        id=UUID(int=2), kind="upgrade", applies="checkout", scope=scope, requester=members[0], owner=members[1], plan="premium",
        interval="year", seats=20, seats_asked=18, currency="sek", due_now=2_500_000, lines=[], next_total=2_500_000,
        origin={"response_url": "https://SECRET"}, offered_at=now, expires_at=now + timedelta(hours=1),
        checkout_session_id="cs_SECRET", checkout_url="https://SECRET",
    )  # fmt: skip
    for number in range(3):
        await AuditEntry.create(
            id=UUID(int=10 + number),
            at=now + timedelta(seconds=number),
            workspace_id="T1",
            scope=scope,
            actor=members[0],
            source="slack",
            verb=f"verb {number}",
            dedup_key=f"k{number}",
        )


async def test_each_kind_of_row_is_shown_newest_first_with_the_names_of_people(database: str) -> None:
    await filled()
    rows = await inside.rows(2)
    assert [row["verb"] for row in rows["audit"]] == ["verb 2", "verb 1"]
    assert rows["outbox"][0]["facts"]["deep"] == [{"plan": "premium"}]
    assert rows["outbox"][0]["member"] == rows["quotes"][0]["requester"]
    assert rows["quotes"][0]["due_now"] == 2_500_000
    assert rows["inbox"][0]["type"] == "invoice.paid"


async def test_no_payload_address_or_token_leaves_over_http(database: str) -> None:
    await filled()
    application = web.Application()
    application.add_routes(inside.routes())
    async with TestClient(TestServer(application)) as client:
        for wished in ("50", "", "-1", "many", "9" * 30):
            async with client.get("/control/inside", params={"last": wished}) as response:
                assert response.status == 200
                told = await response.text()
                assert "SECRET" not in told
                assert set(json.loads(told)) == {"inbox", "outbox", "quotes", "audit"}
