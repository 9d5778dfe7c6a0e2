"""The doctor at Stripe's customer portal: unsaved, it opens for nobody; saved with too much, Kassör's rules are passed by."""

from typing import Any, cast

import pytest

from cli.doctor import stripe
from cli.doctor.finding import Finding, State, Tools
from domain.payments.endpoints import Endpoints
from tests.domain.conftest import Town, town

__all__ = ["town"]  # the fixture


async def looked(town: Town) -> list[Finding]:
    """What the doctor finds about the portal."""
    door = Endpoints(town.desk.settings, town.desk.catalogue)
    try:
        unused = cast("Any", None)
        return await stripe.portal(Tools(town.desk.settings, unused, door, unused, (), True))
    finally:
        await door.close()


async def test_settings_that_were_saved_are_well_and_open_the_portal(town: Town) -> None:
    [found] = await looked(town)
    assert found.state is State.OK
    live = await town.upgraded()
    assert await town.desk.payments.portal_link(live.customer_id, return_url="https://kassor.example")


async def test_settings_that_were_never_saved_are_wrong_and_the_portal_opens_for_nobody(town: Town) -> None:
    await looked(town)
    [made] = town.objects("billing_portal.configuration")
    made["is_default"] = False
    [found] = await looked(town)
    assert (found.state, "never saved" in found.says, "Save them" in found.mend) == (State.WRONG, True, True)


@pytest.mark.parametrize(
    ("feature", "is_on", "says"),
    [
        ("payment_method_update", False, "Nobody can change the payment method there."),
        ("customer_update", False, "Nobody can change billing information there."),
        ("subscription_cancel", True, "Customers may cancel it there, past the rules of seats and grace."),
        (
            "subscription_update",
            True,
            "Customers may change the subscription there, past the rules of seats and grace.",
        ),
    ],
)
async def test_what_the_portal_must_not_lack_and_must_not_let_people_do(
    town: Town, feature: str, is_on: bool, says: str
) -> None:
    await looked(town)
    [made] = town.objects("billing_portal.configuration")
    made["features"][feature]["enabled"] = is_on
    [found] = await looked(town)
    assert (found.state, found.says) == (State.WRONG, says)
