"""What the tests of the rules do and look with, over the sandbox's handles and in Kassör's own records."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tortoise import Tortoise

from cli.sandbox_client import Json, Person, SandboxClient, element, elements, texts
from tests.acceptance.conftest import running_sandbox
from tests.acceptance.test_bad_input import answer_to, objects
from tests.postgres import Postgres

TOKEN = "sandbox-token"
MONEY = re.compile(r"\d[\d.,\s\u00a0]*\s?(kr|SEK|€|\$)|(SEK|€|\$)[\s\u00a0]?\d")


OWNERS_ALONE = [
    ("/seats", "25"),
    ("/billing", "seats 25"),
    ("/billing", "plan business"),
    ("/billing-owner", "<@U0CARIN03>"),
    ("/billing", "invoice"),
    ("/billing", "invoices"),
    ("/billing", "payment"),
    ("/billing", "information"),
    ("/billing", "cancel"),
]
KEPT = ("Workspace", "Member", "Scope", "Admin", "Customer", "Subscription", "Invoice", "Quote", "AuditEntry")


@contextmanager
def a_place(request: pytest.FixtureRequest, folder: Path) -> Iterator[tuple[str, str]]:
    """A sandbox of one's own on the database the fixture is for: its address, and its database's."""
    if request.param == "sqlite":
        url = f"sqlite://{folder}/kassor.db"
        with running_sandbox(folder / "sandbox.log", url) as address:
            yield address, url
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.database(migrated=False) as url, running_sandbox(folder / "sandbox.log", url) as address:
        yield address, url


async def copies(sandbox: SandboxClient, who: Person) -> list[str]:
    """The names of the files somebody has been sent."""
    sent = [message for message in await sandbox.messages(who) if not message.get("ephemeral")]
    return [file["name"] for message in sent for file in message.get("files") or []]


async def named(sandbox: SandboxClient, name: str) -> Person:
    return next(person for person in await sandbox.people() if person.name.startswith(name))


async def plan_of(sandbox: SandboxClient, user_id: str, workspace: str = "T0FJALL01") -> str | None:
    """What the vendor's product is told (E1)."""
    kassor = (await sandbox.state())["urls"]["kassor"]
    url = f"{kassor}/v1/entitlements/{workspace}/{user_id}"
    async with sandbox.session.get(url, headers={"Authorization": f"Bearer {TOKEN}"}) as response:
        assert response.status == 200, await response.text()
        found: str | None = (await response.json())["plan"]
        return found


async def press_home(sandbox: SandboxClient, who: Person, action_id: str) -> None:
    home = await sandbox.home(who)
    button = element(home, action_id)
    where = {"view_id": home["id"], "block_id": button["block_id"], "value": button.get("value")}
    await sandbox.act(who, action_id, **where)


async def press_view(sandbox: SandboxClient, who: Person, action_id: str) -> None:
    """Press a button of the modal in front."""
    view = (await sandbox.views(who))[-1]
    button = element(view, action_id)
    where = {"view_id": view["id"], "block_id": button["block_id"], "value": button.get("value")}
    await sandbox.act(who, action_id, **where)


async def close_all(sandbox: SandboxClient, who: Person) -> None:
    for view in reversed(await sandbox.views(who)):
        await sandbox.post("/control/close", user=who.id, view_id=view["id"])


async def pay(sandbox: SandboxClient, **how: Any) -> Json:
    session = (await objects(sandbox, "checkout.session"))[-1]
    paid: Json = await sandbox.post(f"/control/pay/{session['id']}", base=await sandbox.stripe_url(), **how)
    await sandbox.settled()
    return paid


async def upgrade(sandbox: SandboxClient, who: Person, text: str, **how: Any) -> Json:
    """From the command to the paid page; the subscription that came of it."""
    said = await answer_to(sandbox, who, "/upgrade", text)
    assert "kassor.quote.accept" in {each["action_id"] for each in elements((await sandbox.said_to(who))[-1])}, said
    await sandbox.press(who, (await sandbox.said_to(who))[-1], "kassor.quote.accept")
    assert (await pay(sandbox, **({"outcome": "paid"} | how)))["ok"]
    return (await objects(sandbox, "subscription"))[-1]


async def direct(sandbox: SandboxClient, who: Person) -> str:
    """Everything Kassör has written to somebody in their DM."""
    return "\n".join(texts(message) for message in await sandbox.messages(who) if not message.get("ephemeral"))


def money_in(shown: str) -> str | None:
    found = MONEY.search(shown)
    return found[0] if found else None


async def portal_of(sandbox: SandboxClient, who: Person, word: str) -> str:
    """The address of Stripe's page that a word leads to."""
    await sandbox.command(who, "/billing", word)
    return str(element((await sandbox.said_to(who))[-1], "kassor.stripe.open")["url"])


async def everything() -> dict[str, dict[Any, dict[str, Any]]]:
    """Every record by table and key."""
    models = Tortoise.apps["kassor"]
    assert models is not None
    return {
        name: {row[model._meta.pk_attr]: row for row in await model.all().values()} for name, model in models.items()
    }
