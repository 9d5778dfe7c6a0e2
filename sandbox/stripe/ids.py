"""Object ids that look like Stripe's: a prefix that tells the kind, then letters and digits."""

import secrets
import string

_ALPHABET = string.ascii_letters + string.digits

PREFIXES = {
    "billing_portal.configuration": "bpc_1",
    "billing_portal.session": "bps_1",
    "charge": "ch_3",
    "checkout.session": "cs_test_a1",
    "credit_note": "cn_1",
    "credit_note_line_item": "cnli_1",
    "customer": "cus_",
    "customer_balance_transaction": "cbtxn_1",
    "discount": "di_1",
    "event": "evt_1",
    "invoice": "in_1",
    "invoice_payment": "inpay_1",
    "invoiceitem": "ii_1",
    "item": "li_1",
    "line_item": "il_1",
    "payment_intent": "pi_3",
    "payment_method": "pm_1",
    "price": "price_1",
    "product": "prod_",
    "refund": "re_3",
    "setup_intent": "seti_1",
    "subscription": "sub_1",
    "subscription_item": "si_",
    "subscription_schedule": "sub_sched_1",
    "tax_id": "txi_1",
    "tax_rate": "txr_1",
    "webhook_endpoint": "we_1",
}


def random_word(length: int) -> str:
    """Letters and digits nobody can guess."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def new(kind: str) -> str:
    """A fresh id for an object of `kind` (Stripe's `object` name)."""
    prefix = PREFIXES[kind]
    if prefix.startswith("cs_"):
        return prefix + random_word(56)
    return prefix + random_word(14 if prefix.endswith("_") else 23)
