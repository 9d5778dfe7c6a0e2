"""The table of checks, and going through it: all at once, each with its own time-out."""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping

import aiohttp

from bot.examining import examining
from cli.doctor import here, public, slack, stripe
from cli.doctor.finding import Check, Finding, State, Tools, unknown, wrong
from domain.config import Settings, SettingsError, load
from domain.database import opened
from domain.payments.endpoints import Endpoints
from domain.rules import catalogue
from domain.rules.catalogue import CatalogueError
from domain.rules.refusals import PaymentsAway
from webhooks.interests import INTERESTS

LONGEST = 15.0  # seconds a check

CHECKS: dict[str, Check] = {
    "processes": here.several_processes,
    "signing secret": here.signing_secret,
    "encryption": here.encryption,
    "proxies": here.proxies,
    "time zones": here.time_zones,
    "desks": here.desks,
    "public address": public.address,
    "Slack": slack.tokens,
    "channels": slack.channels,
    "Stripe key": stripe.key,
    "webhook endpoint": stripe.webhooks,
    "catalogue": stripe.prices,
    "customer portal": stripe.portal,
    "failed payments": stripe.recovery,
}


async def examine(environment: Mapping[str, str]) -> list[Finding]:
    """Every finding, in the table's order. Settings or a catalogue that can't be used are all there is to say then."""
    try:
        settings = load(environment)
    except SettingsError as error:
        return [wrong("settings", problem, "See docs/configuration.md.") for problem in error.problems]
    try:
        for_sale = catalogue.load(settings.catalogue)
    except CatalogueError as error:
        return [wrong("catalogue", problem, "Mend the file KASSOR_CATALOGUE names.") for problem in error.problems]
    found = await here.database(settings)
    return [
        Finding("settings", State.OK, "Complete."),
        found,
        *await _looked(settings, for_sale, found.state is State.OK),
    ]


async def _looked(settings: Settings, for_sale: catalogue.Catalogue, database_is_good: bool) -> list[Finding]:
    door = Endpoints(settings, for_sale)
    wait = aiohttp.ClientTimeout(total=10)
    try:
        async with aiohttp.ClientSession(timeout=wait) as session, examining(settings) as examiner:
            tools = Tools(settings, examiner, door, session, tuple(INTERESTS), database_is_good)
            if not database_is_good:
                return await _all(tools)
            async with opened(settings.database_url):
                return await _all(tools)
    finally:
        await door.close()


async def _all(tools: Tools) -> list[Finding]:
    groups = await asyncio.gather(*(_one(name, check, tools) for name, check in CHECKS.items()))
    return [finding for group in groups for finding in group]


async def _one(name: str, check: Check, tools: Tools) -> list[Finding]:
    """A check that fails is a finding too. Only the error's type is said: its words could hold an address with a password."""
    try:
        return await asyncio.wait_for(check(tools), LONGEST)
    except (PaymentsAway, TimeoutError, aiohttp.ClientError):
        return [unknown(name, "They did not answer in time.", "Try again; see that this machine may reach them.")]
    except Exception as error:  # noqa: BLE001 - one broken check must not hide what the others found
        return [unknown(name, f"Could not be looked at ({type(error).__name__}).", "Try again; then look yourself.")]


def report(findings: list[Finding], say: Callable[[str], None], *, as_json: bool) -> bool:
    """Print them; returns whether nothing is wrong. `unknown` is no failure: a person looks."""
    good = all(finding.state is not State.WRONG for finding in findings)
    if as_json:
        say(json.dumps({"ok": good, "findings": [each.as_json() for each in findings]}, indent=2, ensure_ascii=False))
        return good
    width = max(len(each.subject) for each in findings)
    for each in findings:
        say(f"{each.state.value:<8} {each.subject:<{width}}  {each.says}")
        if each.mend:
            say(f"{'':<8} {'':<{width}}  → {each.mend}")
    counts = {state: sum(each.state is state for each in findings) for state in State}
    say("\n" + ", ".join(f"{count} {state.value}" for state, count in counts.items()) + ".")
    return good


def run(environment: Mapping[str, str], say: Callable[[str], None], *, as_json: bool) -> bool:
    """Examine and report; returns whether nothing is wrong."""
    logging.disable(logging.CRITICAL)  # what is wrong is said once, in our words
    return report(asyncio.run(examine(environment)), say, as_json=as_json)
