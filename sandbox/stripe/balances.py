"""A customer's balance: what they are owed or owe, and the ledger of every step of it. Negative is credit."""

from typing import Any

from sandbox.stripe import ids
from sandbox.stripe.catalogue import merge_metadata
from sandbox.stripe.errors import invalid, missing_parameter
from sandbox.stripe.store import Store

Object = dict[str, Any]


def move(
    store: Store,
    customer: Object,
    amount: int,
    currency: str,
    *,
    type_: str,
    invoice: str | None = None,
    credit_note: str | None = None,
    description: str | None = None,
    metadata: dict[str, str] | None = None,
) -> Object:
    """Add `amount` (minor units; negative is credit) to the balance: `customer.updated`, and a line in the ledger."""
    with store.changing(customer, "customer.updated"):
        customer["balance"] += amount
        customer["currency"] = customer["currency"] or currency
    return store.add(
        {
            "id": ids.new("customer_balance_transaction"),
            "object": "customer_balance_transaction",
            "amount": amount,
            "checkout_session": None,
            "created": store.now(),
            "credit_note": credit_note,
            "currency": currency,
            "customer": customer["id"],
            "customer_account": None,
            "description": description,
            "ending_balance": customer["balance"],
            "invoice": invoice,
            "livemode": False,
            "metadata": metadata or {},
            "type": type_,
        }
    )


def create(store: Store, params: Object, customer_id: str) -> Object:
    """POST /v1/customers/{id}/balance_transactions: an adjustment by hand."""
    customer = store.get("customer", customer_id)
    for name in ("amount", "currency"):
        if name not in params:
            raise missing_parameter(name)
    currency = params["currency"].lower()
    if customer["currency"] not in (None, currency):
        raise invalid(
            f"The currency of the transaction ({currency}) must be the customer's ({customer['currency']}).",
            param="currency",
        )
    return move(
        store,
        customer,
        params["amount"],
        currency,
        type_="adjustment",
        description=params.get("description") or None,
        metadata=merge_metadata({}, params.get("metadata")),
    )


def listing(store: Store, params: Object, customer_id: str) -> list[Object]:
    """GET /v1/customers/{id}/balance_transactions."""
    store.get("customer", customer_id)
    return [
        each
        for each in store.all("customer_balance_transaction")
        if each["customer"] == customer_id and params.get("invoice", each["invoice"]) == each["invoice"]
    ]
