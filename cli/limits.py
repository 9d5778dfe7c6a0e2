"""How often one address may ask for what is done before anybody has shown who they are.

Kept in memory, each process for itself: two web processes let through twice as much, and that is still little. Slack's and Stripe's
requests are not counted, since each of them comes from few addresses; a forged one costs a signature and no look at the database.
"""

import ipaddress
import logging
import math
import time
from collections import OrderedDict

from aiohttp import web

log = logging.getLogger("kassor.limits")
MOST_ADDRESSES = 10_000  # remembered at once: whoever forges addresses makes us forget others, and never makes us grow


class Limit:
    """So many at once, then so many a second, for each address."""

    def __init__(self, *, burst: int, per_second: float, most: int = MOST_ADDRESSES) -> None:
        self._every = 1 / per_second
        self._ahead = (burst - 1) * self._every
        self._most = most
        self._paid_up: OrderedDict[str, float] = (
            OrderedDict()
        )  # until when each address has used its share; oldest first

    def wait(self, who: str, now: float | None = None) -> int:
        """Count one more of an address's: 0 when it may, else after how many whole seconds it may. `now` is monotonic."""
        now = time.monotonic() if now is None else now
        used = max(self._paid_up.get(who, now), now)
        if used - now > self._ahead:
            self._paid_up.move_to_end(who)  # who goes on asking is not forgotten for it
            return math.ceil(used - now - self._ahead)
        self._paid_up[who] = used + self._every
        self._paid_up.move_to_end(who)
        if len(self._paid_up) > self._most:
            self._paid_up.popitem(last=False)
        return 0

    def __len__(self) -> int:
        return len(self._paid_up)


class Addresses:
    """Whose request it is: the peer's address, or the one the last of our own proxies saw (KASSOR_TRUSTED_PROXIES)."""

    def __init__(self, proxies: int) -> None:
        self._proxies = proxies
        self._warned = False

    def of(self, request: web.Request) -> str:
        """An IPv4 address, or an IPv6 network of the size one customer has (/64); what is neither is all one."""
        passed = [part for line in request.headers.getall("X-Forwarded-For", ()) for part in line.split(",")]
        if self._proxies and len(passed) >= self._proxies:
            return network(passed[-self._proxies])  # whatever stands before it, anybody can have written
        if passed and not self._proxies and not self._warned:
            self._warned = True
            log.warning(
                "requests come through a proxy: until KASSOR_TRUSTED_PROXIES says so, its clients share one limit"
            )
        return network(request.remote or "")


def network(address: str) -> str:
    """What counts as one address."""
    bare = address.strip()
    if bare.startswith("["):  # [2001:db8::1]:443
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:  # 192.0.2.1:443
        bare = bare.partition(":")[0]
    try:
        found = ipaddress.ip_address(bare)
    except ValueError:
        return "?"
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return f"{ipaddress.IPv6Address(int(found) >> 64 << 64)}/64"
    return str(found)
