"""Changes of a subscription: previewed, made at once, or left for the end of the paid period."""

from datetime import datetime
from typing import Any

import stripe

from domain.payments import facts
from domain.payments.door import Json
from domain.payments.ending import Endings
from domain.payments.errors import as_refusals
from domain.payments.facts import Preview, PriceFacts, SubscriptionFacts
from domain.rules.refusals import PaymentDeclined, PaymentNeedsAction


class Changes(Endings):
    """What a change would cost is Stripe's own preview, and what it costs is the same."""

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
        return Preview(
            currency=price.currency,
            due_now=raw["amount_due"],
            tax_now=facts.tax_of(raw),
            lines=facts.preview_lines(raw),
            next_total=raw["total"],
            next_at=None,
            proration_date=None,
            discount_now=facts.discount_of(raw),
            balance_now=facts.balance_of(raw),
        )

    async def preview_change(
        self, subscription_id: str, item_id: str, price: PriceFacts, seats: int, proration_date: datetime
    ) -> Preview:
        """What changing to `price` and `seats` at `proration_date` would charge at once."""
        details: Any = {
            "items": [{"id": item_id, "price": price.id, "quantity": seats}],
            "proration_date": int(proration_date.timestamp()),
            "proration_behavior": "always_invoice",
        }
        with as_refusals("invoices.create_preview"):
            now = await self._preview({"subscription": subscription_id, "subscription_details": details})
        period_end = max((line["period"]["end"] for line in now["lines"]["data"]), default=None)
        return Preview(
            currency=price.currency,
            due_now=now["amount_due"],
            tax_now=facts.tax_of(now),
            lines=facts.preview_lines(now),
            next_total=now["total"],
            next_at=facts.moment(period_end),
            proration_date=proration_date,
            discount_now=facts.discount_of(now),
            balance_now=facts.balance_of(now),
        )

    async def preview_renewal(self, subscription_id: str, price: PriceFacts, seats: int) -> int:
        """What a whole period of `price` and `seats` would cost this subscription, its tax and discounts included. Minor units.

        Asked for as a new one with its terms: a preview of the subscription itself says nothing while a cancellation waits, and
        counts in a schedule that the change may replace.
        """
        with as_refusals("invoices.create_preview"):
            found = await self._client.v1.subscriptions.retrieve_async(
                subscription_id, {"expand": ["discounts", "default_tax_rates"]}
            )
            raw = found.to_dict()
            item = raw["items"]["data"][0]
            rates = [facts.id_of(rate) for rate in item.get("tax_rates") or raw.get("default_tax_rates") or []]
            params: Any = {
                "customer": facts.id_of(raw["customer"]),
                "currency": price.currency,
                "subscription_details": {"items": [{"price": price.id, "quantity": seats}]},
            }
            if rates:
                params["subscription_details"]["default_tax_rates"] = rates
            if coupons := _coupons(raw, until=item["current_period_end"]):
                params["discounts"] = coupons
            return int((await self._preview(params))["total"])

    async def _preview(self, params: Any) -> Json:
        return (await self._client.v1.invoices.create_preview_async(params)).to_dict()

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
            await self._take_back(facts.id_of(raw["latest_invoice"]) or "")

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
        if not await self.give_up_invoice(invoice_id):
            return  # the cardholder has been to their bank meanwhile: it is in force
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
            kept, of_item = _kept_terms(next(each for each in schedule["phases"] if each["start_date"] == start))
            current: Any = {
                "items": [{"price": found.price_id, "quantity": found.seats, **of_item}],
                "start_date": start,
                "end_date": int(found.current_period_end.timestamp()),
                **kept,
            }
            if found.status == "trialing" and found.trial_end is not None:
                current["trial_end"] = int(found.trial_end.timestamp())  # a phase without it would end the trial now
            interval = (await self._price_by_id(price_id)).interval.value
            following = {
                "items": [{"price": price_id, "quantity": seats, **of_item}],
                "duration": {"interval": interval, "interval_count": 1},
                "proration_behavior": "none",
                **kept,
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
            if raw["status"] not in {"active", "not_started"}:
                return
            try:
                await self._client.v1.subscription_schedules.release_async(schedule_id)
            except stripe.InvalidRequestError:  # somebody else was first, or it has come to its end
                found = await self._client.v1.subscription_schedules.retrieve_async(schedule_id)
                if found.status in {"active", "not_started"}:
                    raise

    async def cancel_at_period_end(self, subscription_id: str, *, cancel: bool) -> None:
        """Let it end when the paid period does (R46), or take that back.

        Cancelled on Stripe's own portal it has a date instead of the flag, which is taken back by emptying it; Stripe takes one
        of the two a call.
        """
        with as_refusals("subscriptions.update"):
            params: Any = {"cancel_at_period_end": cancel}
            if not cancel:
                found = (await self._client.v1.subscriptions.retrieve_async(subscription_id)).to_dict()
                if not found["cancel_at_period_end"]:
                    params = {"cancel_at": ""}
            await self._client.v1.subscriptions.update_async(subscription_id, params)


def _coupons(raw: Json, *, until: int) -> list[Json]:
    """The coupons that still take something off a subscription's next invoice; its discounts are expanded."""
    running = [each for each in raw.get("discounts") or [] if each.get("end") is None or each["end"] > until]
    return [{"coupon": facts.id_of((each.get("source") or {}).get("coupon"))} for each in running]


def _kept_terms(phase: Json) -> tuple[Json, Json]:
    """What a phase must say again, for the subscription and for its item: discounts and tax rates left out would be lost."""
    kept: Json = {}
    discounts = [
        {name: facts.id_of(each[name]) for name in ("discount", "coupon") if each.get(name)}
        for each in phase.get("discounts") or []
    ]
    if discounts:
        kept["discounts"] = [{"discount": each["discount"]} if "discount" in each else each for each in discounts]
    if rates := [facts.id_of(rate) for rate in phase.get("default_tax_rates") or []]:
        kept["default_tax_rates"] = rates
    of_item = [facts.id_of(rate) for rate in phase["items"][0].get("tax_rates") or []]
    return kept, {"tax_rates": of_item} if of_item else {}
