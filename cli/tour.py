"""`kassor tour`: the whole journey in a sandbox, step by step, as a readable transcript. Every step checks what it says."""

import re
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp

from cli import sandbox as own_sandbox
from cli.sandbox_client import Json, Person, SandboxClient, SandboxError, element, elements, texts
from cli.watching import WatchedClient


class StepFailed(Exception):  # noqa: N818 - it says what it is
    """What a step promises did not happen."""


@dataclass
class Journey:
    """One walk through the sandbox: who takes part, and what has been learned on the way."""

    sandbox: SandboxClient
    say: Callable[[str], None]
    stripe: str = ""
    member: Person | None = None  # an English speaker, who upgrades
    owner: Person | None = None  # a Swedish speaker, who becomes billing owner
    heir: Person | None = None  # who billing is handed over to
    others: list[Person] = field(default_factory=list)
    subscription: str = ""
    seen: dict[str, int] = field(default_factory=dict)

    # --- small hands ---

    async def objects(self, kind: str) -> list[Json]:
        """Stripe's objects of a kind, in the order they were made."""
        everything = await self.sandbox.get_from(self.stripe, "/control/objects")
        return list(everything.get(kind, {}).values())

    async def direct(self, who: Person) -> list[Json]:
        """The direct messages Kassör has sent somebody."""
        return [message for message in await self.sandbox.messages(who) if not message.get("ephemeral")]

    async def news(self, who: Person) -> list[Json]:
        """The direct messages since we last looked."""
        every = await self.direct(who)
        fresh = every[self.seen.get(who.id, 0) :]
        self.seen[who.id] = len(every)
        return fresh

    async def answer(self, who: Person) -> Json:
        """What the person was last shown privately where they typed."""
        found = await self.sandbox.said_to(who)
        check(found, f"{who.name} was shown nothing")
        return found[-1]


def check(holds: Any, otherwise: str) -> None:
    """Raises StepFailed with `otherwise` unless it holds."""
    if not holds:
        raise StepFailed(otherwise)


def digits(text: str) -> str:
    """The digits of the first amount in a text: "Pay SEK 1,245.00 now" → "124500"."""
    found = re.search(r"\d[\d\s  ., ]*\d", text)
    return re.sub(r"\D", "", found[0]) if found else ""


def invoice_files(messages: list[Json]) -> list[str]:
    """The names of the PDFs attached to messages."""
    return [
        file["name"] for message in messages for file in message.get("files") or [] if file["name"].endswith(".pdf")
    ]


# --- the steps ---


async def _meet(journey: Journey) -> None:
    """A workspace of 18, Basic everywhere, nobody owner."""
    people = await journey.sandbox.people()
    english = [person for person in people if person.locale.startswith("en")]
    swedish = [person for person in people if person.locale.startswith("sv")]
    journey.member, journey.owner, journey.heir = english[0], swedish[0], swedish[1]
    chosen = {journey.member.id, journey.owner.id, journey.heir.id}
    journey.others = [person for person in people if person.id not in chosen]
    journey.stripe = await journey.sandbox.stripe_url()
    check(len(people) == 18, f"expected 18 counted members, found {len(people)}")
    for person in people:
        await journey.news(person)
    journey.say(f"{journey.member.name} (English) upgrades; {journey.owner.name} (Swedish) is to be billing owner.")


async def _choose(journey: Journey) -> None:
    """/upgrade: the organisation, Premium, yearly; no size below the members; a colleague as owner."""
    member, owner = _some(journey.member), _some(journey.owner)
    await journey.sandbox.command(member, "/upgrade")
    view = _top(await journey.sandbox.views(member))
    sizes = [int(option["value"]) for option in element(view, "kassor.upgrade.seats")["options"]]
    check(min(sizes) >= 18, f"sizes below the 18 members are offered: {sizes[:4]}")
    journey.say(f"The modal offers {sizes[0]}, {sizes[1]}, {sizes[2]}, … seats for 18 members.")
    before = texts(view)
    await journey.sandbox.act(member, "kassor.upgrade.interval", view_id=view["id"], value="month")
    view = _top(await journey.sandbox.views(member))
    check(texts(view) != before, "the price did not follow the choice of interval")
    await journey.sandbox.act(member, "kassor.upgrade.interval", view_id=view["id"], value="year")
    view = _top(await journey.sandbox.views(member))
    values = {"plan": {"kassor.upgrade.plan": "premium"}, "owner": {"kassor.upgrade.owner": owner.id}}
    await journey.sandbox.submit(member, view, values)
    view = _top(await journey.sandbox.views(member))
    button = next((each for each in elements(view) if each["action_id"] == "kassor.checkout.open"), None)
    check(button, f"no way to pay; the modal says: {texts(view)[:300]}")
    journey.say(f"“{_some(button)['text']['text']}” → {_some(button)['url']}")


