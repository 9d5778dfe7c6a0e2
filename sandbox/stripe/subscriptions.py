"""Subscriptions as the API serves them: create, cancel, list, and what each is billed."""

from typing import Any

from sandbox.stripe import changes, collection, consequences, drafts, ids, periods, prorations
from sandbox.stripe.catalogue import merge_metadata, redeem
from sandbox.stripe.changes import current_period, cycle_lines, discounts_of, set_period
from sandbox.stripe.errors import declined, invalid, missing_parameter
from sandbox.stripe.lines import Line
from sandbox.stripe.lists import created_within
from sandbox.stripe.periods import DAY, HOUR
from sandbox.stripe.store import Store
from sandbox.stripe.subscription_items import check_together, interval_of, listing, new_item, tax_rates

Object = dict[str, Any]

INCOMPLETE_LIVES = 23 * HOUR


def draft_of(store: Store, params: Object, customer: Object | None) -> Object:
    """A subscription of `params`, not kept: period, trial and status set as on its first day."""
    if not params.get("items"):
        raise missing_parameter("items")
    now = params.get("start", store.now())
    sub_id = ids.new("subscription")
    items = [new_item(store, sub_id, each, at=f"items[{index}]") for index, each in enumerate(params["items"])]
    currency = params.get("currency", items[0]["price"]["currency"]).lower()
    check_together(items, currency)
    _check_currency(store, customer, currency)
    method = params.get("collection_method", "charge_automatically")
    if method == "send_invoice" and "days_until_due" not in params and customer is not None:
        raise invalid(
            "If `collection_method` is `send_invoice`, you must pass `days_until_due`.", param="days_until_due"
        )
    trial_end = _trial_end(params, now)
    end = trial_end or periods.after(now, *interval_of(items[0]))
    set_period(items, now, end)
    sub: Object = {
        "id": sub_id,
        "object": "subscription",
        "application": None,
        "application_fee_percent": None,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
        "billing_cycle_anchor": trial_end or now,
        "billing_cycle_anchor_config": None,
        "billing_mode": {"type": "flexible", "flexible": {"proration_discounts": "included"}},
        "billing_schedules": [],
        "billing_thresholds": None,
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "cancellation_details": {"comment": None, "feedback": None, "feedback_option": None, "reason": None},
        "collection_method": method,
        "created": now,
        "currency": currency,
        "customer": customer["id"] if customer else None,
        "customer_account": None,
        "days_until_due": params.get("days_until_due") if method == "send_invoice" else None,
        "default_payment_method": params.get("default_payment_method") or None,
        "default_source": None,
        "default_tax_rates": tax_rates(store, params.get("default_tax_rates")),
        "description": params.get("description") or None,
        "discounts": [],
        "ended_at": None,
        "invoice_settings": {
            "account_tax_ids": None,
            "custom_fields": None,
            "description": None,
            "footer": None,
            "issuer": {"type": "self"},
        },
        "items": listing(sub_id, items),
        "latest_invoice": None,
        "livemode": False,
        "managed_payments": {"enabled": False},
        "metadata": merge_metadata({}, params.get("metadata")),
        "next_pending_invoice_item_invoice": None,
        "on_behalf_of": None,
        "pause_collection": None,
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
            **params.get("payment_settings", {}),
        },
        "pending_invoice_item_interval": None,
        "pending_setup_intent": None,
        "pending_update": None,
        "schedule": None,
        "start_date": now,
        "status": "trialing" if trial_end else "active",
        "test_clock": None,
        "transfer_data": None,
        "trial_end": trial_end,
        "trial_settings": params.get("trial_settings", {"end_behavior": {"missing_payment_method": "create_invoice"}}),
        "trial_start": now if trial_end else None,
    }
    if params.get("cancel_at_period_end"):
        set_cancellation(store, sub, params)
    return sub


def _check_currency(store: Store, customer: Object | None, currency: str) -> None:
    if customer is None or customer["currency"] in (None, currency):
        return
    live = [each for each in store.all("subscription") if each["customer"] == customer["id"] and not each["ended_at"]]
    if live:
        raise invalid(
            "You cannot combine currencies on a single customer. This customer has an active subscription, subscription "
            f"schedule, discount, quote, invoice item, or prices with currency {customer['currency']}.",
        )


