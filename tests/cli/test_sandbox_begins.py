"""`kassor sandbox --begins`: a new world begins on the day that was named, one that is kept goes on with its own."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.sandbox import run
from cli.sandbox_client import SandboxClient
from sandbox.keeping import Folder
from tests.acceptance.conftest import running_sandbox, three_free_ports
from tests.clock import a_clock

LEAP_DAY = datetime(2028, 2, 29, 9, tzinfo=UTC)


@pytest.mark.parametrize("begins", [LEAP_DAY, datetime(2024, 2, 29, 9, tzinfo=UTC)], ids=["to come", "gone by"])
async def test_a_subscription_bought_on_a_leap_day_is_renewed_on_the_28th(tmp_path: Path, begins: datetime) -> None:
    with running_sandbox(tmp_path / "log", None, "--begins", f"{begins:%Y-%m-%dT%H:%M}") as address:
        async with SandboxClient(address) as client:
            someone = (await client.people())[0]
            await client.command(someone, "/upgrade", "premium yearly 20")
            offer = (await client.said_to(someone))[-1]
            await client.press(someone, offer, "kassor.quote.accept")
            stripe = await client.stripe_url()
            [page] = (await client.get_from(stripe, "/control/objects"))["checkout.session"]
            await client.post(f"/control/pay/{page}", base=stripe, outcome="paid")
            await client.settled()
            [live] = (await client.get_from(stripe, "/control/objects"))["subscription"].values()
    [item] = live["items"]["data"]
    began, ends = (datetime.fromtimestamp(item[f"current_period_{which}"], UTC) for which in ("start", "end"))
    assert timedelta() <= began - begins < timedelta(minutes=5)
    assert (ends.year, ends.month, ends.day) == (begins.year + 1, 2, 28)


async def test_a_kept_world_is_not_moved_to_another_time(tmp_path: Path) -> None:
    Folder(tmp_path).close()
    (tmp_path / "world").touch()
    a_clock(tmp_path).close()
    with pytest.raises(SystemExit, match="has a time of its own"):
        await run(port=three_free_ports(), database_url=None, keep=tmp_path, begins=LEAP_DAY)