async def _pay(journey: Journey) -> None:
    """The card is accepted on Stripe's page; owner and member are told, each in their language."""
    member, owner = _some(journey.member), _some(journey.owner)
    session = (await journey.objects("checkout.session"))[-1]
    paid = await journey.sandbox.post(
        f"/control/pay/{session['id']}", base=journey.stripe, method="card", outcome="paid"
    )
    check(paid.get("ok"), f"the payment did not go through: {paid}")
    await journey.sandbox.settled()
    subscription = (await journey.objects("subscription"))[-1]
    journey.subscription = subscription["id"]
    check(subscription["status"] == "active", f"the subscription is {subscription['status']}")
    told = "\n".join(texts(message) for message in await journey.news(owner))
    check("betalningsansvarig" in told.lower(), f"{owner.name} was not told in Swedish: {told[:200]!r}")
    thanked = "\n".join(texts(message) for message in await journey.news(member))
    check("Premium" in thanked and owner.id in thanked, f"{member.name} was not told in English: {thanked[:200]!r}")
    journey.say(f"{owner.name} reads: {told.splitlines()[0]}")
    journey.say(f"{member.name} reads: {thanked.splitlines()[0]}")


async def _refuse(journey: Journey) -> None:
    """The member's /seats 30 is refused and names the owner."""
    member, owner = _some(journey.member), _some(journey.owner)
    await journey.sandbox.command(member, "/seats", "30")
    said = texts(await journey.answer(member))
    check(owner.id in said and "only" in said.lower(), f"the refusal does not name the owner: {said!r}")
    check(await _quantity(journey) == 20, "seats were changed")
    journey.say(said.splitlines()[0])


async def _add_seats(journey: Journey) -> None:
    """The owner's /seats 30: the exact prorated amount; confirmed, the charge equals it."""
    owner = _some(journey.owner)
    await journey.sandbox.move_clock(days=40)
    invoices = len(await journey.objects("invoice"))
    await journey.sandbox.command(owner, "/seats", "30")
    offer = await journey.answer(owner)
    button = element(offer, "kassor.quote.accept")
    shown = digits(button["text"]["text"])
    await journey.sandbox.press(owner, offer, "kassor.quote.accept")
    made = (await journey.objects("invoice"))[invoices:]
    check(len(made) == 1 and made[0]["status"] == "paid", f"{len(made)} invoices were made")
    check(str(made[0]["amount_paid"]) == shown, f"shown {shown}, charged {made[0]['amount_paid']}")
    check(await _quantity(journey) == 30, "the seats did not change")
    journey.say(f"“{button['text']['text']}”: charged {made[0]['amount_paid']} minor units, exactly that.")


async def _hand_over(journey: Journey) -> None:
    """The owner hands billing over; both are told."""
    owner, heir = _some(journey.owner), _some(journey.heir)
    await journey.news(owner)
    await journey.news(heir)
    handle = await journey.sandbox.handle_of(heir)
    await journey.sandbox.command(owner, "/billing-owner", f"@{handle}")
    question = await journey.answer(owner)
    await journey.sandbox.press(owner, question, "kassor.owner.confirm")
    for person in (owner, heir):
        told = "\n".join(texts(message) for message in await journey.news(person))
        check(heir.id in told or "betalningsansvarig" in told.lower(), f"{person.name} was not told: {told[:200]!r}")
        journey.say(f"{person.name} reads: {told.splitlines()[0]}")


async def _renew(journey: Journey) -> None:
    """The clock moves past the renewal: the new owner, and nobody else, gets one DM with that invoice's PDF."""
    owner, heir = _some(journey.owner), _some(journey.heir)
    before = {invoice["id"] for invoice in await journey.objects("invoice")}
    for person in (owner, heir, _some(journey.member), *journey.others):
        await journey.news(person)
    await journey.sandbox.move_clock(until="next_renewal")
    made = [invoice for invoice in await journey.objects("invoice") if invoice["id"] not in before]
    check(len(made) == 1, f"the renewal made {len(made)} invoices")
    number = made[0]["number"]
    got = [name for name in invoice_files(await journey.news(heir)) if number in name]
    check(len(got) == 1, f"{heir.name} got {len(got)} copies of invoice {number}")
    for person in (owner, _some(journey.member), *journey.others):
        strays = invoice_files(await journey.news(person))
        check(not strays, f"{person.name} got {strays}")
    journey.say(f"{heir.name} got {got[0]}; nobody else got anything.")


