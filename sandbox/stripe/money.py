"""Arithmetic on minor units: rounding, currencies without cents or with three decimals, the least a card is charged."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

Object = dict[str, Any]

_NO_DECIMALS = {
    "bif",
    "clp",
    "djf",
    "gnf",
    "jpy",
    "kmf",
    "krw",
    "mga",
    "pyg",
    "rwf",
    "ugx",
    "vnd",
    "vuv",
    "xaf",
    "xof",
    "xpf",
}
_THREE_DECIMALS = {"bhd", "jod", "kwd", "omr", "tnd"}
_SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥", "sek": "kr", "nok": "kr", "dkk": "kr"}
_LEAST_CHARGE = {
    "sek": 300,
    "nok": 300,
    "dkk": 250,
    "gbp": 30,
    "jpy": 50,
    "krw": 100,
    "pln": 200,
    "czk": 1500,
    "chf": 50,
}

_CODES = """
aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf clp cny
cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl htg huf idr ils inr isk jmd
jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad
ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl
thb tjs tnd top try ttd twd tzs uah ugx usd uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw
"""
CURRENCIES = frozenset(_CODES.split())  # what can be charged in


def rounded(exact: Fraction | Decimal) -> int:
    """To the nearest whole minor unit, halves away from zero, as Stripe rounds."""
    fraction = Fraction(exact)
    size = abs(fraction)
    whole = int(size + Fraction(1, 2))
    return whole if fraction >= 0 else -whole


def decimals(currency: str) -> int:
    """How many decimals the currency is written with."""
    if currency in _NO_DECIMALS:
        return 0
    return 3 if currency in _THREE_DECIMALS else 2


def shown(amount: int, currency: str) -> str:
    """As in a line's description: `kr79.00`, `¥500`, `KWD 1.250`."""
    places = decimals(currency)
    number = (Decimal(amount) / 10**places).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    symbol = _SYMBOLS.get(currency, f"{currency.upper()} ")
    return f"{symbol}{number:,}"


def least_charge(currency: str) -> int:
    """Less than this is not charged but kept on the customer's balance. Minor units."""
    return _LEAST_CHARGE.get(currency, 500 if currency in _THREE_DECIMALS else 50)


def unit_amount(price: Object) -> Fraction:
    """A price's amount for one, in minor units; may have a fraction (`unit_amount_decimal`)."""
    if price["unit_amount_decimal"] is not None:
        return Fraction(price["unit_amount_decimal"])
    return Fraction(price["unit_amount"] or 0)


def settled(total: int, balance: int, currency: str) -> tuple[int, int]:
    """What is due for a `total`, and the customer's balance afterwards (negative: credit).

    Credit is used first; a debt is added. A sum below the least charge is carried over on the balance.
    """
    rest = total + balance
    if total < 0 or rest < least_charge(currency):
        return 0, rest
    return rest, 0
