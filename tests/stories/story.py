"""Telling a customer's story by date, through Slack's surface: what people type and press, what they read, what Stripe took."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from cli.sandbox_client import Person, SandboxClient, element, elements, texts

Json = dict[str, Any]


@dataclass
class Story:
    """A sandbox in which a story is told. People are found by their first name."""

    sandbox: SandboxClient
    stripe: str
    people: dict[str, Person]
    _read: dict[tuple[str, str], int] = field(default_factory=dict)

    @classmethod
    async def begin(cls, sandbox: SandboxClient) -> Self:
        """Everybody of both workspaces, by first name."""
        everybody = [*await sandbox.people(0), *await sandbox.people(1)]
        return cls(sandbox, await sandbox.stripe_url(), {person.name.split()[0]: person for person in everybody})

    # --- what people do ---

    async def says(self, who: str, command: str, text: str = "", channel: str | None = None) -> str:
        """Type a command; what the person privately reads then ("" when a modal opened)."""
        person = self.people[who]
        place = channel or await self.sandbox.common_channel(person)
        before = len(await self.sandbox.said_to(person, place))
        outcome = await self.sandbox.command(person, command, text, channel=place)
        assert outcome["ok"], outcome
        said = await self.sandbox.said_to(person, place)
        return texts(said[-1]) if len(said) > before else ""

    async def presses(self, who: str, action_id: str, *, channel: str | None = None) -> str:
        """Press a button on what the person was last shown privately; what it says then."""
        person = self.people[who]
        place = channel or await self.sandbox.common_channel(person)
        shown = (await self.sandbox.said_to(person, place))[-1]
        found = element(shown, action_id)
        value = {"value": found["value"]} if found.get("value") else {}
        await self.sandbox.press(person, shown, action_id, channel=place, block_id=found["block_id"], **value)
        return texts((await self.sandbox.said_to(person, place))[-1])

    async def button(self, who: str, action_id: str) -> str:
        """The words on a button of what the person was last shown privately."""
        shown = (await self.sandbox.said_to(self.people[who]))[-1]
        return str(element(shown, action_id)["text"]["text"]).replace("\u00a0", " ")

    async def presses_in_home(self, who: str, action_id: str) -> str:
        """Press a button in the App Home; what the modal it opens says ("" for none). Modals are closed again."""
        person = self.people[who]
        home = await self.sandbox.home(person)
        found = element(home, action_id)
        value = {"value": found["value"]} if found.get("value") else {}
        await self.sandbox.act(person, action_id, view_id=home["id"], block_id=found["block_id"], **value)
        stack = await self.sandbox.views(person)
        said = texts(stack[-1]) if stack else ""
        for view in reversed(stack):
            await self.sandbox.post("/control/close", user=person.id, view_id=view["id"])
        return said

    async def home_of(self, who: str) -> str:
        """All that somebody's App Home says."""
        return texts(await self.sandbox.home(self.people[who])).replace("\u00a0", " ")

    async def buttons_in_home(self, who: str) -> set[str]:
        """The action ids somebody could press in their App Home."""
        return {each["action_id"] for each in elements(await self.sandbox.home(self.people[who]))}

    async def pays(self, *, outcome: str = "paid", **how: Any) -> Json:
        """Use the newest open payment page."""
        page = [each for each in await self.objects("checkout.session") if each["status"] == "open"][-1]
        told: Json = await self.sandbox.post(f"/control/pay/{page['id']}", base=self.stripe, outcome=outcome, **how)
        await self.sandbox.settled()
        return told

    async def upgrades(self, who: str, text: str = "premium yearly 20") -> str:
        """Upgrade and pay with a good card; what the confirmation said before."""
        said = await self.says(who, "/upgrade", text)
        await self.presses(who, "kassor.quote.accept")
        await self.pays()
        return said

    # --- time, and what came of it ---

    async def days_pass(self, days: float) -> None:
        """The clock moves."""
        await self.sandbox.move_clock(days=days)

    async def until_renewal(self) -> None:
        """The clock moves to a day after the next renewal, when its copies are out."""
        await self.sandbox.move_clock(until="next_renewal")

    async def reads(self, who: str) -> str:
        """The direct messages since they were last read, as text."""
        return "\n".join(texts(message) for message in await self._news(who, "reads")).replace("\u00a0", " ")

    async def copies(self, who: str) -> list[str]:
        """The invoice PDFs that came to somebody since they were last counted."""
        files = [file for message in await self._news(who, "copies") for file in message.get("files") or []]
        return [file["name"] for file in files if file["name"].endswith(".pdf")]

    async def _news(self, who: str, looks: str) -> list[Json]:
        """Direct messages since the last such look: a copy read at once, in working hours, is still to be counted."""
        person = self.people[who]
        every = [message for message in await self.sandbox.messages(person) if not message.get("ephemeral")]
        fresh = every[self._read.get((person.id, looks), 0) :]
        self._read[person.id, looks] = len(every)
        return fresh

    async def objects(self, kind: str) -> list[Json]:
        """Stripe's objects of a kind, oldest first."""
        everything = await self.sandbox.get_from(self.stripe, "/control/objects")
        return list(everything.get(kind, {}).values())

    async def invoices(self) -> list[tuple[str, str, int]]:
        """(billing reason, status, total in minor units) of every invoice, oldest first."""
        return [(each["billing_reason"], each["status"], each["total"]) for each in await self.objects("invoice")]

    async def live(self) -> Json:
        """The one subscription that has not ended."""
        found = [each for each in await self.objects("subscription") if each["status"] != "canceled"]
        assert len(found) == 1, [each["status"] for each in found]
        return found[0]

    async def terms(self) -> tuple[str, str, int]:
        """(plan, interval, seats) at Stripe."""
        item = (await self.live())["items"]["data"][0]
        price = item["price"]
        if isinstance(price, str):
            price = next(each for each in await self.objects("price") if each["id"] == price)
        return price["metadata"]["kassor_plan"], price["recurring"]["interval"], item["quantity"]

    async def today(self) -> datetime:
        """The world's time."""
        return datetime.fromisoformat((await self.sandbox.state())["now"])


def amount(text: str) -> int:
    """The minor units on a button such as "Pay SEK 1,245.00 now"."""
    return int("".join(letter for letter in text if letter.isdigit()))
