"""The catalogue in Stripe: made once, and an amount that was sold is never another."""

import copy
from pathlib import Path

import pytest

from domain.payments import Payments
from domain.rules import catalogue
from domain.rules.catalogue import SHIPPED
from tests.domain.conftest import Town, town

__all__ = ["town"]  # the fixture


@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_changed_amount_is_a_new_price_beside_the_old_ones_which_stay_as_they_were(
    town: Town, tmp_path: Path, dry_run: bool
) -> None:
    live = await town.upgraded(seats=10)
    before = copy.deepcopy({kind: town.objects(kind) for kind in ("price", "product", "subscription")})
    file = tmp_path / "catalogue.toml"
    file.write_text(SHIPPED.read_text(encoding="utf-8").replace("12_500", "13_000"), encoding="utf-8")
    dearer = Payments(town.desk.settings, catalogue.load(file))
    try:
        lines = await dearer.push_catalogue(dry_run=dry_run)
        assert len(lines) == 2
        assert any("13000 sek a seat and month" in line for line in lines)
        assert any("130000 sek a seat and year" in line for line in lines)
        assert bool(await dearer.push_catalogue()) is dry_run, "a second push makes only what a rehearsal left out"
    finally:
        await dearer.close()
    after = {kind: town.objects(kind) for kind in before}
    assert after["price"][: len(before["price"])] == before["price"]
    assert len(after["price"]) == len(before["price"]) + 2
    assert (after["product"], after["subscription"]) == (before["product"], before["subscription"])
    assert (await town.fresh(live)).unit_amount == 125_000
