"""The loop: claim what is due, a share of each lane, and walk the lanes side by side.

A lane (a workspace, or a desk's channel) is one task, a few recipients of it at once, each recipient's messages in their order.
Whatever happens in a lane, and however long it hangs, stays in it. What a lane doesn't get to is given back.
"""

import asyncio
import logging
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from bot.delivery.delivering import Delivery
from bot.delivery.pace import Pace
from bot.delivery.refused import LaneStops
from domain import outbox, queue
from domain.records import Notice

if TYPE_CHECKING:
    from bot.app import BotApp

log = logging.getLogger("kassor.delivery")
LANES = 1_024  # at once; one that hangs takes one of them for as long as a call may take
ROOM = 128  # lanes there must be room for before more are claimed: a claim costs the same for few as for many
LINES = 4  # recipients of a lane at once
LOOK_EVERY = 1.0  # seconds between looks for what other processes wrote
RENEW_EVERY = queue.LEASE.total_seconds() / 3
GOODBYE = 4.0  # seconds for what is under way when the process stops


class Outbox:
    """Sends what is due. One a process."""

    def __init__(self, bot: "BotApp") -> None:
        self._pace = Pace(bot.desk.settings.slack_budget)
        self._delivery = Delivery(bot, self._pace)
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._held: dict[Any, Notice] = {}
        self._stopping = False

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop` is set, or this is cancelled; what is under way is finished, the rest given back."""
        renewing = asyncio.create_task(self._renew(), name="outbox leases")
        stopped = asyncio.create_task(self._heed(stop), name="outbox stop")
        self._stopping = False
        try:
            while not stop.is_set():
                try:
                    claimed = await self._claim()
                except Exception:
                    log.exception("the outbox can't be worked on; trying again soon")
                    claimed = 0
                    await asyncio.sleep(LOOK_EVERY)
                if not claimed:
                    await queue.wait_for_work(Notice, LOOK_EVERY)
            if self._lanes:
                await asyncio.wait(self._lanes.values(), timeout=GOODBYE)
        finally:
            renewing.cancel()
            stopped.cancel()
            await self._give_back()

    async def send_due(self) -> int:
        """Claim what is due once and send it; returns how many notices were claimed."""
        try:
            claimed = await self._claim()
            await asyncio.gather(*self._lanes.values())
        except asyncio.CancelledError:
            await self._give_back()
            raise
        return claimed

    async def close(self) -> None:
        """Leave what follows the messages at that."""
        await self._delivery.close()

    def idle(self) -> bool:
        """Whether nothing that follows a message is under way (the messages themselves are seen in the outbox)."""
        return self._delivery.idle()

    def forget(self, team_id: str) -> None:
        """Its token is another by now."""
        self._delivery.forget(team_id)

    async def _heed(self, stop: asyncio.Event) -> None:
        await stop.wait()
        self._stopping = True
        queue.nudge(Notice)  # nobody need wait for the next look

    async def _claim(self) -> int:
        """Start on the lanes whose turn it is and there is room for; returns how many notices they hold."""
        room = LANES - len(self._lanes)
        if room < ROOM:
            return 0
        most = room * outbox.EACH
        if self._pace.budget is not None:
            await asyncio.sleep(await outbox.budget_free_in())
            most = min(most, max(1, self._pace.budget // 2))
        found = await outbox.claim(lanes=min(room, outbox.LANES), most=most)
        claimed = [notice for notices in found.values() for notice in notices]
        self._held.update((notice.id, notice) for notice in claimed)
        try:
            await self._pace.spend(len(claimed))
        except Exception:
            for notice in claimed:  # nobody walks them: their leases must run out
                self._held.pop(notice.id, None)
            raise
        for lane, notices in found.items():
            self._lanes[lane] = asyncio.create_task(self._walk(lane, notices), name=f"lane {lane}")
        return len(claimed)

    # --- one lane ---

    async def _walk(self, lane: str, notices: list[Notice]) -> None:
        """Every notice of it ends sent, put off, buried or given back. Raises nothing but when cancelled."""
        lines: dict[Any, list[Notice]] = defaultdict(list)
        for notice in notices:
            lines[notice.member_id or notice.owner_of_id or notice.channel].append(notice)
        over = asyncio.Event()  # the whole lane stops
        gate = asyncio.Semaphore(LINES)
        try:
            await asyncio.gather(*(self._line(gate, over, line) for line in lines.values()))
            if left := [notice for notice in notices if notice.id in self._held]:
                await queue.release(left)
            if not over.is_set():
                self._pace.answered(lane)
        except Exception:
            log.exception("what became of lane %s could not be kept; its leases will run out", lane)
        finally:
            self._lanes.pop(lane, None)
            queue.nudge(Notice)  # there is room, and perhaps more in this lane
        for notice in notices:  # not when cancelled: what is held then is given back
            self._held.pop(notice.id, None)

    async def _line(self, gate: asyncio.Semaphore, over: asyncio.Event, line: list[Notice]) -> None:
        async with gate:
            for notice in line:
                if over.is_set() or self._stopping:
                    return
                try:
                    await self._delivery.deliver(notice)
                except LaneStops:
                    over.set()
                self._held.pop(notice.id, None)

    # --- leases ---

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY)
            try:
                await queue.renew(list(self._held.values()))
                await outbox.prune()
            except Exception:
                log.exception("leases could not be renewed; another process may take over")

    async def _give_back(self) -> None:
        under_way = list(self._lanes.values())
        for task in under_way:
            task.cancel()
        left = list(self._held.values())
        await asyncio.gather(*under_way, return_exceptions=True)
        await self._delivery.close()
        self._held.clear()
        if left:
            await queue.release(left)
