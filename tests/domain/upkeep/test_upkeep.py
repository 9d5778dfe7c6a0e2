"""One matter that can't be looked after keeps nobody from the others."""

import pytest

from domain import upkeep
from domain.desk import Desk
from domain.rules.refusals import PaymentsAway
from domain.upkeep import MATTERS, Matter
from tests.domain.conftest import Town, town

__all__ = ["town"]  # the fixture


@pytest.mark.parametrize("wrong", [PaymentsAway(), RuntimeError("a row that nobody thought of")])
async def test_what_goes_wrong_with_one_matter_leaves_the_others_looked_after(
    town: Town, monkeypatch: pytest.MonkeyPatch, wrong: Exception
) -> None:
    looked: list[str] = []

    async def fails(_: Desk) -> int:
        raise wrong

    async def works(_: Desk) -> int:
        looked.append("growth")
        return 3

    first = next(iter(MATTERS))
    monkeypatch.setitem(MATTERS, first, Matter(fails, MATTERS[first].next_due))
    monkeypatch.setitem(MATTERS, "growth", Matter(works, MATTERS["growth"].next_due))
    assert await upkeep.look(town.desk) == 3
    assert looked == ["growth"]
