"""An invoice's PDF comes from Stripe's own hosts, at every step of the way, and is a PDF of a sensible size, or there is none."""

from typing import Any

import pytest
from aiohttp import web

from domain.config import Settings
from domain.payments import Payments
from domain.rules.catalogue import Catalogue
from domain.rules.refusals import PaymentsAway, PaymentsRefused
from tests.sandbox.stripe.shop import free_port


async def fetched(catalogue: Catalogue, **answer: Any) -> bytes:
    """What comes of asking a Stripe that answers so."""

    async def handle(request: web.Request) -> web.Response:
        if request.path == "/moved":
            return web.Response(body=b"%PDF-1.7 moved")
        return web.Response(**answer)

    application = web.Application()
    application.add_routes([web.get("/{anything}", handle)])
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    payments = Payments(Settings(stripe_api_key="sk_test_1", stripe_api_url=f"http://127.0.0.1:{port}"), catalogue)
    try:
        return await payments.fetch_pdf(f"http://127.0.0.1:{port}/a")
    finally:
        await payments.close()
        await runner.cleanup()


@pytest.mark.parametrize(
    ("answer", "raised"),
    [
        ({"body": b"<html>log in</html>"}, PaymentsRefused),
        ({"body": b"%PDF" + b"x" * (10 * 1024 * 1024)}, PaymentsRefused),
        ({"status": 404}, PaymentsRefused),
        ({"status": 503}, PaymentsAway),
        ({"status": 302, "headers": {"Location": "http://127.0.0.1:1/evil.pdf"}}, PaymentsRefused),
        ({"status": 302, "headers": {"Location": "https://pay.stripe.com.evil.example/x.pdf"}}, PaymentsRefused),
        ({"status": 302, "headers": {"Location": "http://pay.stripe.com/x.pdf"}}, PaymentsRefused),
        ({"status": 302, "headers": {"Location": "/again"}}, PaymentsRefused),
    ],
    ids=["html", "large", "gone", "away", "elsewhere", "lookalike", "in-the-clear", "round-and-round"],
)
async def test_what_is_not_stripes_own_pdf_is_refused(
    catalogue: Catalogue, answer: dict[str, Any], raised: type[Exception]
) -> None:
    with pytest.raises(raised):
        await fetched(catalogue, **answer)


async def test_a_redirect_within_stripe_is_followed(catalogue: Catalogue) -> None:
    assert await fetched(catalogue, status=302, headers={"Location": "/moved"}) == b"%PDF-1.7 moved"
