"""The API's table: which method and path does what, and with which parameters. What is not here, this Stripe refuses (404)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.stripe import (
    balances,
    catalogue,
    checkout,
    collection,
    credit_notes,
    customers,
    invoices,
    lists,
    portal,
    previews,
    schedules,
    subscription_updates,
    subscriptions,
)
from sandbox.stripe.lists import created_within
from sandbox.stripe.store import Store
from sandbox.stripe.webhooks import create_endpoint, list_endpoints, update_endpoint

Object = dict[str, Any]
Handler = Callable[
    ..., Any
]  # (store, params, *ids from the path) → an object, or, for a list, all that match, oldest first


@dataclass(frozen=True)
class Operation:
    """One call of the API. `params` names the TypedDict of `stripe.params` that says what it takes."""

    method: str
    path: re.Pattern[str]
    params: str
    handler: Handler
    is_list: bool = False

    def answer(self, store: Store, params: Object, *ids: str) -> Object:
        """Do it; a list comes back paged. Raises ApiError."""
        result = self.handler(store, params, *ids)
        if not self.is_list:
            found: Object = result
            return found
        return lists.page(result, params, url=self.url(ids))

    def url(self, ids: tuple[str, ...]) -> str:
        """The list's own address, as its answer names it."""
        address = self.path.pattern.removesuffix("/?")
        for each in ids:
            address = address.replace("([^/]+)", each, 1)
        return f"/v1{address}"


def _operation(line: str, spec: str, handler: Handler) -> Operation:
    method, path = line.split(" ")
    pattern = re.compile(re.sub(r"\{\w+\}", r"([^/]+)", path) + "/?")
    return Operation(method, pattern, spec, handler, spec.endswith("ListParams"))


def _retrieve(kind: str) -> Handler:
    def handler(store: Store, _: Object, object_id: str) -> Object:
        return store.get(kind, object_id)

    return handler


def _on(kind: str, verb: Callable[[Store, Object], Any]) -> Handler:
    """A verb on a whole object, for paths such as /invoices/{id}/void."""

    def handler(store: Store, _: Object, object_id: str) -> Object:
        found = store.get(kind, object_id)
        verb(store, found)
        return found

    return handler


def _by_id(verb: Callable[[Store, str], Any]) -> Handler:
    def handler(store: Store, _: Object, object_id: str) -> Any:
        return verb(store, object_id)

    return handler


def _all(kind: str, *names: str) -> Handler:
    """Everything of a kind that has what the filters `names` ask for."""

    def handler(store: Store, params: Object) -> list[Object]:
        return [
            each
            for each in store.all(kind)
            if all(params.get(name, each.get(name)) == each.get(name) for name in names)
            and created_within(each, params.get("created"))
        ]

    return handler


def _events(store: Store, params: Object) -> list[Object]:
    types = params.get("types") or ([params["type"]] if "type" in params else None)
    delivered = params.get("delivery_success")
    return [
        each
        for each in store.all("event")
        if (types is None or any(_of_type(each["type"], wanted) for wanted in types))
        and (delivered is None or delivered is (each["pending_webhooks"] == 0))
        and created_within(each, params.get("created"))
    ]


def _of_type(type_: str, wanted: str) -> bool:
    return type_ == wanted or (wanted.endswith(".*") and type_.startswith(wanted[:-1]))


def _lines_of(store: Store, _: Object, invoice_id: str) -> list[Object]:
    found: list[Object] = store.get("invoice", invoice_id)["lines"]["data"]
    return found


def _methods_of(store: Store, params: Object, customer_id: str) -> list[Object]:
    return customers.methods_of(store, customer_id, params.get("type"))


def _methods(store: Store, params: Object) -> list[Object]:
    return customers.methods_of(store, params["customer"], params.get("type")) if "customer" in params else []


