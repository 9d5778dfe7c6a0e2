"""What *help* lists is what this person may do, no more and no less: every line of it is typed, and every word it leaves out.

Stripe is away while they type: a wish that gets as far as Stripe was allowed.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from bot.parsing import VERBS
from bot.visit import Visit
from cli.sandbox_client import texts
from domain import clock, directory
from domain.records import Admin, Invoice, Member, Subscription
from domain.rules.refusals import PaymentsAway, Refusal
from tests.bot.conftest import BIG, Office, subscribed
from tests.bot.test_boundary import ALICE, SWEDE

GUEST, OTHER = "U0GUEST19", "U0HUGO008"
STRIPE_AWAY = {"PaymentsAway"}
WITH = {"seats": "25", "plan": "business", "owner": f"<@{OTHER}>"}  # what to type after a word
OF_NOBODY = {"menu", "help", "move"}  # for everybody, or (moving) for nobody
WORDS = [f"{verb} {WITH.get(verb, '')}".strip() for verb in sorted(set(VERBS.values()) - OF_NOBODY)]


class Away:
    """A door to Stripe behind which nobody answers."""

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def away(*_: object, **__: object) -> Any:
            raise PaymentsAway(retry_after=None)

        return away


@pytest.fixture
def desks(office: Office, monkeypatch: pytest.MonkeyPatch) -> Office:
    """An office with somebody at both desks, and a Stripe that doesn't answer."""
    settings = replace(office.bot.desk.settings, support_channel="C0SUPPORT", sales_channel="C0SALES01")
    away: Any = Away()
    monkeypatch.setattr(office.bot, "desk", replace(office.bot.desk, settings=settings, payments=away))
    return office


async def bought(owner: str, **facts: object) -> Subscription:
    """All of the workspace has a plan, with an invoice to show."""
    scope = await directory.whole(BIG)
    live = await subscribed(scope, await Member.get(slack_user_id=owner))
    now = clock.now()
    await Invoice.create(
        id=f"in_{uuid4().hex[:8]}",
        number="ABC-1",
        status="paid",
        collection_method="charge_automatically",
        currency="sek",
        total=100,
        amount_due=100,
        amount_paid=100,
        amount_remaining=0,
        scope=scope,
        subscription_id=live.id,
        period_start=now,
        period_end=now,
        created_at=now,
        finalized_at=now,
    )
    await Subscription.filter(id=live.id).update(seats=20, **facts)
    return live


async def nothing() -> None:
    """Basic everywhere."""


async def owned() -> None:
    await bought(ALICE)


async def owned_by_a_swede() -> None:
    await bought(SWEDE)


async def cancelled() -> None:
    await bought(ALICE, cancel_at=clock.now() + timedelta(days=365))


async def invoiced() -> None:
    await bought(ALICE, collection_method="send_invoice")


async def ended() -> None:
    await bought(ALICE, is_live=False, status="canceled")


async def anothers() -> None:
    await bought(OTHER)


async def anothers_with_me_as_admin() -> None:
    await bought(OTHER)
    await Admin.create(
        scope=await directory.whole(BIG), member=await Member.get(slack_user_id=ALICE), since=clock.now()
    )


async def orphaned() -> None:
    await anothers_with_me_as_admin()
    await Member.filter(slack_user_id=OTHER).update(is_deactivated=True)


SITUATIONS = pytest.mark.parametrize(
    ("who", "situation"),
    [
        pytest.param(ALICE, nothing, id="a member on Basic"),
        pytest.param(SWEDE, nothing, id="a Swede on Basic"),
        pytest.param(ALICE, owned, id="the owner"),
        pytest.param(SWEDE, owned_by_a_swede, id="a Swedish owner"),
        pytest.param(ALICE, cancelled, id="the owner of what is cancelled"),
        pytest.param(ALICE, invoiced, id="the owner of what is invoiced by hand"),
        pytest.param(ALICE, ended, id="the owner of what has ended"),
        pytest.param(ALICE, anothers, id="a member who pays nothing"),
        pytest.param(ALICE, anothers_with_me_as_admin, id="an admin"),
        pytest.param(ALICE, orphaned, id="an admin whose owner has left"),
        pytest.param(GUEST, nothing, id="a guest on Basic"),
        pytest.param(GUEST, owned, id="a guest"),
    ],
)


@pytest.fixture
def refusals(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kinds of "no" that were said."""
    said: list[str] = []
    real = Visit.refuse

    async def noted(visit: Visit, refusal: Refusal) -> None:
        said.append(type(refusal).__name__)
        await real(visit, refusal)

    monkeypatch.setattr(Visit, "refuse", noted)
    return said


async def typed(office: Office, who: str, line: str, refusals: list[str]) -> set[str]:
    """Type a command; the refusals it met."""
    refusals.clear()
    command, _, rest = line.partition(" ")
    assert (await office.slack.acting.command(who, "dm", command, rest))["ok"], line
    await office.heard()
    office.slack.state.views.pop(who, None)
    return set(refusals)


async def helped(office: Office, who: str) -> list[str]:
    """The commands that help lists for somebody, with its own examples filled in."""
    await office.slack.acting.command(who, "dm", "/billing", "help")
    await office.heard()
    shown = office.slack.state.seen_by(who, office.slack.state.dm(who))[-1]
    found = re.findall(r"`(/[^`]+)`(?: (<@\w+>))?", texts(shown))
    return list(dict.fromkeys(f"{command} {person}".strip() for command, person in found))


@SITUATIONS
async def test_R33_help_lists_what_is_answered_with_a_yes_and_nothing_else(
    desks: Office, refusals: list[str], who: str, situation: Callable[[], Awaitable[None]]
) -> None:
    await situation()
    lines = await helped(desks, who)
    listed = {
        VERBS.get(word) for word in re.findall(r"[^\W\d_][\w-]*", " ".join(lines).replace("billing-owner", "owner"))
    }
    if situation in {owned, owned_by_a_swede, cancelled}:
        listed |= {"cancel", "resume"}  # what is so already is said to be so
    left_out = [f"/billing {word}" for word in WORDS if word.partition(" ")[0] not in listed]
    allowed = [line for line in [*lines, *left_out] if not await typed(desks, who, line, refusals) - STRIPE_AWAY]
    assert len(lines) >= 3
    assert allowed == lines
