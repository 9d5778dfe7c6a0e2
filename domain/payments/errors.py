"""StripeError → our refusals. What Stripe says to us is for the log; people get the refusal's own words."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import stripe

from domain.rules.refusals import PaymentDeclined, PaymentNeedsAction, PaymentsAway, PaymentsRefused

log = logging.getLogger("kassor.payments")


KEY_AGAIN = 60  # seconds: a key that was rolled is mended by a person


@contextmanager
def as_refusals(call: str, *, about_the_key: bool = False) -> Iterator[None]:
    """Turn what Stripe raises inside the block into a refusal; `call` names it in the log.

    A key that Stripe doesn't know (any more) says nothing of what was asked: it is as if Stripe were away, and everything is
    carried on with the right one. Unless somebody asks `about_the_key`.
    """
    try:
        yield
    except stripe.CardError as error:
        code = getattr(error.error, "decline_code", None) or error.code
        log.info("stripe declined %s: %s (%s)", call, code, error.request_id)
        if code == "authentication_required" or error.code == "subscription_payment_intent_requires_action":
            raise PaymentNeedsAction(url=None) from None
        raise PaymentDeclined(code=code) from None
    except stripe.RateLimitError as error:
        log.warning("stripe limits us at %s (%s)", call, error.request_id)
        raise PaymentsAway(retry_after=_retry_after(error)) from None
    except stripe.AuthenticationError as error:
        log.error("stripe does not accept STRIPE_API_KEY at %s (%s)", call, error.request_id)  # noqa: TRY400 - a traceback says nothing more
        if about_the_key:
            raise PaymentsRefused(reference=error.request_id) from None
        raise PaymentsAway(retry_after=KEY_AGAIN) from None
    except (
        stripe.PermissionError,
        stripe.InvalidRequestError,
        stripe.IdempotencyError,
    ) as error:
        if error.http_status == 409:  # the same key is being worked on right now
            raise PaymentsAway(retry_after=2) from None
        log.error("stripe refused %s: %s (%s)", call, error.user_message or error.code, error.request_id)  # noqa: TRY400 - a traceback says nothing more
        raise PaymentsRefused(reference=error.request_id) from None
    except stripe.StripeError as error:  # its servers, or the way to them
        log.warning("stripe is away at %s: %s (%s)", call, type(error).__name__, error.request_id)
        raise PaymentsAway(retry_after=_retry_after(error)) from None


def _retry_after(error: stripe.StripeError) -> int | None:
    given = (error.headers or {}).get("Retry-After", "")
    return min(int(given), 3_600) if given.isdigit() else None
