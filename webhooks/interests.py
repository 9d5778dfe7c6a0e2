"""Which of Stripe's events matter, why, and what each makes us read again. Anything else is taken note of and left alone."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from domain import sync
from domain.desk import Desk

Json = dict[str, Any]
Verb = Callable[[Desk, str], Awaitable[Any]]


@dataclass(frozen=True)
class Reading:
    """One object to read again: ten events about it are one reading."""

    verb: Verb
    object_id: str


@dataclass(frozen=True)
class Interest:
    """Why an event matters, what it makes us do, and to which object its own object leads."""

    why: str
    verb: Verb
    lead: Callable[[Json], str | None]


def _itself(subject: Json) -> str | None:
    return subject.get("id")


def _field(name: str) -> Callable[[Json], str | None]:
    def lead(subject: Json) -> str | None:
        found = subject.get(name)
        return found.get("id") if isinstance(found, dict) else found

    return lead


def _subscription_of_schedule(schedule: Json) -> str | None:
    return _field("subscription")(schedule) or schedule.get("released_subscription")


def _about(verb: Verb, lead: Callable[[Json], str | None], **whys: str) -> dict[str, Interest]:
    return {name.replace("__", "."): Interest(why, verb, lead) for name, why in whys.items()}


INTERESTS: dict[str, Interest] = {
    **_about(
        sync.checkout_session,
        _itself,
        checkout__session__completed="somebody finished Stripe's page: the upgrade is theirs if it is paid (R23)",
        checkout__session__async_payment_succeeded="a slow payment method came through",
        checkout__session__async_payment_failed="a slow payment method did not",
        checkout__session__expired="nobody finished Stripe's page: whoever began is told how to go on",
    ),
    **_about(
        sync.subscription,
        _itself,
        customer__subscription__created="a subscription exists: the quote behind it is settled",
        customer__subscription__updated="terms, period or status changed, here or in Stripe's dashboard",
        customer__subscription__deleted="it has ended: everybody in the scope is on Basic (R46)",
        customer__subscription__paused="a trial ended without a payment method",
        customer__subscription__resumed="and goes on",
        customer__subscription__pending_update_applied="a change was paid after all and holds now (M2)",
        customer__subscription__pending_update_expired="a change was never paid and is dropped (M2)",
    ),
    **_about(
        sync.trial_ending,
        _itself,
        customer__subscription__trial_will_end="the owner is reminded before the first charge",
    ),
    **_about(
        sync.invoice,
        _itself,
        invoice__created="the invoice of a period is being made",
        invoice__finalized="it has its number and its PDF: a copy can be sent (I1)",
        invoice__paid="money arrived",
        invoice__payment_failed="it didn't; the owner is told through the subscription (M5)",
        invoice__payment_succeeded="money arrived by one payment",
        invoice__updated="something on it changed",
        invoice__voided="it no longer counts",
        invoice__marked_uncollectible="it was given up",
        invoice__overdue="an invoice paid by hand is late",
    ),
    **_about(
        sync.payment_action_required,
        _itself,
        invoice__payment_action_required="the bank asks for the cardholder: the owner gets Stripe's page for it",
    ),
    **_about(
        sync.customer,
        _itself,
        customer__updated="billing information or the default payment method changed (R27, R54)",
    ),
    **_about(
        sync.customer,
        _field("customer"),
        payment_method__attached="a new card or PayPal (R54)",
        payment_method__updated="a card was renewed by its bank",
        payment_method__automatically_updated="as above",
    ),
    **_about(
        sync.subscription,
        _subscription_of_schedule,
        subscription_schedule__created="a change waits for the period's end (M3)",
        subscription_schedule__updated="what waits is another change",
        subscription_schedule__released="the change was taken back",
        subscription_schedule__canceled="as above, by the dashboard",
        subscription_schedule__completed="the change has happened",
        subscription_schedule__aborted="Stripe gave the change up",
        subscription_schedule__expiring="the last phase ends soon",
    ),
}
# A detached method names no customer any more; the one it had is in what changed.
INTERESTS["payment_method.detached"] = Interest(
    "the card or PayPal account is gone (R52)", sync.customer, _field("customer")
)


def reading_of(kind: str, payload: Json) -> Reading | None:
    """What an event makes us read again; None when it is none of our business."""
    interest = INTERESTS.get(kind)
    if interest is None:
        return None
    data = payload.get("data") or {}
    subject = data.get("object") or {}
    object_id = interest.lead(subject) or interest.lead(data.get("previous_attributes") or {})
    return Reading(interest.verb, object_id) if object_id else None
