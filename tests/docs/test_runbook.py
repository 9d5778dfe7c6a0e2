"""Each symptom of `docs/runbook.md`, brought about and mended by the words of the page; or the test elsewhere that does it.

One installation for all of them, a process of each kind on PostgreSQL, in the world's real time, in the order of the tests.
"""

import asyncio
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pytest
import pytest_asyncio
from cryptography.fernet import Fernet

from bot.manifest import EVENTS
from cli.sandbox_client import Person, SandboxClient, texts
from cli.wiring import pushed_catalogue
from domain.config import load
from sandbox.clock import WorldClock
from sandbox.world import World, kassor_environment
from tests.acceptance.conftest import ROOT, three_free_ports, until_ready
from tests.acceptance.hands import copies, named
from tests.chaos.counts import FULL
from tests.docs.pages import Environment, console, document, section, type_in, typed
from tests.postgres import Postgres
from tests.sandbox.stripe.shop import free_port

pytestmark = pytest.mark.timeout(180)
PAGE = document("runbook.md")
ELSEWHERE = {  # symptom → the test that brings it about and mends it
    "What happened to a customer's invoice?": (
        "tests/cli/test_customer.py",
        "test_the_story_says_plan_owner_invoice_and_where_its_copy_is",
    ),
    "Events are buried": ("tests/cli/test_events.py", "test_events_are_done_again_by_id_type_state_or_time"),
    "Messages are buried": ("tests/cli/test_notices.py", "test_messages_are_tried_again_and_what_was_sent_never_is"),
    "Stripe is away": ("tests/webhooks/test_worker.py", "test_stripe_away_puts_events_off_without_counting"),
    "Somebody was shown a reference": (
        "tests/acceptance/test_trace.py",
        "test_a_change_of_seats_can_be_followed_from_the_command_to_the_message",
    ),
    "Installations are answered 429": (
        "tests/cli/test_public.py",
        "test_behind_a_proxy_each_client_has_its_own_share_and_can_not_forge_another",
    ),
    "The database was restored from a backup": (
        "tests/acceptance/test_restore.py",
        "test_I2_a_lost_database_comes_back_from_its_backup_and_no_copy_is_lost_or_doubled",
    ),
}
SIGNING_SECRET = "0123456789abcdef0123456789abcdef"  # as Slack's look: the doctor minds
ROLES = ("web", "worker", "scheduler")
WAIT, UNSTORED, REFUSED = "Events wait", "Events are answered 503", "Webhooks are refused"
MESSAGES, COPY, TICK = "Messages wait", "A copy has not arrived", "The scheduler does not tick"
KEY, SLACK, SEALED = "Stripe refuses the key", "Slack is away", "The encryption key is lost"
UNPAID = "Payments fail"
Test = TypeVar("Test", bound=Callable[..., Any])


def about(*headings: str, slow: bool = False) -> Callable[[Test], Test]:
    """Which symptoms a test brings about and mends. Slow: processes are started anew, so it is left to `make chaos`."""

    def mark(test: Test) -> Test:
        test.about = headings  # type: ignore[attr-defined]  # read below
        marked: Test = pytest.mark.asyncio(loop_scope="module")(test)
        return (
            pytest.mark.skipif(not FULL, reason="seconds of starting anew: KASSOR_CHAOS=full")(marked)
            if slow
            else marked
        )

    return mark


