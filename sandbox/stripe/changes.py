"""What a change to a subscription would make of it and what it would cost. Pure planning: nothing is kept here.

A preview prices the plan and forgets it; an update prices the same plan and carries it out. That is why a preview with the
same `proration_date` equals the charge to the minor unit.
"""

import copy
from dataclasses import dataclass, field
from typing import Any

from sandbox.stripe import periods, prorations
from sandbox.stripe.errors import invalid
from sandbox.stripe.lines import Line, period_line, product_name
from sandbox.stripe.store import Store
from sandbox.stripe.subscription_items import interval_of, listing, with_items
from sandbox.stripe.totals import Discount

Object = dict[str, Any]


@dataclass
class Plan:
    """A change worked out: the subscription after it and the lines it causes.

    `prorations`: credits and debits for the rest of the period. `cycle`: whole new periods, when the cycle starts anew.
    `invoice_now`: the lines are billed at once rather than at the next renewal.
    """

    at: int
    after: Object
    prorations: list[Line] = field(default_factory=list)
    cycle: list[Line] = field(default_factory=list)
    invoice_now: bool = False

    @property
    def lines(self) -> list[Line]:
        """Everything it causes, prorations first."""
        return self.prorations + self.cycle


def discounts_of(store: Store, sub: Object, at: int) -> list[Discount]:
    """The subscription's discounts that still run at `at`."""
    found = []
    for discount_id in sub["discounts"]:
        discount = store.get("discount", discount_id)
        if discount["end"] is None or discount["end"] > at:
            found.append(Discount(discount_id, store.get("coupon", discount["source"]["coupon"])))
    return found


def current_period(sub: Object) -> tuple[int, int]:
    """[start, end) of the period the subscription is in; every item shares it here."""
    item = sub["items"]["data"][0]
    return item["current_period_start"], item["current_period_end"]


def set_period(items: list[Object], start: int, end: int) -> None:
    """Let the items be in [start, end)."""
    for item in items:
        item["current_period_start"], item["current_period_end"] = start, end


def name_of(store: Store, item: Object) -> str:
    """What the item's product is called."""
    return product_name(item["price"], store.objects.get("product", {}))


def cycle_lines(store: Store, sub: Object, start: int, end: int, *, trial: bool = False) -> list[Line]:
    """One line per item for the period [start, end)."""
    return [period_line(sub, item, start, end, name=name_of(store, item), trial=trial) for item in sub["items"]["data"]]


def plan(store: Store, sub: Object, params: Object) -> Plan:
    """Work out `items`, `proration_date`, `proration_behavior`, `billing_cycle_anchor` and `trial_end` of an update."""
    start, end = current_period(sub)
    at = params.get("proration_date", store.now())
    if not start <= at <= end:
        raise invalid(
            "Cannot specify proration date outside of current subscription period "
            f"(must be between {start} and {end}, inclusive).",
            param="proration_date",
        )
    after = copy.deepcopy(sub)
    items = with_items(store, sub, params["items"]) if "items" in params else after["items"]["data"]
    after["items"] = listing(sub["id"], items)
    behaviour = params.get("proration_behavior", "create_prorations")
    was_trialing = sub["status"] == "trialing"
    _set_trial(after, params, at)
    still_trialing = after["status"] == "trialing"
    reset = _starts_anew(sub, after, params) and not still_trialing
    if still_trialing:
        period = (start, after["trial_end"])
    elif reset:
        period = (at, periods.after(at, *interval_of(items[0])))
        after["billing_cycle_anchor"] = at
    else:
        period = (start, end)
    set_period(items, *period)
    worked_out = Plan(at=at, after=after)
    if not still_trialing:
        if behaviour != "none" and not was_trialing:
            worked_out.prorations = _prorated(store, sub, after, at, reset=reset)
        if reset:
            worked_out.cycle = cycle_lines(store, after, *period)
    worked_out.invoice_now = bool(worked_out.cycle) or (behaviour == "always_invoice" and bool(worked_out.prorations))
    return worked_out


def _set_trial(after: Object, params: Object, at: int) -> None:
    if "trial_end" not in params:
        return
    given = params["trial_end"]
    if given == "now" or given <= at:
        if given != "now":
            raise invalid("Invalid timestamp: must be an integer Unix timestamp in the future", param="trial_end")
        if after["status"] == "trialing":
            after["status"], after["trial_end"] = "active", at
        return
    after["status"], after["trial_end"], after["billing_cycle_anchor"] = "trialing", given, given
    after["trial_start"] = after["trial_start"] or at


def _starts_anew(sub: Object, after: Object, params: Object) -> bool:
    if params.get("billing_cycle_anchor", {}).get("type") == "now":
        return True
    if sub["status"] == "trialing" and after["status"] != "trialing":
        return True
    return interval_of(sub["items"]["data"][0]) != interval_of(after["items"]["data"][0])


def _prorated(store: Store, sub: Object, after: Object, at: int, *, reset: bool) -> list[Line]:
    """Credits for what changes or goes, then debits for what replaces it; both for the rest of the period.

    When the cycle starts anew everything is credited and nothing debited: whole periods follow.
    """
    before = {item["id"]: item for item in sub["items"]["data"]}
    now = {item["id"]: item for item in after["items"]["data"]}
    nets = prorations.net_amounts(after["items"]["data"], discounts_of(store, sub, at))
    start, end = current_period(sub)
    lines: list[Line] = []
    for item_id, item in before.items():
        if reset or _differs(item, now.get(item_id)):
            line = prorations.credit(sub, item, store.debits.get(item_id), at=at, name=name_of(store, item))
            lines += [line] if line else []
    if reset:
        return lines
    for item_id, item in now.items():
        if _differs(item, before.get(item_id)):
            line = prorations.charge(sub, item, nets[item_id], start=start, end=end, at=at, name=name_of(store, item))
            lines += [line] if line else []
    return lines


def _differs(item: Object, other: Object | None) -> bool:
    return other is None or (item["price"]["id"], item["quantity"]) != (other["price"]["id"], other["quantity"])
