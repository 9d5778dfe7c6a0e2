"""How soon people are answered: signed request to acknowledgement, beside Bolt with empty listeners, at 100 requests a second."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from uuid import uuid4

from benchmarks.results import Results, median
from benchmarks.servers import ROOT, Databases, free_port, process, settings
from benchmarks.slack_load import SIGNING_SECRET
from domain import clock
from domain.database import opened
from domain.records import Admin, Customer, Member, Scope, Subscription, Workspace
from domain.records.mirror import Interval
from domain.records.people import ScopeKind

RATE = 100  # requests a second
SECONDS = 15
MEMBERS = 300
SUBSCRIPTION = "sub_bench"


async def settle_in(url: str) -> None:
    """A workspace of some size whose owner, U0, pays for it."""
    now = clock.now()
    async with opened(url):
        workspace = await Workspace.create(id="T1", name="Bench", members_read_at=now, created_at=now)
        await Member.bulk_create(
            [
                Member(
                    workspace=workspace, slack_user_id=f"U{n}", name=f"Person {n}", locale="sv-SE" if n % 2 else "en-US"
                )
                for n in range(MEMBERS)
            ]
        )
        owner = await Member.get(slack_user_id="U0")
        scope = await Scope.create(
            id=uuid4(), workspace=workspace, kind=ScopeKind.WORKSPACE, name="Bench", created_at=now
        )
        await Customer.create(id="cus_bench", scope=scope, currency="sek", payment_method_label="visa •••• 4242")
        await Subscription.create(
            id=SUBSCRIPTION,
            scope=scope,
            owner=owner,
            customer_id="cus_bench",
            status="active",
            is_live=True,
            plan="premium",
            interval=Interval.YEAR,
            seats=300,
            currency="sek",
            unit_amount=99_000,
            item_id="si_bench",
            price_id="price_bench",
            collection_method="charge_automatically",
            current_period_start=now - timedelta(days=30),
            current_period_end=now + timedelta(days=335),
            started_at=now - timedelta(days=30),
        )
        await Admin.create(scope=scope, member=owner, since=now)


@contextmanager
def neighbours(slack_ms: float = 30, stripe_ms: float = 100) -> Iterator[str]:
    """Slack and Stripe beside us."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.neighbours", str(port), str(slack_ms), str(stripe_ms)]
    with process(command, port, cwd=ROOT):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def desk(database: str, world: str) -> Iterator[str]:
    """Kassör's web process; yields where Slack sends things."""
    port = free_port()
    environment = settings(
        database, port, SLACK_SIGNING_SECRET=SIGNING_SECRET, SLACK_API_URL=f"{world}/api/", STRIPE_API_URL=world
    )
    with process([sys.executable, "-m", "cli", "serve", "web"], port, cwd=ROOT, env=environment):
        yield f"http://127.0.0.1:{port}/slack/events"


@contextmanager
def bare() -> Iterator[str]:
    """Bolt with empty listeners."""
    port = free_port()
    with process([sys.executable, "-m", "benchmarks.bare_bolt", str(port)], port, cwd=ROOT):
        yield f"http://127.0.0.1:{port}/slack/events"


def people(url: str, world: str, rate: float = RATE, seconds: float = SECONDS) -> dict[str, float]:
    """What people wait for, at a steady rate. Raises RuntimeError when anything but 200 was answered."""
    command = [sys.executable, "-m", "benchmarks.slack_load", url, str(rate), str(seconds), f"{world}/respond"]
    done = subprocess.run(
        [*command, "U0", str(MEMBERS), SUBSCRIPTION], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    found = json.loads(done.stdout)
    if set(found["statuses"]) != {"200"}:
        raise RuntimeError(f"{url} answered {found['statuses']}")
    return {name: float(found[name]) for name in ("p50_ms", "p99_ms", "max_ms")}


def run(results: Results, *, rounds: int) -> None:
    """Alternating rounds; the median counts."""
    with ExitStack() as stack:
        database = Databases(stack).postgres()
        asyncio.run(settle_in(database))
        world = stack.enter_context(neighbours())
        urls = {"kassor": stack.enter_context(desk(database, world)), "bare_bolt": stack.enter_context(bare())}
        found: dict[str, list[dict[str, float]]] = {name: [] for name in urls}
        for url in urls.values():
            people(url, world, seconds=3)  # warm
        for _ in range(rounds):
            for name, url in urls.items():
                found[name].append(people(url, world))
        p99 = {name: median([each["p99_ms"] for each in all_]) for name, all_ in found.items()}
        for name, all_ in found.items():
            results.add(f"ack.p50.{name}", median([each["p50_ms"] for each in all_]), "ms")
            results.add(f"ack.p99.{name}", p99[name], "ms")
            results.add(f"ack.max.{name}", max(each["max_ms"] for each in all_), "ms")
        results.add("ack.p99.vs_bare_bolt", p99["kassor"] / p99["bare_bolt"], "×", most=3.0)
