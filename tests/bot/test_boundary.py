"""When something of ours breaks, whom it happened to hears it at once, with a reference that is in the log; nothing is swallowed.

Each way to reach us is broken in its turn, before Slack was acknowledged and after, over real HTTP: what is looked at is what the
person sees and what the log says.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from bot import home
from bot.listeners import commands, events, page, upgrade
from bot.visit import Visit
from cli.sandbox_client import element, elements, texts
from domain.actions import support
from domain.records import DeskRequest, Member
from tests.bot.conftest import BIG, Office

Json = dict[str, Any]
ALICE, SWEDE = "U0ALICE01", "U0BJORN02"
SORRY = {"en": "Something went wrong on our side", "sv": "Något gick fel hos oss"}
REFERENCE = re.compile(r"`([0-9a-f]{8,32})`")


class Broken(Exception):  # noqa: N818 - it says what it is
    """What nobody foresaw."""


async def broken(*_: object, **__: object) -> Any:
    raise Broken("SEKRET: what the log may know and nobody else")


async def broken_after_the_ack(visit: Visit, _: str = "") -> None:
    await visit.ack()
    raise Broken


def apology_in(shown: str, log: str, language: str = "en") -> None:
    """It is an apology in the reader's language, tells nothing of what broke, and the log has its reference beside the reason."""
    assert SORRY[language] in shown
    assert "SEKRET" not in shown
    assert "Broken" not in shown
    found = REFERENCE.search(shown)
    assert found is not None, shown
    assert found[1] in log
    assert "Broken" in log


def seen(office: Office, who: str) -> str:
    """Everything somebody sees that Kassör said, wherever it is: the channel, the DM, the open modals and the Home."""
    state = office.slack.state
    where = [*state.workspaces[BIG].channels, state.dm(who)]
    messages = [message for place in where for message in state.seen_by(who, place)]
    return "\n".join(texts(part) for part in [*messages, *state.views.get(who, []), state.homes.get(who, {})])


def modals(office: Office, who: str = ALICE) -> list[Json]:
    return office.slack.state.views.get(who, [])


def fail(office: Office, method: str, error: str) -> None:
    """Slack says no to the next call of a method."""
    office.slack.faults.add({"method": method, "kind": "error", "error": error, "times": 1})


async def say(office: Office, text: str, who: str = ALICE) -> Json:
    done = await office.slack.acting.command(who, "dm", "/billing", text)
    await office.heard()
    return done


async def open_home(office: Office, who: str = ALICE) -> None:
    await office.sends({"type": "app_home_opened", "user": who, "channel": office.slack.state.dm(who), "tab": "home"})


async def press_home(office: Office, action_id: str, who: str = ALICE) -> Json:
    button = element(office.slack.state.homes[who], action_id)
    where = {"view_id": "home", "action_id": action_id, "block_id": button["block_id"], "value": button.get("value")}
    done = await office.slack.acting.action(who, where)
    await office.heard()
    return done


@pytest.fixture
def supported(office: Office) -> Office:
    """A desk with somebody at support."""
    office.bot.desk = replace(office.bot.desk, settings=replace(office.bot.desk.settings, support_channel="C0SUPPORT"))
    return office


async def ask_support(office: Office) -> Json:
    """The support form, filled in and sent."""
    await say(office, "support")
    view = modals(office)[-1]
    form = element(view, "kassor.support.text")
    sent = {form["block_id"]: {"kassor.support.text": "Where is my invoice?"}}
    done = await office.slack.acting.submit(ALICE, view["id"], sent)
    await office.heard()
    return done


# --- commands ---


@pytest.mark.parametrize("breaks", [broken, broken_after_the_ack])
@pytest.mark.parametrize(("who", "language"), [(ALICE, "en"), (SWEDE, "sv")])
async def test_a_command_that_breaks_is_apologised_for_in_the_readers_language(
    office: Office,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    breaks: Callable[..., Awaitable[Any]],
    who: str,
    language: str,
) -> None:
    monkeypatch.setitem(commands.VERBS, "links", breaks)
    assert (await say(office, "links", who))["ok"]
    apology_in(seen(office, who), caplog.text, language)


