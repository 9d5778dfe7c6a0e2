"""What Stripe says: the key, the webhook endpoint, the portal, the catalogue's prices; and what only a person can look at there."""

from cli.doctor.finding import Finding, Tools, ok, unknown, wrong
from cli.doctor.slack import skew
from domain.payments.endpoints import API_VERSION
from domain.rules.refusals import PaymentsRefused

SETUP = "Run `kassor stripe-setup`."
_NEEDED = {"payment_method_update": "change the payment method", "customer_update": "change billing information"}
_PAST_US = {
    "subscription_update": "change the subscription",
    "subscription_cancel": "cancel it",
    "subscription_pause": "pause it",
}


async def key(tools: Tools) -> list[Finding]:
    """Test or live, as the public address suggests."""
    given = tools.settings.stripe_api_key
    if "_live_" in given:
        return [ok("Stripe key", "A live key: cards are really charged.")]
    if "_test_" in given:
        return [ok("Stripe key", "A test key: no card is really charged.")]
    return [
        wrong("Stripe key", "It is neither a test nor a live key.", "Copy it anew from Stripe, Developers → API keys.")
    ]


async def webhooks(tools: Tools) -> list[Finding]:
    """An endpoint for our address, switched on, with our events, in our API version."""
    url = f"{tools.settings.public_url}/stripe/webhooks"
    try:
        found, said = await tools.stripe.endpoints()
    except PaymentsRefused as refusal:
        return [
            wrong(
                "Stripe",
                f"Stripe refuses to list the webhook endpoints (request {refusal.reference}).",
                "See that STRIPE_API_KEY is right; a restricted key needs Webhook Endpoints: Read.",
            )
        ]
    lines = [*skew("Stripe", [said])]
    ours = [each for each in found if each.url.rstrip("/") == url]
    if not ours:
        others = f" (others: {', '.join(sorted(each.url for each in found))})" if found else ""
        return [*lines, wrong("webhook endpoint", f"Stripe has none for {url}{others}.", SETUP)]
    if len(ours) > 1:
        ids = ", ".join(each.id for each in ours)
        lines.append(
            wrong("webhook endpoint", f"There are {len(ours)} for {url}: {ids}.", "Delete all but one in Stripe.")
        )
    for each in ours:
        lines += _endpoint(each.id, each.is_enabled, each.events, each.api_version, tools.event_types)
    return lines


def _endpoint(
    endpoint_id: str, is_enabled: bool, events: frozenset[str], version: str | None, wanted: tuple[str, ...]
) -> list[Finding]:
    lines = []
    if not is_enabled:
        lines.append(wrong("webhook endpoint", f"{endpoint_id} is switched off.", SETUP))
    missing = [] if "*" in events else sorted(set(wanted) - events)
    superfluous = sorted(events - set(wanted) - {"*"})
    if missing:
        lines.append(wrong("webhook events", f"Not sent: {', '.join(missing)}.", SETUP))
    elif "*" in events:
        lines.append(ok("webhook events", "Every type is sent, more than is needed; `kassor stripe-setup` narrows it."))
    else:
        extra = f" Sent for nothing: {', '.join(superfluous)}." if superfluous else ""
        lines.append(ok("webhook events", f"All {len(wanted)} that matter are sent.{extra}"))
    if version is None:
        lines.append(
            unknown(
                "webhook version",
                f"{endpoint_id} follows the account's own API version; Kassör was made for {API_VERSION}.",
                "Only the ids in an event are used, so this is no danger; an endpoint made by `kassor stripe-setup` is pinned.",
            )
        )
    elif version != API_VERSION:
        lines.append(
            wrong(
                "webhook version",
                f"{endpoint_id} sends version {version}; Kassör was made for {API_VERSION}.",
                "Stripe can't change it: run `kassor stripe-setup --new`, add the new secret, then delete the old endpoint.",
            )
        )
    else:
        lines.append(ok("webhook version", API_VERSION))
    return lines


async def portal(tools: Tools) -> list[Finding]:
    """Stripe's customer portal is there, lets people do what Kassör sends them there for, and nothing past Kassör's rules."""
    page = "Settings → Billing → Customer portal"
    try:
        found = await tools.stripe.portal_features()
    except PaymentsRefused as refusal:
        mend = "A restricted key needs Customer portal: Write."
        return [wrong("customer portal", f"Stripe refuses to show its settings (request {refusal.reference}).", mend)]
    if found is None:
        return [
            wrong("customer portal", "Its settings were never saved, so it opens for nobody.", f"Save them: {page}.")
        ]
    lacking = [what for name, what in _NEEDED.items() if not found.get(name)]
    too_much = [what for name, what in _PAST_US.items() if found.get(name)]
    lines = []
    if lacking:
        lines.append(wrong("customer portal", f"Nobody can {', '.join(lacking)} there.", f"Switch it on: {page}."))
    if too_much:
        says = f"Customers may {', '.join(too_much)} there, past the rules of seats and grace."
        lines.append(wrong("customer portal", says, f"Switch it off: {page}."))
    return lines or [ok("customer portal", "Payment methods and billing information, and nothing past Kassör.")]


async def prices(tools: Tools) -> list[Finding]:
    """Every price of the catalogue is in Stripe, active, and the same amount for the same time."""
    try:
        listed = {each.lookup_key: each for each in await tools.stripe.listed_prices()}
    except PaymentsRefused as refusal:
        mend = "A restricted key needs Prices and Products: Write."
        return [wrong("catalogue", f"Stripe refuses to list prices (request {refusal.reference}).", mend)]
    lines = []
    wanted = tools.stripe.wanted_prices()
    for lookup, currency, interval, amount in wanted:
        found = listed.get(lookup)
        if found is None:
            lines.append(wrong("catalogue", f"{lookup} is not in Stripe.", "Run `kassor catalogue push`."))
        elif not found.is_active:
            lines.append(wrong("catalogue", f"{lookup} is archived in Stripe.", "Unarchive it there."))
        elif (found.currency, found.interval, found.unit_amount, found.interval_count) != (
            currency,
            interval,
            amount,
            1,
        ):
            lines.append(
                wrong(
                    "catalogue",
                    f"{lookup} is {found.unit_amount} {found.currency} a {found.interval} in Stripe, not {amount} {currency}.",
                    "Take the lookup key off that price in Stripe, then run `kassor catalogue push`.",
                )
            )
    return lines or [ok("catalogue", f"All {len(wanted)} prices are in Stripe, each amount the same.")]


async def recovery(_: Tools) -> list[Finding]:
    """Stripe has no API for this setting."""
    return [
        unknown(
            "failed payments",
            "Stripe can't be asked what it does after the last failed attempt.",
            "Look in Stripe: Billing → Revenue recovery → Retries must say “leave the subscription past due”.",
        )
    ]
