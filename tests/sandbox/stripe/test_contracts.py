"""Every object this Stripe returns, held against the classes of Stripe's own package and against Stripe's published shapes."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import stripe

from sandbox.journal import Exchange, Journal
from sandbox.stripe.operations import OPERATIONS
from tests.sandbox.stripe.client_types import fits, problems_of
from tests.sandbox.stripe.shop import KEY, Shop, open_shop
from tests.sandbox.stripe.story import whole_story

Json = dict[str, Any]
PUBLISHED: Json = json.loads((Path(__file__).parent.parent / "contracts" / "stripe.json").read_text())
UNTOLD = {"test_helpers.test_clock"}  # time moves with the world's clock instead


class Recorder(Journal):
    """A journal that keeps every answer of the API whole."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[Json] = []

    def record(self, exchange: Exchange) -> None:
        if exchange.callee == "stripe" and exchange.status == 200:
            self.answers.append(json.loads(exchange.response_body))
        super().record(exchange)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[Json]:
    """Every answer and every webhook of the whole story, each as JSON."""

    async def tell() -> list[Json]:
        recorder = Recorder()
        async with open_shop(tmp_path_factory.mktemp("contracts"), recorder) as shop:
            await whole_story(shop)
            return recorder.answers + shop.endpoint.got

    return asyncio.run(tell())


def objects_in(value: Any) -> Iterator[Json]:
    """Every object in an answer, nested ones too."""
    if isinstance(value, list):
        for each in value:
            yield from objects_in(each)
    elif isinstance(value, dict):
        if isinstance(value.get("object"), str) and "id" in value:
            yield value
        for each in value.values():
            yield from objects_in(each)


def test_every_object_is_as_the_clients_classes_say(told: list[Json]) -> None:
    assert sorted({wrong for answer in told for wrong in problems_of(answer)}) == []


def test_the_story_tells_of_every_kind_of_object_with_a_published_shape(told: list[Json]) -> None:
    seen = {each["object"] for answer in told for each in objects_in(answer)}
    assert PUBLISHED.keys() - UNTOLD - seen == set()


def test_what_is_published_of_an_object_has_the_same_type_here(told: list[Json]) -> None:
    wrong: set[str] = set()
    for answer in told:
        for each in objects_in(answer):
            if each["object"] in PUBLISHED and not each.get("deleted"):
                wrong |= set(differences(each, PUBLISHED[each["object"]], each["object"]))
    assert sorted(wrong) == []


def differences(value: Any, published: Any, at: str) -> Iterator[str]:
    """Where a value is of another type than the published one. null, an id for an object, and an empty hash say nothing."""
    if value is None or published == "null":
        return
    if isinstance(published, dict):
        if isinstance(value, str):
            return  # not expanded here
        if not isinstance(value, dict):
            yield f"{at}: {value!r} where an object is published"
            return
        for key, inner in published.items():
            if key in value:
                yield from differences(value[key], inner, f"{at}.{key}")
    elif isinstance(published, list):
        if not isinstance(value, list):
            yield f"{at}: {value!r} where a list is published"
        elif published:
            for each in value:
                yield from differences(each, published[0], f"{at}[]")
    else:
        names = {"string": str, "number": (int, float), "boolean": bool}
        fine = isinstance(value, names[published]) and (published == "boolean" or not isinstance(value, bool))
        if not fine and not (published == "string" and isinstance(value, dict) and "object" in value):
            yield f"{at}: {value!r} where a {published} is published"


def test_a_word_or_a_type_stripe_does_not_have_would_be_found() -> None:
    status = stripe.Subscription.__annotations__["status"]
    assert (fits("active", status), fits("paused_forever", status), fits(1, status)) == (True, False, False)
    wrong = problems_of({"object": "coupon", "id": "c", "valid": "yes", "colour": "red"})
    assert {"coupon.colour: unknown to the client", "coupon.times_redeemed: missing"} <= set(wrong)
    assert any(each.startswith("coupon.valid: 'yes' is not") for each in wrong)


# --- parameters ---


async def test_every_operation_refuses_a_parameter_that_stripes_package_does_not_know(
    shop: Shop,
) -> None:
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {KEY}"}) as http:
        for operation in OPERATIONS:
            url = f"{shop.server.base_url}{operation.url(('x_1', 'x_2'))}"
            body: Json = {"data": {"colour": "red"}} if operation.method == "POST" else {"params": {"colour": "red"}}
            async with http.request(operation.method, url, **body) as response:
                error = (await response.json())["error"]
            assert (response.status, error["code"]) == (400, "parameter_unknown"), url
