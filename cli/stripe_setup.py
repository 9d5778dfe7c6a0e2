"""`kassor stripe-setup`: the webhook endpoint, made with exactly the events of `webhooks.interests`, or mended."""

import json
from collections.abc import Callable

from domain.config import Settings
from domain.payments.endpoints import Endpoints
from domain.rules import catalogue
from webhooks.interests import INTERESTS


async def set_up(settings: Settings, say: Callable[[str], None], *, dry_run: bool, new: bool, as_json: bool) -> None:
    """Make or mend it; running it twice changes nothing more. Raises CatalogueError, PaymentsAway, PaymentsRefused.

    The secret is known only in Stripe's answer to making it, so it is printed at once and kept nowhere. Should that answer be
    lost, the endpoint is there without its secret: `--new` makes another.
    """
    url, wanted = f"{settings.public_url}/stripe/webhooks", sorted(INTERESTS)
    door = Endpoints(settings, catalogue.load(settings.catalogue))
    secret = None
    try:
        found, _ = await door.endpoints()
        ours = [each for each in found if each.url.rstrip("/") == url]
        if new or not ours:
            done = f"An endpoint for {url} with {len(wanted)} events"
            if not dry_run:
                endpoint_id, secret = await door.create_endpoint(url, wanted)
                done += f": {endpoint_id}"
            lines = [done]
        else:
            stale = [each for each in ours if each.events != frozenset(wanted) or not each.is_enabled]
            lines = [f"{each.id}: exactly {len(wanted)} events, switched on" for each in stale]
            if not dry_run:
                for each in stale:
                    await door.update_endpoint(each.id, wanted)
    finally:
        await door.close()
    if as_json:
        say(json.dumps({"dry_run": dry_run, "changes": lines, "signing_secret": secret}, indent=2))
        return
    for line in lines:
        say(("Would make: " if dry_run else "Made: ") + line)
    if not lines:
        say(f"The endpoint for {url} is as it must be.")
    if secret:
        say(
            f"\nIts signing secret, shown this once. Add it to STRIPE_WEBHOOK_SECRETS and start Kassör again:\n\n  {secret}"
        )
