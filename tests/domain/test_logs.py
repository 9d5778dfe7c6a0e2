"""What a log line looks like, and which id it carries."""

import asyncio
import json
import logging
import sys

import pytest

from domain import logs, trace


def record(message: str, *args: object, **more: object) -> logging.LogRecord:
    made = logging.LogRecord("kassor.x", logging.INFO, __file__, 1, message, args, None)
    vars(made).update(more)
    return made


def test_a_machines_line_is_one_object_with_the_id_and_the_facts() -> None:
    with trace.following() as mine:
        line = json.loads(logs.Objects().format(record("två\nrader %s", "å", facts={"status": "200", "message": "no"})))
    assert line["message"] == "två\nrader å", "a fact never hides what the line says"
    assert (line["level"], line["logger"], line["status"], line["trace"]) == ("INFO", "kassor.x", "200", mine)
    assert line["at"].endswith("+00:00")


def test_whatever_is_in_a_line_it_stays_one_line() -> None:
    try:
        raise ValueError("a\nb")
    except ValueError:
        text = logs.Objects().format(record("x\r\n\u2028y", exc_info=sys.exc_info(), facts={"odd": object()}))
    assert len(text.split("\n")) == 1
    assert "ValueError" in json.loads(text)["error"]


def test_a_persons_line_shows_the_ids_first_digits_and_nothing_outside() -> None:
    with trace.following() as mine:
        assert f"[{mine[:10]}] hello" in logs.Lines().format(record("hello"))
    assert "kassor.x hello" in logs.Lines().format(record("hello"))


async def test_tasks_side_by_side_keep_their_ids_apart() -> None:
    async def one() -> tuple[str, str]:
        with trace.following() as mine:
            await asyncio.sleep(0)
            return mine, trace.current()

    found = await asyncio.gather(*(one() for _ in range(20)))
    assert all(began == after for began, after in found)
    assert len({began for began, _ in found}) == 20


@pytest.mark.parametrize("given", [None, "", "g" * 32, "a" * 31, "A" * 32, "' OR 1=1 --"])
def test_what_is_no_id_is_never_taken_for_one(given: str | None) -> None:
    with trace.following(given) as mine:
        assert mine != given
        trace.go_on_as(given)
        assert trace.current() == mine


def test_what_continues_something_has_its_id_from_then_on() -> None:
    earlier = "0123456789abcdef" * 2
    with trace.following():
        trace.go_on_as(earlier)
        assert trace.current() == earlier
    assert trace.current() == ""