def _trial_end(params: Object, now: int) -> int | None:
    if params.get("trial_end") not in (None, "now"):
        return int(params["trial_end"])
    days = params.get("trial_period_days")
    return now + days * DAY if days else None


def first_lines(store: Store, sub: Object) -> list[Line]:
    """What the first invoice bills: the first period, free in a trial."""
    return cycle_lines(store, sub, *current_period(sub), trial=sub["status"] == "trialing")


def create(store: Store, params: Object, *, method: Object | None = None, authenticated: bool = False) -> Object:
    """POST /v1/subscriptions; with `method`, what Checkout does once a person has typed it."""
    if "customer" not in params:
        raise missing_parameter("customer")
    customer = store.get("customer", params["customer"], param="customer")
    if params.get("default_payment_method"):
        own_method(store, params["default_payment_method"], customer["id"])
    sub = draft_of(store, params, customer)
    behaviour = params.get("payment_behavior", "allow_incomplete")
    if method is not None:
        sub["default_payment_method"] = method["id"]
    charged = sub["collection_method"] == "charge_automatically"
    if charged and method is None and behaviour != "default_incomplete" and sub["status"] != "trialing":
        chosen = sub["default_payment_method"] or customer["invoice_settings"]["default_payment_method"]
        if chosen is None:
            raise invalid(
                "This customer has no attached payment source or default payment method. Please consider adding a default "
                "payment method. For more information, visit "
                "https://stripe.com/docs/billing/subscriptions/payment-methods-setting#payment-method-priority.",
                code="resource_missing",
            )
    if charged and sub["status"] == "active":
        sub["status"] = "incomplete"
    store.add(sub)
    sub["discounts"] = [each["id"] for each in redeem(store, params.get("discounts") or [], sub)]
    store.emit("customer.subscription.created", sub)
    invoice = bill(store, sub, first_lines(store, sub), "subscription_create")
    if invoice["status"] == "open" and charged and behaviour != "default_incomplete":
        attempt = collection.collect(
            store, invoice, method=method, off_session=method is None, authenticated=authenticated, retried=False
        )
        if attempt.state != "paid" and behaviour == "error_if_incomplete":
            del store.objects["subscription"][sub["id"]]
            collection.void(store, invoice)
            raise declined(attempt.decline_code or "authentication_required")
    return sub


def own_method(store: Store, method_id: str, customer_id: str) -> None:
    """Raises ApiError for a payment method that is not the customer's."""
    method = store.get("payment_method", method_id, param="default_payment_method")
    if method["customer"] != customer_id:
        raise invalid(
            f"The customer does not have a payment method with the ID {method_id}. The payment method must be attached to "
            "the customer.",
            param="default_payment_method",
            code="resource_missing",
        )


def bill(store: Store, sub: Object, lines: list[Line], reason: str, *, at: int | None = None) -> Object:
    """Make an invoice of the lines and note it as the subscription's latest; one to be sent stays a draft for an hour."""
    later = store.now() + HOUR if sub["collection_method"] == "send_invoice" else None
    invoice = drafts.keep(store, bill_of(store, sub, lines, reason, at=at), finalizes_at=later)
    with store.changing(sub, "customer.subscription.updated"):
        sub["latest_invoice"] = invoice["id"]
    spend_once_discounts(store, sub)
    if later is None:
        collection.finalize(store, invoice)
    else:
        drafts.remember_debits(store, invoice)
    return invoice


def bill_of(
    store: Store,
    sub: Object,
    lines: list[Line],
    reason: str,
    *,
    at: int | None = None,
    preview: bool = False,
    period: tuple[int, int] | None = None,
) -> drafts.Bill:
    """The lines as a bill for the subscription's customer. `at`: the proration date, where there is one.

    A preview has the discounts that run when its invoice will be made: at the end of `period`.
    """
    return drafts.Bill(
        lines=lines,
        currency=sub["currency"],
        reason=reason,
        customer=store.objects["customer"][sub["customer"]] if sub["customer"] else None,
        sub=sub,
        discounts=discounts_of(store, sub, period[1] if preview and period else store.now()),
        period=period,
        proration_date=at,
        preview=preview,
    )