async def test_who_it_happened_to_alone_hears_of_it(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(commands.VERBS, "links", broken)
    general = next(
        each for each in office.slack.state.workspaces[BIG].channels.values() if {ALICE, SWEDE} <= set(each.members)
    )
    await office.slack.acting.command(ALICE, general.id, "/billing", "links")
    await office.heard()
    apology_in(seen(office, ALICE), caplog.text)
    assert SORRY["en"] not in seen(office, SWEDE)


# --- buttons ---


async def test_a_button_of_a_message_that_breaks_leaves_an_apology_in_its_place(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await say(office, "")
    message = office.slack.state.seen_by(ALICE, office.slack.state.dm(ALICE))[-1]
    button = element(message, "kassor.go.upgrade")
    monkeypatch.setattr(upgrade.directory, "whole", broken)
    where = {"channel": "dm", "message_ts": message["ts"], "action_id": button["action_id"]}
    assert (await office.slack.acting.action(ALICE, where | {"block_id": button["block_id"]}))["ok"]
    await office.heard()
    apology_in(seen(office, ALICE), caplog.text)


async def test_a_button_of_the_home_that_breaks_opens_an_apology(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await open_home(office)
    monkeypatch.setattr(page.home, "pages_of", broken)
    assert (await press_home(office, "kassor.go.help"))["ok"]
    assert len(modals(office)) == 1
    apology_in(texts(modals(office)[0]), caplog.text)


async def test_an_apology_that_no_modal_can_show_any_more_is_written_in_the_dm(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await open_home(office)
    monkeypatch.setattr(page.home, "pages_of", broken)
    fail(office, "views.open", "expired_trigger_id")
    assert (await press_home(office, "kassor.go.help"))["ok"]
    assert modals(office) == []
    apology_in(seen(office, ALICE), caplog.text)


async def test_an_apology_that_comes_after_slacks_last_answer_is_written_in_the_dm(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def too_late(visit: Visit, _: str = "") -> None:
        await visit.ack()
        office.slack.state.response_urls.clear()
        raise Broken

    monkeypatch.setitem(commands.VERBS, "links", too_late)
    await say(office, "links")
    apology_in(seen(office, ALICE), caplog.text)


# --- modals ---


@pytest.fixture
def breaks_once_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A submitted modal is answered, and then something breaks."""
    real = Visit.ack

    async def acks_and_breaks(visit: Visit, **answer: Any) -> None:
        was_answered = visit._acked
        await real(visit, **answer)
        if answer.get("response_action") == "update" and not was_answered:
            raise Broken

    monkeypatch.setattr(Visit, "ack", acks_and_breaks)


async def test_a_submission_that_breaks_is_apologised_for_in_the_modal(
    supported: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(support, "tell_the_desk", broken)
    done = await ask_support(supported)
    assert done["response_action"] == "update"
    assert len(modals(supported)) == 1
    apology_in(texts(modals(supported)[0]), caplog.text)
    assert "submit" not in {key for key, value in modals(supported)[0].items() if value}
    assert await DeskRequest.all().count() == 0, "half a request is no request"


async def test_a_submission_that_breaks_after_it_was_answered_is_apologised_for_in_the_modal(
    supported: Office, breaks_once_answered: None, caplog: pytest.LogCaptureFixture
) -> None:
    await ask_support(supported)
    apology_in(texts(modals(supported)[-1]), caplog.text)


async def test_an_apology_for_a_modal_that_was_closed_meanwhile_is_written_in_the_dm(
    supported: Office, breaks_once_answered: None, caplog: pytest.LogCaptureFixture
) -> None:
    fail(supported, "views.update", "not_found")
    await ask_support(supported)
    apology_in(seen(supported, ALICE), caplog.text)


# --- the Home, and what nobody waits for ---


async def test_a_home_that_cannot_be_built_says_so_and_is_built_again_when_it_can(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(home, "pages_of", broken)
        await open_home(office)
        apology_in(texts(office.slack.state.homes[ALICE]), caplog.text)
    await open_home(office)
    shown = office.slack.state.homes[ALICE]
    assert SORRY["en"] not in texts(shown)
    assert elements(shown)


async def test_an_event_that_breaks_is_in_the_log_and_the_next_one_is_heard(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(events.directory, "upsert_member", broken)
        await office.happens("profile_changed", user="U0HUGO008", real_name="Hugo Berg")
        assert "an event could not be taken in: user_change" in caplog.text
    await office.happens("profile_changed", user="U0HUGO008", real_name="Hugo Berg", tz="Asia/Tokyo")
    assert (await Member.get(slack_user_id="U0HUGO008")).tz == "Asia/Tokyo"


async def test_a_menu_that_breaks_while_somebody_types_is_empty_and_in_the_log(
    office: Office, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(upgrade, "suggestions", broken)
    asked = {"type": "block_suggestion", "action_id": "kassor.upgrade.scope", "block_id": "scope", "value": "de"}
    ack = await office.slack.sender.interaction(office.slack.state.workspaces[BIG], ALICE, asked)
    assert (ack.status, ack.json()) == (200, {"options": []})
    assert "no teams could be suggested" in caplog.text
    assert "Broken" in caplog.text
