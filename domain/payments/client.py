"""Stripe's API, verb by verb. Callers give idempotency keys; amounts are minor units; every error is a refusal.

Stripe's version is pinned by the `stripe` package's major version and sent with every call.
"""

import json
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import stripe

from domain import clock
from domain.config import Settings
from domain.payments import facts
from domain.payments.errors import as_refusals
from domain.payments.facts import (
    CustomerFacts,
    InvoiceFacts,
    Preview,
    PriceFacts,
    SessionFacts,
    SubscriptionFacts,
)
from domain.records.mirror import Interval
from domain.rules.catalogue import Catalogue, Plan, lookup_key
from domain.rules.refusals import PaymentDeclined, PaymentNeedsAction, PaymentsAway, PaymentsRefused, UnknownCurrency

Json = dict[str, Any]
TIMEOUT = 20.0  # seconds a call; Slack people wait in front of it
LARGEST_PDF = 10 * 1024 * 1024  # bytes
_STRIPE_HOSTS = frozenset({"pay.stripe.com", "invoice.stripe.com", "files.stripe.com"})


class Payments:
    """The door. Make it inside a running event loop; `close()` it at the end."""

    def __init__(self, settings: Settings, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._api_host = urlsplit(settings.stripe_api_url).netloc
        self._http = stripe.AIOHTTPClient(timeout=TIMEOUT)
        self._client = stripe.StripeClient(
            settings.stripe_api_key,
            base_addresses={"api": settings.stripe_api_url},
            http_client=self._http,
            max_network_retries=2,
        )
        self._prices: dict[str, PriceFacts] = {}

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.close_async()  # type: ignore[no-untyped-call]  # stripe leaves it untyped

    # --- prices ---

    async def price(self, plan: Plan, interval: Interval, currency: str) -> PriceFacts:
        """The price of a plan, found by its lookup key. Raises UnknownCurrency, PaymentsRefused when it isn't in Stripe."""
        if currency not in plan.price:
            raise UnknownCurrency(asked=currency, known=tuple(plan.price))
        amount = self._catalogue.seat_price(plan, interval, currency).amount
        for known in self._prices.values():
            if (known.plan, known.interval, known.currency, known.unit_amount) == (
                plan.key,
                interval,
                currency,
                amount,
            ):
                return known
        key = lookup_key(plan.key, interval, currency, amount)
        with as_refusals("prices.list"):
            found = await self._client.v1.prices.list_async({"lookup_keys": [key], "active": True, "limit": 1})
        if not found.data:
            raise PaymentsRefused(reference=f"no price {key}: kassor catalogue push")
        return self._remember(found.data[0].to_dict())

    async def _price_by_id(self, price_id: str) -> PriceFacts:
        if price_id not in self._prices:
            with as_refusals("prices.retrieve"):
                found = await self._client.v1.prices.retrieve_async(price_id)
            self._remember(found.to_dict())
        return self._prices[price_id]

    def _remember(self, raw: Json) -> PriceFacts:
        plan = (raw.get("metadata") or {}).get("kassor_plan")
        if not plan or not raw.get("recurring"):
            raise PaymentsRefused(reference=f"{raw['id']} is no price of ours")
        interval = Interval(raw["recurring"]["interval"])
        price = PriceFacts(raw["id"], plan, interval, raw["currency"], raw["unit_amount"])
        self._prices[price.id] = price
        return price

    async def push_catalogue(self, *, dry_run: bool = False) -> list[str]:
        """Make every product and price of the catalogue that isn't in Stripe; returns a line for each. Never edits an amount."""
        lines: list[str] = []
        for plan in self._catalogue.for_sale:
            if plan.price:
                lines += await self._push_plan(plan, dry_run)
        return lines

    async def _push_plan(self, plan: Plan, dry_run: bool) -> list[str]:
        lines = []
        product = f"kassor_{plan.key}"
        if not await self._has_product(product):
            lines.append(f"product {product}: {plan.name}")
            if not dry_run:
                with as_refusals("products.create"):
                    await self._client.v1.products.create_async(
                        {"id": product, "name": plan.name, "metadata": {"kassor_plan": plan.key}}
                    )
        for currency in plan.price:
            for interval in Interval:
                amount = self._catalogue.seat_price(plan, interval, currency).amount
                key = lookup_key(plan.key, interval, currency, amount)
                with as_refusals("prices.list"):
                    found = await self._client.v1.prices.list_async({"lookup_keys": [key], "limit": 1})
                if found.data:
                    continue
                lines.append(f"price {key}: {amount} {currency} a seat and {interval}")
                if not dry_run:
                    with as_refusals("prices.create"):
                        await self._client.v1.prices.create_async(
                            {
                                "product": product,
                                "currency": currency,
                                "unit_amount": amount,
                                "recurring": {"interval": interval.value},
                                "lookup_key": key,
                                "metadata": {"kassor_plan": plan.key},
                            }
                        )
        return lines

    async def _has_product(self, product: str) -> bool:
        with as_refusals("products.retrieve"):
            try:
                await self._client.v1.products.retrieve_async(product)
            except stripe.InvalidRequestError as error:
                if error.code != "resource_missing":
                    raise
                return False
        return True

    # --- customers ---

    async def ensure_customer(self, *, scope_id: str, name: str, email: str | None, locale: str) -> str:
        """A new customer for a scope; the same one when asked twice within a day. Returns its id."""
        params: Any = {
            "name": name[:255],
            "preferred_locales": [locale.partition("-")[0]],
            "metadata": {"kassor_scope": scope_id},
        }
        if email:
            params["email"] = email
        with as_refusals("customers.create"):
            made = await self._client.v1.customers.create_async(params, {"idempotency_key": f"customer:{scope_id}"})
        return made.id

    async def set_customer_contact(self, customer_id: str, *, email: str | None, locale: str) -> None:
        """Whom Stripe writes to: the billing owner, in their language."""
        params: Any = {"preferred_locales": [locale.partition("-")[0]], **({"email": email} if email else {})}
        with as_refusals("customers.update"):
            await self._client.v1.customers.update_async(customer_id, params)

    async def customer(self, customer_id: str) -> CustomerFacts:
        """A customer, and the method they pay with: their own default, else their live subscription's."""
        with as_refusals("customers.retrieve"):
            found = await self._client.v1.customers.retrieve_async(
                customer_id, {"expand": ["invoice_settings.default_payment_method"]}
            )
            raw = found.to_dict()
            method = (raw.get("invoice_settings") or {}).get("default_payment_method")
            if not method:
                live = await self._client.v1.subscriptions.list_async(
                    {"customer": customer_id, "limit": 1, "expand": ["data.default_payment_method"]}
                )
                method = live.data[0].to_dict().get("default_payment_method") if live.data else None
        return facts.customer(raw, method)

    async def portal_link(
        self, customer_id: str, *, return_url: str, flow: str | None = None, locale: str = "auto"
    ) -> str:
        """An address of Stripe's customer portal; `flow` "payment_method_update" opens exactly that (R53)."""
        params: Any = {"customer": customer_id, "return_url": return_url, "locale": locale}
        if flow:
            after = {"type": "redirect", "redirect": {"return_url": return_url}}
            params["flow_data"] = {"type": flow, "after_completion": after}
        with as_refusals("billing_portal.sessions.create"):
            made = await self._client.v1.billing_portal.sessions.create_async(params)
        return made.url

    # --- checkout ---

    async def open_checkout(
        self,
        *,
        key: str,
        customer_id: str,
        price_id: str,
        seats: int,
        quote_id: str,
        metadata: dict[str, str],
        trial_days: int,
        locale: str,
        return_url: str,
        expires_at: datetime,
    ) -> SessionFacts:
        """Stripe's page for paying a new subscription: card or PayPal and a billing address (R22)."""
        subscription: Any = {"metadata": metadata}
        if trial_days:
            subscription["trial_period_days"] = trial_days
        params: Any = {
            "mode": "subscription",
            "customer": customer_id,
            "customer_update": {"address": "auto", "name": "auto"},
            "billing_address_collection": "required",
            "allowed_payment_method_types": ["card", "paypal"],
            "line_items": [{"price": price_id, "quantity": seats}],
            "subscription_data": subscription,
            "client_reference_id": quote_id,
            "locale": locale.partition("-")[0],
            "success_url": f"{return_url}?done=1",
            "cancel_url": f"{return_url}?done=0",
            "expires_at": int(expires_at.timestamp()),
        }
        with as_refusals("checkout.sessions.create"):
            made = await self._client.v1.checkout.sessions.create_async(params, {"idempotency_key": key})
        return facts.session(made.to_dict())

    async def session(self, session_id: str) -> SessionFacts:
        """A Checkout Session as it is now."""
        with as_refusals("checkout.sessions.retrieve"):
            return facts.session((await self._client.v1.checkout.sessions.retrieve_async(session_id)).to_dict())

    async def expire_checkout(self, session_id: str) -> SessionFacts:
        """Close a Checkout Session so that nobody can pay it any more; one that is over already stays as it is."""
        found = await self.session(session_id)
        if found.status != "open":
            return found
        with as_refusals("checkout.sessions.expire"):
            return facts.session((await self._client.v1.checkout.sessions.expire_async(session_id)).to_dict())

    # --- previews ---

    async def preview_new(self, price: PriceFacts, seats: int, customer_id: str | None) -> Preview:
        """What a new subscription would cost, by Stripe. The address may add tax on Stripe's page."""
        params: Any = {
            "currency": price.currency,
            "subscription_details": {"items": [{"price": price.id, "quantity": seats}]},
        }
        if customer_id:
            params["customer"] = customer_id
        with as_refusals("invoices.create_preview"):
            raw = (await self._client.v1.invoices.create_preview_async(params)).to_dict()
        due, lines = raw["amount_due"], facts.preview_lines(raw)
        return Preview(price.currency, due, facts.tax_of(raw), lines, raw["total"], None, None)

    async def preview_change(
        self, subscription_id: str, item_id: str, price: PriceFacts, seats: int, proration_date: datetime
    ) -> Preview:
        """What changing to `price` and `seats` at `proration_date` would charge at once, and the renewal after it."""
        details: Any = {
            "items": [{"id": item_id, "price": price.id, "quantity": seats}],
            "proration_date": int(proration_date.timestamp()),
            "proration_behavior": "always_invoice",
        }
        renewal: Any = details | {"proration_behavior": "none"}
        renewal.pop("proration_date")
        with as_refusals("invoices.create_preview"):
            now = await self._preview({"subscription": subscription_id, "subscription_details": details})
            later = await self._preview({"subscription": subscription_id, "subscription_details": renewal})
        period_end = max((line["period"]["end"] for line in now["lines"]["data"]), default=None)
        return Preview(
            currency=price.currency,
            due_now=now["amount_due"],
            tax_now=facts.tax_of(now),
            lines=facts.preview_lines(now),
            next_total=later["total"],
            next_at=facts.moment(period_end),
            proration_date=proration_date,
        )

    async def _preview(self, params: Any) -> Json:
        return (await self._client.v1.invoices.create_preview_async(params)).to_dict()

    # --- changes ---

    async def change_now(
        self, subscription_id: str, item_id: str, price_id: str, seats: int, *, proration_date: datetime, key: str
    ) -> None:
        """Change price and seats at once, charged now and applied only if paid (M2).

        Raises PaymentDeclined after taking the unpaid change back, PaymentNeedsAction with Stripe's page when the bank asks.
        """
        params: Any = {
            "items": [{"id": item_id, "price": price_id, "quantity": seats}],
            "proration_behavior": "always_invoice",
            "proration_date": int(proration_date.timestamp()),
            "payment_behavior": "pending_if_incomplete",
        }
        with as_refusals("subscriptions.update"):
            made = await self._client.v1.subscriptions.update_async(subscription_id, params, {"idempotency_key": key})
            raw = made.to_dict()
            if not raw.get("pending_update"):
                return
            invoice_id = facts.id_of(raw["latest_invoice"]) or ""
            await self._take_back(invoice_id)

    async def _take_back(self, invoice_id: str) -> None:
        """The payment of a change didn't go through: void its invoice, which drops the change, and say why."""
        found = await self._client.v1.invoices.retrieve_async(
            invoice_id, {"expand": ["payments.data.payment.payment_intent"]}
        )
        raw = found.to_dict()
        payments = (raw.get("payments") or {}).get("data") or []
        intents = [payment["payment"].get("payment_intent") for payment in payments]
        intent = next((intent for intent in intents if isinstance(intent, dict)), {})
        if intent.get("status") == "requires_action":
            raise PaymentNeedsAction(url=raw.get("hosted_invoice_url"))
        if raw["status"] == "open":
            await self._client.v1.invoices.void_invoice_async(invoice_id)
        error = intent.get("last_payment_error") or {}
        raise PaymentDeclined(code=error.get("decline_code") or error.get("code"))

    async def schedule_change(self, found: SubscriptionFacts, price_id: str, seats: int, *, key: str) -> None:
        """Let a change happen at the end of the paid period, nothing charged until then; replaces one that waits (M2, M3)."""
        with as_refusals("subscription_schedules"):
            if found.schedule_id is None:
                made = await self._client.v1.subscription_schedules.create_async(
                    {"from_subscription": found.id}, {"idempotency_key": f"{key}:schedule"}
                )
                schedule = made.to_dict()
            else:
                schedule = (await self._client.v1.subscription_schedules.retrieve_async(found.schedule_id)).to_dict()
            start = (schedule.get("current_phase") or schedule["phases"][0])["start_date"]
            current = {"items": [{"price": found.price_id, "quantity": found.seats}], "start_date": start}
            current["end_date"] = int(found.current_period_end.timestamp())
            interval = (await self._price_by_id(price_id)).interval.value
            following = {
                "items": [{"price": price_id, "quantity": seats}],
                "duration": {"interval": interval, "interval_count": 1},
                "proration_behavior": "none",
            }
            params: Any = {
                "phases": [current | {"proration_behavior": "none"}, following],
                "end_behavior": "release",
                "proration_behavior": "none",
            }
            await self._client.v1.subscription_schedules.update_async(schedule["id"], params)

    async def release_schedule(self, schedule_id: str) -> None:
        """Forget a change that waits for the period's end; one already released stays so."""
        with as_refusals("subscription_schedules.release"):
            raw = (await self._client.v1.subscription_schedules.retrieve_async(schedule_id)).to_dict()
            if raw["status"] in {"active", "not_started"}:
                await self._client.v1.subscription_schedules.release_async(schedule_id)

    async def cancel_at_period_end(self, subscription_id: str, *, cancel: bool) -> None:
        """Let it end when the paid period does (R46), or take that back."""
        with as_refusals("subscriptions.update"):
            await self._client.v1.subscriptions.update_async(subscription_id, {"cancel_at_period_end": cancel})

    async def cancel_now(self, subscription_id: str, *, credit: bool) -> None:
        """End it at once; `credit` gives the unused time back as credit on the customer's account."""
        params: Any = {"prorate": credit, "invoice_now": credit}
        with as_refusals("subscriptions.cancel"):
            try:
                await self._client.v1.subscriptions.cancel_async(subscription_id, params)
            except stripe.InvalidRequestError as error:
                if error.code != "resource_missing":  # it has ended already
                    raise

    async def refund_latest(self, subscription_id: str) -> None:
        """Give back what the first invoice of a subscription took: two checkouts raced and one is too many."""
        found = await self.subscription(subscription_id)
        if found is None or found.latest_invoice_id is None:
            return
        with as_refusals("refunds.create"):
            invoice = (
                await self._client.v1.invoices.retrieve_async(
                    found.latest_invoice_id, {"expand": ["payments.data.payment.payment_intent"]}
                )
            ).to_dict()
            for payment in (invoice.get("payments") or {}).get("data") or []:
                intent = facts.id_of(payment["payment"].get("payment_intent"))
                if intent and payment["status"] == "paid":
                    params: Any = {"payment_intent": intent, "reason": "duplicate"}
                    await self._client.v1.refunds.create_async(params, {"idempotency_key": f"refund:{subscription_id}"})

    async def pay_invoice(self, invoice_id: str) -> None:
        """Try an open invoice again with the method on file. Raises PaymentDeclined."""
        with as_refusals("invoices.pay"):
            await self._client.v1.invoices.pay_async(invoice_id)

    # --- looking ---

    async def subscription(self, subscription_id: str) -> SubscriptionFacts | None:
        """A subscription as it is now, with what a schedule will do to it; None when it isn't one of ours."""
        with as_refusals("subscriptions.retrieve"):
            found = await self._client.v1.subscriptions.retrieve_async(subscription_id, {"expand": ["schedule"]})
        return await self._facts(found.to_dict())

    async def _facts(self, raw: Json) -> SubscriptionFacts | None:
        if not (raw.get("metadata") or {}).get("kassor_scope"):
            return None
        price = await self._price_by_id(facts.id_of(raw["items"]["data"][0]["price"]) or "")
        schedule = raw.get("schedule")
        following = None
        if isinstance(schedule, dict):
            ids = {facts.id_of(item["price"]) or "" for phase in schedule["phases"] for item in phase["items"]}
            following = facts.following_phase(
                schedule, {price_id: await self._price_by_id(price_id) for price_id in ids}
            )
            if following and (following.plan, following.interval, following.seats) == (
                price.plan,
                price.interval,
                raw["items"]["data"][0]["quantity"],
            ):
                following = None
        return facts.subscription(raw, price, following)

    async def invoice(self, invoice_id: str) -> InvoiceFacts:
        """An invoice as it is now."""
        with as_refusals("invoices.retrieve"):
            return facts.invoice((await self._client.v1.invoices.retrieve_async(invoice_id)).to_dict())

    async def latest_invoices(self, subscription_id: str, limit: int = 10) -> list[InvoiceFacts]:
        """A subscription's newest invoices, newest first."""
        with as_refusals("invoices.list"):
            found = await self._client.v1.invoices.list_async({"subscription": subscription_id, "limit": limit})
        return [facts.invoice(each.to_dict()) for each in found.data]

    async def live_subscriptions(self) -> list[str]:
        """The ids of every subscription that hasn't ended, for the reconcile sweep."""
        with as_refusals("subscriptions.list"):
            found = await self._client.v1.subscriptions.list_async({"limit": 100})
            return [each.id async for each in found.auto_paging_iter()]

    async def events_since(self, since: datetime, types: list[str]) -> list[tuple[str, str, datetime, str]]:
        """(id, type, created, raw JSON) of every event of these types since then, oldest first; Stripe keeps 30 days."""
        events: list[tuple[str, str, datetime, str]] = []
        with as_refusals("events.list"):
            for start in range(0, len(types), 20):  # Stripe takes at most 20 types a call
                params: Any = {
                    "created": {"gte": int(since.timestamp())},
                    "types": types[start : start + 20],
                    "limit": 100,
                }
                found = await self._client.v1.events.list_async(params)
                async for event in found.auto_paging_iter():
                    raw = json.dumps(event.to_dict(for_json=True))
                    events.append((event.id, event.type, clock.from_timestamp(event.created), raw))
        return sorted(events, key=lambda event: event[2])

    async def fetch_pdf(self, url: str) -> bytes:
        """An invoice's PDF, from Stripe's own hosts only, at most 10 MiB. Raises PaymentsAway, PaymentsRefused."""
        parts = urlsplit(url)
        if parts.netloc != self._api_host and (parts.scheme != "https" or parts.hostname not in _STRIPE_HOSTS):
            raise PaymentsRefused(reference=f"an invoice's PDF at {parts.hostname}")
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT)) as session,
                session.get(url) as response,
            ):
                if response.status != 200:
                    if response.status in {404, 410}:
                        raise PaymentsRefused(reference=f"an invoice's PDF answers {response.status}")
                    raise PaymentsAway(retry_after=None)
                content = await response.content.read(LARGEST_PDF + 1)
                while len(content) <= LARGEST_PDF and not response.content.at_eof():
                    content += await response.content.read(LARGEST_PDF + 1 - len(content))
        except (aiohttp.ClientError, TimeoutError):
            raise PaymentsAway(retry_after=None) from None
        if len(content) > LARGEST_PDF or not content.startswith(b"%PDF"):
            raise PaymentsRefused(reference="what should be an invoice's PDF is none, or too large")
        return content
