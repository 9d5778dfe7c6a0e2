"""How a person pays on a hosted page, what comes of it, and the test cards every Stripe account knows."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Payment:
    """What a person typed on a hosted page. `authenticated` says that 3-D Secure has been passed.

    For PayPal `number` is the card behind the account: it is declined where that card would be.
    """

    method: Literal["card", "paypal"]
    number: str = "4242424242424242"
    exp_month: int = 12
    exp_year: int = 2034
    cvc: str = "123"
    payer_email: str | None = None
    authenticated: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    `paid`: done (also: saved, when there was nothing to pay). `declined`: the bank or PayPal said no, see
    `decline_code`. `requires_action`: 3-D Secure first; try again with `authenticated=True`. `refused`: the page or the
    form is no good (session expired, card number wrong), see `message`.
    """

    state: Literal["paid", "declined", "requires_action", "refused"]
    decline_code: str | None = None
    message: str | None = None
    redirect_url: str | None = None


@dataclass(frozen=True, slots=True)
class TestCard:
    """One of Stripe's well-known card numbers and how it behaves.

    `attach_error`: the decline with which it is refused the moment it is used or saved. `charge_error`: it saves, but
    every later charge fails so. `authentication`: when 3-D Secure is asked for; "setup" once, "always" each time.
    """

    number: str
    brand: Literal["visa", "mastercard", "amex"] = "visa"
    country: str = "US"
    attach_error: str | None = None
    charge_error: str | None = None
    authentication: Literal["never", "setup", "always"] = "never"


CARDS: dict[str, TestCard] = {
    card.number: card
    for card in (
        TestCard("4242424242424242"),
        TestCard("5555555555554444", brand="mastercard"),
        TestCard("378282246310005", brand="amex"),
        TestCard("4000007520000008", country="SE"),
        TestCard("4000000000000002", attach_error="generic_decline"),
        TestCard("4000000000009995", attach_error="insufficient_funds"),
        TestCard("4000000000000069", attach_error="expired_card"),
        TestCard("4000000000000127", attach_error="incorrect_cvc"),
        TestCard("4000000000000119", attach_error="processing_error"),
        TestCard("4000000000000341", charge_error="generic_decline"),
        TestCard("4000002500003155", authentication="setup"),
        TestCard("4000002760003184", authentication="always"),
        TestCard("4000000000003220", authentication="always"),
    )
}

_SENTENCES = {
    "generic_decline": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
    "incorrect_number": "Your card number is incorrect.",
    "authentication_required": "Your card was declined. This transaction requires authentication.",
    "payment_method_provider_decline": "PayPal declined the payment. Choose another way to pay.",
}


def sentence(decline_code: str) -> str:
    """Stripe's English sentence for a decline."""
    return _SENTENCES.get(decline_code, "Your card was declined.")


def error_code(decline_code: str) -> str:
    """The `code` of the error that carries `decline_code`: most are `card_declined`, some have a code of their own."""
    if decline_code in {
        "expired_card",
        "incorrect_cvc",
        "processing_error",
        "incorrect_number",
        "authentication_required",
    }:
        return decline_code
    if decline_code == "payment_method_provider_decline":
        return "payment_method_provider_decline"
    return "card_declined"