@dataclass
class Operator:
    """Somebody with the page open, beside an installation whose processes they start and stop."""

    folder: Path
    world: World
    sandbox: SandboxClient
    environment: Environment
    running: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    async def start(self, *roles: str) -> None:
        """Start these; returns when each is ready."""
        await asyncio.gather(*(self._start(role) for role in roles))

    async def _start(self, role: str) -> None:
        port = self.environment["PORT"] if role == "web" else str(free_port())
        environment = self.environment | {"PORT": port}
        if role != "web":
            environment["KASSOR_METRICS_PORT"] = port
        with (self.folder / f"{role}.log").open("ab") as out:
            self.running[role] = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "cli", "serve", role), cwd=ROOT, env=environment, stdout=out, stderr=out
            )
        await until_ready(f"http://127.0.0.1:{port}")

    async def stop(self, *roles: str) -> None:
        """Stop these, or all."""
        ending = [self.running.pop(role) for role in roles or tuple(self.running)]
        for process in ending:
            process.terminate()
        await asyncio.gather(*(process.wait() for process in ending))

    async def again(self, *roles: str, **settings: str) -> None:
        """With other settings, start these anew."""
        self.environment |= settings
        await self.stop(*roles)
        await self.start(*roles)

    async def types(self, heading: str, number: int = 0, *, well: bool = True, **names: str) -> str:
        """Type a line of what the page says under a heading; what it prints."""
        line = typed(section(PAGE, heading))[number]
        for theirs, ours in names.items():
            line = line.replace(theirs, ours)
        done = await asyncio.to_thread(
            type_in, line.replace('"Example Ltd"', "Fjällvind"), self.folder, self.environment
        )
        assert (done.returncode == 0) is well, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout


async def eventually(found: Callable[[], Awaitable[Any]], seconds: float = 20) -> Any:
    """What it finds, once it finds something."""
    async with asyncio.timeout(seconds):
        while not (answer := await found()):  # noqa: ASYNC110 - what is waited for is in another process
            await asyncio.sleep(0.1)
        return answer


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def operator(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Operator]:
    folder = tmp_path_factory.mktemp("runbook")
    database = await asyncio.to_thread((lent := postgres.database()).__enter__)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(asyncio.to_thread, lent.__exit__, None, None, None)
        clock = WorldClock(folder / "clock")
        stack.callback(clock.close)
        port = three_free_ports()
        world = World(port=port, kassor_url=f"http://127.0.0.1:{port + 2}", clock=clock, subscribed=EVENTS)
        stack.push_async_callback(world.stop)
        await world.start()
        world.slack.sender._secret = SIGNING_SECRET.encode()
        environment = {"PATH": console(folder / "bin"), **kassor_environment(world)} | {
            "DATABASE_URL": database,
            "KASSOR_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
            "KASSOR_COPY_HOURS": "00:00-24:00",  # whatever time it is here
        }
        del environment["KASSOR_CLOCK_FILE"]  # time is real
        await pushed_catalogue(load(environment))
        sandbox = await stack.enter_async_context(SandboxClient(world.slack.base_url))
        operator = Operator(folder, world, sandbox, environment)
        stack.push_async_callback(operator.stop)
        await operator.start("web")
        await world.install_in("T0FJALL01")
        yield operator


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def owner(operator: Operator) -> Person:
    return await named(operator.sandbox, "Björn")


async def told(operator: Operator, who: Person) -> list[str]:
    return [texts(each) for each in await operator.sandbox.messages(who) if not each.get("ephemeral")]


async def row(operator: Operator, query: str, *values: Any) -> Any:
    connection = await asyncpg.connect(operator.environment["DATABASE_URL"])
    try:
        return await connection.fetchval(query, *values)
    finally:
        await connection.close()


async def seats_offered(operator: Operator, owner: Person, seats: int) -> dict[str, Any]:
    """The offer that the owner may press."""
    before = len(await operator.sandbox.said_to(owner))
    await operator.sandbox.command(owner, "/seats", str(seats))

    async def offer() -> Any:
        said = (await operator.sandbox.said_to(owner))[before:]
        return next((each for each in said if "kassor.quote.accept" in str(each)), None)

    found: dict[str, Any] = await eventually(offer)
    return found


def subscription(operator: Operator) -> dict[str, Any]:
    """The one there is, at Stripe."""
    [found] = operator.world.stripe.account.objects["subscription"].values()
    return found


async def change_at_stripe(operator: Operator, **how: str) -> None:
    """Somebody changes the subscription in Stripe's dashboard."""
    url = f"{operator.world.stripe.base_url}/v1/subscriptions/{subscription(operator)['id']}"
    key = operator.environment["STRIPE_API_KEY"]
    async with operator.sandbox.session.post(url, data=how, headers={"Authorization": f"Bearer {key}"}) as response:
        assert response.status == 200, await response.text()