OPERATIONS: tuple[Operation, ...] = tuple(
    _operation(*row)
    for row in (
        ("POST /products", "ProductCreateParams", catalogue.create_product),
        ("GET /products", "ProductListParams", catalogue.list_products),
        ("GET /products/{id}", "ProductRetrieveParams", _retrieve("product")),
        ("POST /products/{id}", "ProductUpdateParams", catalogue.update_product),
        ("POST /prices", "PriceCreateParams", catalogue.create_price),
        ("GET /prices", "PriceListParams", catalogue.list_prices),
        ("GET /prices/{id}", "PriceRetrieveParams", _retrieve("price")),
        ("POST /prices/{id}", "PriceUpdateParams", catalogue.update_price),
        ("POST /coupons", "CouponCreateParams", catalogue.create_coupon),
        ("GET /coupons", "CouponListParams", _all("coupon")),
        ("GET /coupons/{id}", "CouponRetrieveParams", _retrieve("coupon")),
        ("DELETE /coupons/{id}", "CouponDeleteParams", _by_id(catalogue.delete_coupon)),
        ("POST /tax_rates", "TaxRateCreateParams", catalogue.create_tax_rate),
        ("GET /tax_rates", "TaxRateListParams", _all("tax_rate", "active")),
        ("GET /tax_rates/{id}", "TaxRateRetrieveParams", _retrieve("tax_rate")),
        ("POST /tax_rates/{id}", "TaxRateUpdateParams", catalogue.update_tax_rate),
        ("POST /customers", "CustomerCreateParams", customers.create_customer),
        ("GET /customers", "CustomerListParams", customers.list_customers),
        ("GET /customers/{id}", "CustomerRetrieveParams", _retrieve("customer")),
        ("POST /customers/{id}", "CustomerUpdateParams", customers.update_customer),
        ("GET /customers/{id}/payment_methods", "CustomerPaymentMethodListParams", _methods_of),
        ("POST /customers/{id}/balance_transactions", "CustomerBalanceTransactionCreateParams", balances.create),
        ("GET /customers/{id}/balance_transactions", "CustomerBalanceTransactionListParams", balances.listing),
        ("POST /customers/{id}/tax_ids", "CustomerTaxIdCreateParams", customers.add_tax_id),
        ("GET /payment_methods", "PaymentMethodListParams", _methods),
        ("GET /payment_methods/{id}", "PaymentMethodRetrieveParams", _retrieve("payment_method")),
        ("POST /payment_methods/{id}/attach", "PaymentMethodAttachParams", customers.attach),
        ("POST /payment_methods/{id}/detach", "PaymentMethodDetachParams", _by_id(customers.detach)),
        ("POST /checkout/sessions", "checkout.SessionCreateParams", checkout.create),
        ("GET /checkout/sessions", "checkout.SessionListParams", checkout.list_sessions),
        ("GET /checkout/sessions/{id}", "checkout.SessionRetrieveParams", _retrieve("checkout.session")),
        (
            "POST /checkout/sessions/{id}/expire",
            "checkout.SessionExpireParams",
            _on("checkout.session", checkout.expire),
        ),
        ("POST /subscriptions", "SubscriptionCreateParams", subscriptions.create),
        ("GET /subscriptions", "SubscriptionListParams", subscriptions.list_subscriptions),
        ("GET /subscriptions/{id}", "SubscriptionRetrieveParams", _retrieve("subscription")),
        ("POST /subscriptions/{id}", "SubscriptionUpdateParams", subscription_updates.update),
        ("DELETE /subscriptions/{id}", "SubscriptionCancelParams", subscriptions.cancel),
        ("DELETE /subscriptions/{id}/discount", "SubscriptionDeleteDiscountParams", _by_id(catalogue.delete_discount)),
        ("POST /subscription_schedules", "SubscriptionScheduleCreateParams", schedules.create),
        ("GET /subscription_schedules", "SubscriptionScheduleListParams", schedules.list_schedules),
        ("GET /subscription_schedules/{id}", "SubscriptionScheduleRetrieveParams", _retrieve("subscription_schedule")),
        ("POST /subscription_schedules/{id}", "SubscriptionScheduleUpdateParams", schedules.update),
        ("POST /subscription_schedules/{id}/release", "SubscriptionScheduleReleaseParams", _by_id(schedules.release)),
        ("POST /subscription_schedules/{id}/cancel", "SubscriptionScheduleCancelParams", _by_id(schedules.cancel)),
        ("POST /invoices/create_preview", "InvoiceCreatePreviewParams", previews.create_preview),
        ("GET /invoices", "InvoiceListParams", invoices.list_invoices),
        ("GET /invoices/{id}", "InvoiceRetrieveParams", _retrieve("invoice")),
        ("POST /invoices/{id}", "InvoiceUpdateParams", invoices.update),
        ("GET /invoices/{id}/lines", "InvoiceLineItemListParams", _lines_of),
        ("POST /invoices/{id}/finalize", "InvoiceFinalizeInvoiceParams", invoices.finalize),
        ("POST /invoices/{id}/pay", "InvoicePayParams", invoices.pay),
        ("POST /invoices/{id}/send", "InvoiceSendInvoiceParams", _by_id(invoices.send)),
        ("POST /invoices/{id}/void", "InvoiceVoidInvoiceParams", _on("invoice", collection.void)),
        (
            "POST /invoices/{id}/mark_uncollectible",
            "InvoiceMarkUncollectibleParams",
            _on("invoice", collection.mark_uncollectible),
        ),
        ("POST /invoices", "InvoiceCreateParams", invoices.create),
        ("POST /invoiceitems", "InvoiceItemCreateParams", invoices.create_item),
        ("GET /invoiceitems", "InvoiceItemListParams", invoices.list_items),
        ("GET /invoiceitems/{id}", "InvoiceItemRetrieveParams", _retrieve("invoiceitem")),
        ("DELETE /invoiceitems/{id}", "InvoiceItemDeleteParams", _by_id(invoices.delete_item)),
        ("POST /credit_notes", "CreditNoteCreateParams", credit_notes.create),
        ("GET /credit_notes", "CreditNoteListParams", _all("credit_note", "customer", "invoice")),
        ("GET /credit_notes/preview", "CreditNotePreviewParams", credit_notes.preview),
        ("GET /credit_notes/{id}", "CreditNoteRetrieveParams", _retrieve("credit_note")),
        ("POST /credit_notes/{id}/void", "CreditNoteVoidCreditNoteParams", _on("credit_note", credit_notes.void)),
        ("GET /invoice_payments", "InvoicePaymentListParams", invoices.list_payments),
        ("GET /payment_intents/{id}", "PaymentIntentRetrieveParams", _retrieve("payment_intent")),
        ("GET /setup_intents/{id}", "SetupIntentRetrieveParams", _retrieve("setup_intent")),
        ("GET /charges/{id}", "ChargeRetrieveParams", _retrieve("charge")),
        ("GET /charges", "ChargeListParams", _all("charge", "customer", "payment_intent")),
        ("POST /refunds", "RefundCreateParams", invoices.create_refund),
        ("GET /refunds", "RefundListParams", _all("refund", "charge", "payment_intent")),
        ("GET /refunds/{id}", "RefundRetrieveParams", _retrieve("refund")),
        (
            "GET /billing_portal/configurations",
            "billing_portal.ConfigurationListParams",
            portal.list_configurations,
        ),
        (
            "POST /billing_portal/configurations",
            "billing_portal.ConfigurationCreateParams",
            portal.create_configuration,
        ),
        (
            "POST /billing_portal/configurations/{id}",
            "billing_portal.ConfigurationUpdateParams",
            portal.update_configuration,
        ),
        ("POST /billing_portal/sessions", "billing_portal.SessionCreateParams", portal.create_session),
        ("GET /events", "EventListParams", _events),
        ("GET /events/{id}", "EventRetrieveParams", _retrieve("event")),
        ("POST /webhook_endpoints", "WebhookEndpointCreateParams", create_endpoint),
        ("GET /webhook_endpoints", "WebhookEndpointListParams", list_endpoints),
        ("GET /webhook_endpoints/{id}", "WebhookEndpointRetrieveParams", _retrieve("webhook_endpoint")),
        ("POST /webhook_endpoints/{id}", "WebhookEndpointUpdateParams", update_endpoint),
    )
)


def find(method: str, path: str) -> tuple[Operation, tuple[str, ...]] | None:
    """The operation of a call and the ids in its path."""
    for operation in OPERATIONS:
        match = operation.path.fullmatch(path)
        if match and operation.method == method:
            return operation, match.groups()
    return None
