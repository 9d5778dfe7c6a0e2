"""Customers: who pays, and with what."""

from dataclasses import asdict

from tortoise.transactions import in_transaction

from domain import audit, notices
from domain.desk import Desk
from domain.notices import NoticeKind
from domain.payments import CustomerFacts
from domain.records import Customer, Scope, Subscription
from domain.rules.refusals import PaymentsAway
from domain.sync.retries import try_again

TRIES = 8


async def new_customer(scope: Scope, customer_id: str) -> Customer:
    """Remember the customer just made for a scope; the one already there when somebody was first."""
    await Customer.bulk_create([Customer(id=customer_id, scope_id=scope.id)], ignore_conflicts=True)
    return await Customer.get(scope_id=scope.id)


async def customer(desk: Desk, customer_id: str) -> Customer | None:
    """Read a customer again; a new payment method pays at once what is overdue (M5).

    That comes before it is written: cut off in between, the next reading finds it new again, and Stripe charges it once.
    None when it isn't one of ours. Raises PaymentsAway, PaymentsRefused.
    """
    for _ in range(TRIES):
        known = await Customer.get_or_none(id=customer_id)
        if known is None:
            return None
        found = await desk.payments.customer(customer_id)
        if found.payment_method_id and found.payment_method_id != known.payment_method_id:
            await try_again(desk, known, found.payment_method_id)
        if await _write(desk, known, found):
            return await Customer.get(id=customer_id)
    raise PaymentsAway(retry_after=1)


async def _write(desk: Desk, known: Customer, found: CustomerFacts) -> bool:
    fields = asdict(found)
    del fields["id"], fields["scope_id"]
    if all(getattr(known, name) == value for name, value in fields.items()):
        return True
    async with in_transaction():
        written = await Customer.filter(id=known.id, version=known.version).update(**fields, version=known.version + 1)
        if not written:
            return False
        changed_method = known.payment_method_id is not None and known.payment_method_id != found.payment_method_id
        if changed_method and found.payment_method_label:
            await _tell_of_new_method(desk, known, found)
    return True


async def _tell_of_new_method(desk: Desk, known: Customer, found: CustomerFacts) -> None:
    """The confirmation that comes back to Slack (R54)."""
    live = await Subscription.get_or_none(scope_id=known.scope_id, is_live=True).prefetch_related("scope")
    if live is None:
        return
    await notices.tell(
        NoticeKind.PAYMENT_METHOD_CHANGED,
        workspace_id=live.scope.workspace_id,
        facts={"label": found.payment_method_label, "subscription": live.id},
        dedup_key=f"method:{known.id}:{known.version + 1}",
        owner_of=live,
    )
    await audit.record(
        desk,
        scope=live.scope,
        actor=None,
        source="stripe",
        verb="payment_method_changed",
        before={"type": known.payment_method_type},
        after={"type": found.payment_method_type},
        dedup_key=f"method:{known.id}:{known.version + 1}",
    )