def answered(operator: Operator, status: int) -> bool:
    """Whether a webhook was answered so, lately."""
    sent = [each for each in operator.world.journal if each.caller == "stripe"]
    return any(each.status == status for each in sent[-5:])


async def ends(operator: Operator, *, at_all: bool = True) -> None:
    """Kassör knows that the subscription ends, or that it doesn't."""
    await eventually(lambda: row(operator, "SELECT (cancel_at IS NOT NULL) = $1 FROM subscription", at_all))


@about(WAIT)
async def test_events_that_wait_are_worked_off_by_another_worker(operator: Operator, owner: Person) -> None:
    await operator.start("worker")  # it reads who is there
    await eventually(lambda: row(operator, "SELECT members_read_at FROM workspace WHERE id = 'T0FJALL01'"))
    await operator.sandbox.command(owner, "/upgrade", "premium monthly 20")
    offer = (await eventually(lambda: operator.sandbox.said_to(owner)))[-1]
    await operator.sandbox.press(owner, offer, "kassor.quote.accept")
    objects = operator.world.stripe.account.objects
    [session] = await eventually(lambda: asyncio.sleep(0, list(objects.get("checkout.session", {}))))
    await operator.stop("worker")
    await operator.sandbox.post(
        f"/control/pay/{session}", base=operator.world.stripe.base_url, method="card", outcome="paid"
    )
    await eventually(lambda: row(operator, "SELECT id FROM event WHERE type = 'checkout.session.completed'"))
    assert "checkout.session.completed" in await operator.types(WAIT)
    await operator.start("worker")
    await eventually(lambda: row(operator, "SELECT count(*) = 0 FROM event WHERE state <> 'done'"))
    assert "No events" in await operator.types(WAIT)


@about(TICK, COPY)
async def test_a_scheduler_does_what_those_before_it_missed(operator: Operator, owner: Person) -> None:
    assert "Start a `scheduler`" in section(PAGE, TICK)
    assert "Fjällvind" in await operator.types(COPY)
    assert await copies(operator.sandbox, owner) == []
    await operator.start("scheduler")
    [copy] = await eventually(lambda: copies(operator.sandbox, owner))
    assert copy.removesuffix(".pdf").rpartition(" ")[2] in await operator.types(COPY)


@about(REFUSED, slow=True)
async def test_a_secret_that_was_rotated_is_added_and_what_was_refused_comes_again(operator: Operator) -> None:
    [endpoint] = operator.world.stripe.account.endpoint_secrets
    operator.world.stripe.account.endpoint_secrets[endpoint] = "whsec_rotated_0123456789"
    await change_at_stripe(operator, cancel_at_period_end="true")
    await eventually(lambda: asyncio.sleep(0, answered(operator, 400)))
    await operator.types(REFUSED, 0)
    assert endpoint in await operator.types(REFUSED, 1)
    old = operator.environment["STRIPE_WEBHOOK_SECRETS"]
    await operator.again("web", STRIPE_WEBHOOK_SECRETS=f"whsec_rotated_0123456789,{old}")
    await operator.types(UNSTORED)
    await ends(operator)
    await change_at_stripe(operator, cancel_at_period_end="false")
    await ends(operator, at_all=False)


@about(UNSTORED)
async def test_what_was_answered_503_is_taken_in_when_the_database_is_back(
    operator: Operator, postgres: Postgres
) -> None:
    async with postgres.away(operator.environment["DATABASE_URL"]):
        await change_at_stripe(operator, cancel_at_period_end="true")
        await eventually(lambda: asyncio.sleep(0, answered(operator, 503)))
    await operator.types(UNSTORED)
    await ends(operator)
    await change_at_stripe(operator, cancel_at_period_end="false")
    await ends(operator, at_all=False)


