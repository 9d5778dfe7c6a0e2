"""From a payment that somebody reads about in Stripe, or on a card statement, to whose it is. For the console alone."""

import stripe

from domain.payments.door import Door
from domain.payments.errors import as_refusals
from domain.payments.facts import id_of


class Tracing(Door):
    """Make it inside a running event loop; `close()` it at the end."""

    async def customer_of(self, object_id: str) -> str | None:
        """The customer (cus_…) of a payment intent (pi_…) or charge (ch_…); None when Stripe knows none like that.

        Raises PaymentsAway, PaymentsRefused.
        """
        v1 = self._client.v1
        with as_refusals("payment_intents.retrieve"):
            try:
                if object_id.startswith("pi_"):
                    return id_of((await v1.payment_intents.retrieve_async(object_id)).customer)
                return id_of((await v1.charges.retrieve_async(object_id)).customer)
            except stripe.InvalidRequestError as error:
                if error.code != "resource_missing":
                    raise
                return None