def spend_once_discounts(store: Store, sub: Object) -> None:
    """A coupon of duration `once` is used up by one invoice."""
    kept = [
        each
        for each in sub["discounts"]
        if store.get("coupon", store.get("discount", each)["source"]["coupon"])["duration"] != "once"
    ]
    if kept != sub["discounts"]:
        with store.changing(sub, "customer.subscription.updated"):
            sub["discounts"] = kept


def set_cancellation(store: Store, sub: Object, params: Object) -> None:
    """`cancel_at_period_end` or `cancel_at`, or neither any more. Raises ApiError."""
    if sub["schedule"]:
        raise invalid(
            f"The subscription is managed by the subscription schedule `{sub['schedule']}`, and updating any cancelation "
            "behavior directly is not allowed. Please update the schedule instead.",
        )
    at_end, at = params.get("cancel_at_period_end"), params.get("cancel_at")
    if {"cancel_at_period_end", "cancel_at"} <= params.keys():
        raise invalid("You can only pass one of `cancel_at` and `cancel_at_period_end`.", param="cancel_at")
    if at_end is False and not sub["cancel_at_period_end"]:
        return  # a cancellation with a date of its own, such as the portal's, is taken back by emptying `cancel_at`
    _, period_end = current_period(sub)
    if at_end:
        sub["cancel_at_period_end"], sub["cancel_at"] = True, period_end
    elif at not in (None, ""):
        sub["cancel_at"] = period_end if at in {"min_period_end", "max_period_end", "max_billed_until"} else at
        sub["cancel_at_period_end"] = False
        if sub["cancel_at"] <= store.now():
            raise invalid("`cancel_at` must be a timestamp in the future.", param="cancel_at")
    else:
        sub["cancel_at_period_end"], sub["cancel_at"], sub["canceled_at"] = False, None, None
        sub["cancellation_details"]["reason"] = None
        return
    sub["canceled_at"] = store.now()
    sub["cancellation_details"]["reason"] = "cancellation_requested"


def cancel(store: Store, params: Object, sub_id: str) -> Object:
    """DELETE /v1/subscriptions/{id}: ends now. `prorate` gives the rest back; `invoice_now` bills what waits."""
    sub = store.get("subscription", sub_id)
    if sub["status"] in {"canceled", "incomplete_expired"}:
        raise invalid(f"No such subscription: '{sub_id}'", param="id", code="resource_missing", status=404)
    for name, value in params.get("cancellation_details", {}).items():
        sub["cancellation_details"][name] = value or None
    if params.get("prorate") and sub["status"] in {"active", "past_due"}:
        credits_ = [
            line
            for item in sub["items"]["data"]
            if (
                line := prorations.credit(
                    sub, item, store.debits.get(item["id"]), at=store.now(), name=changes.name_of(store, item)
                )
            )
        ]
        drafts.as_invoice_items(store, credits_, sub["customer"])
    waiting = drafts.waiting_lines(store, sub["customer"], sub["id"])
    if params.get("invoice_now") and waiting:
        bill(store, sub, waiting, "manual")
    consequences.end(store, sub, reason="cancellation_requested")
    return sub


def list_subscriptions(store: Store, params: Object) -> list[Object]:
    """GET /v1/subscriptions. Without `status`, those not canceled."""
    status = params.get("status")
    return [
        each
        for each in store.all("subscription")
        if params.get("customer", each["customer"]) == each["customer"]
        and _has_status(each, status)
        and params.get("collection_method", each["collection_method"]) == each["collection_method"]
        and ("price" not in params or params["price"] in [i["price"]["id"] for i in each["items"]["data"]])
        and created_within(each, params.get("created"))
    ]


def _has_status(sub: Object, status: str | None) -> bool:
    if status is None:
        return sub["status"] not in {"canceled", "incomplete_expired"}
    if status == "ended":
        return sub["status"] in {"canceled", "incomplete_expired"}
    return status in {"all", sub["status"]}