async def _repeat(journey: Journey) -> None:
    """The same webhooks five times, out of order: nothing changes."""
    before = await _everything(journey)
    told = await journey.sandbox.post("/control/redeliver", base=journey.stripe, all=True, times=5, shuffle=True)
    await journey.sandbox.settled()
    check(await _everything(journey) == before, "something changed")
    journey.say(f"{told['deliveries']} deliveries, and not one message, invoice or seat more.")


async def _crash(journey: Journey) -> None:
    """The process is killed and started again: nothing is sent twice."""
    before = await _everything(journey)
    try:
        await journey.sandbox.post("/control/kassor", do="kill")
    except SandboxError as error:
        raise StepFailed(f"Kassör could not be killed and started: {error}") from None
    await journey.sandbox.settled()
    check(await _everything(journey) == before, "something was sent twice, or changed")
    journey.say("Killed without a goodbye, started again, and nobody noticed.")


STEPS: tuple[tuple[str, Callable[[Journey], Awaitable[None]]], ...] = (
    ("A workspace that has just installed Kassör", _meet),
    ("Choosing a plan", _choose),
    ("Paying", _pay),
    ("Somebody who is not the owner", _refuse),
    ("More seats, forty days later", _add_seats),
    ("Handing billing over", _hand_over),
    ("The renewal, and its invoice copy", _renew),
    ("Webhooks five times over", _repeat),
    ("A crash", _crash),
)


async def walk(journey: Journey) -> None:
    """Every step in order. Raises StepFailed, SandboxError."""
    for title, step in STEPS:
        journey.say(f"\n■ {title}")
        await step(journey)


async def run(*, port: int, pace: float | None = None) -> bool:
    """Walk it in the sandbox at `port`, or in one of our own when nothing answers there. Returns whether every step held.

    With a `pace`, in seconds, it waits for a browser and takes so long for each thing somebody does.
    """
    client_of = SandboxClient if pace is None else partial(WatchedClient, pace=pace)
    async with _sandbox(port) as address, client_of(address) as client:
        await client.wait_until_ready(30)
        if isinstance(client, WatchedClient):
            print(f"Open {address} in a browser; the walk begins when you are there.", flush=True)
            await client.wait_for_a_viewer()
        journey = Journey(client, say=print)
        try:
            await walk(journey)
        except (StepFailed, SandboxError) as problem:
            print(f"\n✗ {problem}", file=sys.stderr)
            return False
    print("\n✓ Every step held.")
    return True


@asynccontextmanager
async def _sandbox(port: int) -> AsyncIterator[str]:
    address = f"http://127.0.0.1:{port}"
    if await _answers(address):
        print(f"Using the sandbox at {address}.")
        yield address
        return
    print(f"Nothing answers at {address}: opening a sandbox of our own.")
    async with AsyncExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="kassor-tour-", ignore_cleanup_errors=True))
        )
        await own_sandbox.open_sandbox(stack, folder, port, None)
        yield address


async def _answers(address: str) -> bool:
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3)) as session,
            session.get(f"{address}/control/state") as response,
        ):
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


async def _quantity(journey: Journey) -> int:
    for subscription in await journey.objects("subscription"):
        if subscription["id"] == journey.subscription:
            return int(subscription["items"]["data"][0]["quantity"])
    raise StepFailed("the subscription is not at Stripe")


async def _everything(journey: Journey) -> Json:
    """What people could notice: every direct message, every invoice and its state, every subscription."""
    people = [_some(journey.member), _some(journey.owner), _some(journey.heir), *journey.others]
    return {
        "messages": {person.id: [message["ts"] for message in await journey.direct(person)] for person in people},
        "invoices": [(each["id"], each["status"], each["total"]) for each in await journey.objects("invoice")],
        "seats": await _quantity(journey),
    }


def _top(stack: list[Json]) -> Json:
    check(stack, "no modal is open")
    return stack[-1]


def _some(found: Any) -> Any:
    assert found is not None  # an earlier step sets it
    return found
