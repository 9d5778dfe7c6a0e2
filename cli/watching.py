"""A hand on the sandbox that people can follow: the page says what somebody is about to do, and shows it as they see it."""

import asyncio
from typing import Any

from cli.sandbox_client import Json, SandboxClient

LONGEST_WAIT = 600.0  # seconds for somebody to open the page


class WatchedClient(SandboxClient):
    """As SandboxClient, `pace` seconds at a time."""

    def __init__(self, slack: str, *, pace: float) -> None:
        super().__init__(slack)
        self._pace = pace

    async def wait_for_a_viewer(self) -> None:
        """Return when a page is open, or nobody came for ten minutes: then it walks alone."""
        for _ in range(int(LONGEST_WAIT / 0.2)):
            if (await self.state()).get("viewers"):
                return
            await asyncio.sleep(0.2)

    async def post(self, path: str, base: str | None = None, **body: Any) -> Any:
        """Say it, let it be read, do it, let it be seen. Raises SandboxError."""
        said = _said(path, body)
        if said is None:
            return await super().post(path, base, **body)
        where = body.get("channel") or ("home" if body.get("view_id") is None and "action_id" in body else None)
        await super().post("/control/caption", text=said, user=body.get("user"), channel=where)
        await asyncio.sleep(self._pace)
        answer = await super().post(path, base, **body)
        await asyncio.sleep(self._pace / 2)
        return answer


def _said(path: str, body: Json) -> str | None:
    """What is being done, as a sentence; None for what nobody would see."""
    if path.startswith("/control/pay/"):
        return f"The payment page: {body.get('outcome', 'paid')}, by {body.get('method', 'card')}."
    if path == "/control/clock":
        return "Time passes, to the next renewal." if "until" in body else _days(float(body.get("days") or 0))
    told = {
        "/control/command": f"types {body.get('command')} {body.get('text') or ''}".strip(),
        "/control/message": "writes a message.",
        "/control/action": "presses a button, or chooses.",
        "/control/submit": "fills the modal in and sends it.",
        "/control/event": f"Something happens: {str(body.get('type') or '').replace('_', ' ')}.",
        "/control/faults": "Something goes wrong on the way, on purpose.",
        "/control/kassor": "Kassör is killed without a goodbye, and starts again.",
    }
    return told.get(path)


def _days(days: float) -> str | None:
    return f"{days:g} days pass." if days else None