@about(KEY, slow=True)
async def test_what_was_confirmed_while_stripe_refused_the_key_is_carried_on_with_the_right_one(
    operator: Operator, owner: Person
) -> None:
    offer = await seats_offered(operator, owner, 25)
    operator.world.stripe._api._key = "sk_test_rolled_0123456789"
    await operator.sandbox.press(owner, offer, "kassor.quote.accept")
    assert "Stripe refuses" in await operator.types(KEY, well=False)
    await row(operator, "UPDATE quote SET accepted_at = accepted_at - interval '1 minute' WHERE state = 'accepted'")
    await operator.again("scheduler")  # it looks soon after its start, with the wrong key
    log = operator.folder / "scheduler.log"
    await eventually(lambda: asyncio.sleep(0, "STRIPE_API_KEY" in log.read_text()))
    await operator.again(*ROLES, STRIPE_API_KEY="sk_test_rolled_0123456789")
    await eventually(lambda: row(operator, "SELECT seats = 25 FROM subscription"))
    failed = await row(operator, "SELECT count(*) FROM notice WHERE kind = 'change_failed'")
    assert failed == 0, "told that it failed, and charged all the same"
    assert subscription(operator)["items"]["data"][0]["quantity"] == 25
    assert ", 0 wrong," in await operator.types(KEY)


@about(SLACK, MESSAGES, slow=True)
async def test_messages_to_a_workspace_whose_token_is_refused_wait_until_it_installs_again(
    operator: Operator, owner: Person
) -> None:
    before = len(await told(operator, owner))
    token = operator.world.slack.state.workspaces["T0FJALL01"].bot_token
    operator.world.slack.state.revoked[token] = "token_revoked"
    await change_at_stripe(operator, cancel_at_period_end="true")
    await eventually(lambda: row(operator, "SELECT id FROM notice WHERE state = 'queued' AND last_error IS NOT NULL"))
    assert "cancel_scheduled" in await operator.types(MESSAGES)
    assert "no workspace" in await operator.types(SLACK, well=False)
    await operator.world.install_in("T0FJALL01")
    await eventually(lambda: _more_than(operator, owner, before))
    assert "cancel_scheduled" not in await operator.types(MESSAGES)


async def _more_than(operator: Operator, owner: Person, before: int) -> bool:
    return len(await told(operator, owner)) > before


@about(SEALED, slow=True)
async def test_with_another_encryption_key_each_workspace_installs_again_and_hears_what_waited(
    operator: Operator, owner: Person
) -> None:
    before = len(await told(operator, owner))
    key = (await operator.types(SEALED, 0)).strip()
    await operator.again("web", "worker", KASSOR_ENCRYPTION_KEYS=key)
    await change_at_stripe(operator, cancel_at_period_end="false")
    await eventually(lambda: row(operator, "SELECT id FROM notice WHERE state = 'queued' AND kind = 'resumed'"))
    assert "key that is gone" in await operator.types(SEALED, 1, well=False)
    assert len(await told(operator, owner)) == before
    await operator.world.install_in("T0FJALL01")
    await eventually(lambda: _more_than(operator, owner, before))


@about(UNPAID, slow=True)
async def test_the_record_names_whom_a_payment_failed_for_and_they_have_been_told(
    operator: Operator, owner: Person
) -> None:
    stripe = operator.world.stripe
    [item] = subscription(operator)["items"]["data"]
    stripe.account.faults.decline_next_renewal = 1
    end = datetime.fromtimestamp(item["current_period_end"], UTC)
    before = len(await told(operator, owner))
    while (due := stripe.next_due()) is not None and due <= end + timedelta(hours=2):
        if due > operator.world.clock.now():
            operator.world.clock.move_to(due)
        await stripe.process_due()
        await stripe.deliver_due_webhooks()
    await eventually(lambda: row(operator, "SELECT id FROM audit_entry WHERE verb = 'payment_failed'"))
    assert "Fjällvind" in await operator.types(UNPAID)
    await eventually(lambda: _more_than(operator, owner, before))


def test_every_symptom_is_brought_about_somewhere() -> None:
    headings = set(re.findall(r"^## (.+)$", PAGE, re.MULTILINE))
    here = {each for test in globals().values() for each in getattr(test, "about", ())}
    assert headings == here | set(ELSEWHERE)
    assert not here & set(ELSEWHERE)


@pytest.mark.parametrize(("file", "name"), ELSEWHERE.values())
def test_the_test_elsewhere_is_there(file: str, name: str) -> None:
    assert re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text(), re.MULTILINE)
