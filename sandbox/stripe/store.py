"""What the account keeps and how it tells of changes: objects by id, and an event with a snapshot for every change."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from stripe import api_version

from sandbox.clock import WorldClock
from sandbox.stripe import ids
from sandbox.stripe.errors import no_such
from sandbox.stripe.expansion import answer

if TYPE_CHECKING:
    from sandbox.stripe.changes import Plan
    from sandbox.stripe.lines import Line

Object = dict[str, Any]


@dataclass
class Settings:
    """What the account's owner has chosen in the dashboard."""

    name: str
    country: str = "SE"
    # Days after each failed attempt until the next one; then `after_retries` decides.
    retry_after_days: tuple[int, ...] = (3, 5, 7)
    after_retries: Literal["cancel", "unpaid", "past_due"] = "cancel"


@dataclass
class Debit:
    """What was last billed for a subscription item: the amount a later proration gives back a part of.

    `amount` is in minor units, net of discounts, for [start, end); `invoice` and `line` name where it was billed.
    """

    amount: int
    start: int
    end: int
    invoice: str | None = None
    line: str | None = None


@dataclass
class Faults:
    """What the next calls and deliveries suffer, and how many of them."""

    decline_next_renewal: int = 0
    api: list[Object] = field(default_factory=list)
    webhooks: dict[str, int] = field(default_factory=dict)
    delay_seconds: int = 30


class Store:
    """Objects by kind and id, raw as the API returns them, and the account's events."""

    def __init__(self, *, clock: WorldClock, base_url: str, name: str) -> None:
        self.clock = clock
        self.base_url = base_url
        self.settings = Settings(name)
        self.faults = Faults()
        self.objects: dict[str, dict[str, Object]] = {}
        self.debits: dict[str, Debit] = {}  # by subscription item
        self.pending_lines: dict[str, Line] = {}  # by invoice item: waiting for the next invoice
        self.plans: dict[str, tuple[Plan, str]] = {}  # by subscription: what is applied once that invoice is paid
        self.set_up: set[str] = set()  # payment methods that have passed 3-D Secure
        self.card_numbers: dict[str, str] = {}  # by payment method: how a test card behaves follows its number
        self.checkout_params: dict[str, Object] = {}  # by session: what it was made with
        self.lines_of: dict[str, list[Line]] = {}  # by hand-made draft
        self.told_once: set[str] = set()
        self.endpoint_secrets: dict[str, str] = {}  # by webhook endpoint
        self.on_event: Callable[[Object], None] | None = None
        self.request: Object = {"id": None, "idempotency_key": None}
        self._as_of: int | None = None

    @property
    def name(self) -> str:
        """The account's name, as it stands on invoices."""
        return self.settings.name

    def now(self) -> int:
        """World time in whole seconds; the due moment of a piece of work while that is being done."""
        return self.clock.timestamp() if self._as_of is None else self._as_of

    @contextmanager
    def as_of(self, moment: int) -> Iterator[None]:
        """Let work that was due at `moment` be dated so, even when it is done a little later."""
        self._as_of = moment
        try:
            yield
        finally:
            self._as_of = None

    def all(self, kind: str) -> list[Object]:
        """Every object of a kind, oldest first."""
        return list(self.objects.get(kind, {}).values())

    def get(self, kind: str, object_id: str, *, param: str = "id") -> Object:
        """The object, or ApiError `resource_missing` that names `param`."""
        found = self.objects.get(kind, {}).get(object_id)
        if found is None or (found.get("deleted") and param != "id"):
            raise no_such(kind, object_id, param)
        return found

    def find(self, object_id: str) -> Object | None:
        """The object of any kind with that id."""
        for kept in self.objects.values():
            if object_id in kept:
                return kept[object_id]
        return None

    def add(self, obj: Object, *events: str) -> Object:
        """Keep a new object, and tell."""
        self.objects.setdefault(obj["object"], {})[obj["id"]] = obj
        for event in events:
            self.emit(event, obj)
        return obj

    @contextmanager
    def changing(self, obj: Object, *events: str) -> Iterator[Object]:
        """Change `obj` inside the block; afterwards each of `events` is told. Nothing changed: silence.

        `….updated` events say in `previous_attributes` what was there before.
        """
        before = copy.deepcopy(obj)
        yield obj
        previous = difference(before, obj)
        if not previous:
            return
        for event in events:
            self.emit(event, obj, previous if event.endswith("updated") else None)

    def emit(self, type_: str, obj: Object, previous: Object | None = None) -> Object:
        """Record an event with a snapshot of `obj` as it is now."""
        data: Object = {"object": answer(obj, [], self.find)}
        if type_ == "invoice.upcoming":
            data["object"].pop("id", None)
        if previous:
            data["previous_attributes"] = previous
        event: Object = {
            "id": ids.new("event"),
            "object": "event",
            "api_version": api_version,
            "created": self.now(),
            "data": data,
            "livemode": False,
            "pending_webhooks": 0,
            "request": dict(self.request),
            "type": type_,
        }
        self.objects.setdefault("event", {})[event["id"]] = event
        if self.on_event is not None:
            self.on_event(event)
        return event


def difference(before: Object, after: Object) -> Object:
    """The values that were different before; hashes are compared key by key, lists as a whole, as Stripe does."""
    previous: Object = {}
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict) and old.get("object") != "list":
            previous[key] = difference(old, new)
        else:
            previous[key] = old
    return previous
