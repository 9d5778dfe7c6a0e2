"""Many small works as a few larger ones: what is asked for while one round is under way shares the next.

Alone, nobody waits. Under load the rounds grow by themselves to what came in during the last one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

CROWD, LINGER = 8, 0.01  # where so many came along, the next round waits so many seconds for as many

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Together(Generic[Asked, Answer]):
    """`work` takes a list and answers in its order. A round that fails is done again one by one: nobody suffers for a neighbour."""

    def __init__(self, work: Callable[[Sequence[Asked]], Awaitable[Sequence[Answer]]], *, most: int = 256) -> None:
        self._work, self._most = work, most
        self._waiting: list[tuple[Asked, asyncio.Future[Answer]]] = []
        self._round: asyncio.Task[None] | None = None

    async def __call__(self, asked: Asked) -> Answer:
        """The answer to one. Raises what `work` raises for it."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, answer))
        if self._round is None:
            self._round = asyncio.create_task(self._rounds(), name="together")
        return await answer

    async def settled(self) -> None:
        """Wait until nothing is under way."""
        while self._round is not None:
            await asyncio.wait([self._round])

    async def _rounds(self) -> None:
        try:
            await asyncio.sleep(0)  # whoever is about to ask in this turn of the loop comes along
            while self._waiting:
                batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
                await self._answer(batch)
                if len(batch) >= CROWD > len(self._waiting):
                    await asyncio.sleep(LINGER)
        finally:
            self._round = None

    async def _answer(self, batch: list[tuple[Asked, asyncio.Future[Answer]]]) -> None:
        try:
            answers = await self._work([asked for asked, _ in batch])
        except Exception as error:  # noqa: BLE001 - whoever asked hears it
            if len(batch) > 1:
                for each in batch:
                    await self._answer([each])
                return
            if not batch[0][1].done():
                batch[0][1].set_exception(error)
            return
        for (_, waiting), answer in zip(batch, answers, strict=True):
            if not waiting.done():
                waiting.set_result(answer)
