"""Whether the public address leads here: the same question Slack and Stripe ask with every request."""

import secrets

import aiohttp

from cli.doctor.finding import Finding, Tools, ok, wrong
from cli.proof import proof

_LARGEST = 4096  # bytes read of an answer


async def address(tools: Tools) -> list[Finding]:
    """`/healthz` at KASSOR_PUBLIC_URL seals a word as only a Kassör with our settings can."""
    settings, word = tools.settings, secrets.token_urlsafe(24)
    url = f"{settings.public_url}/healthz"
    try:
        async with tools.session.get(url, params={"word": word}, allow_redirects=False) as response:
            status, text = response.status, (await response.content.read(_LARGEST)).decode(errors="replace")
    except aiohttp.ClientConnectorCertificateError:
        return [wrong("public address", f"{url} has a certificate nobody trusts.", "Renew it at your proxy.")]
    except (aiohttp.ClientError, TimeoutError) as error:
        return [
            wrong(
                "public address",
                f"{url} does not answer ({type(error).__name__}).",
                "Start `kassor serve web`, and let your proxy pass everything under KASSOR_PUBLIC_URL on to its PORT.",
            )
        ]
    if status != 200:
        return [
            wrong("public address", f"{url} answers {status}.", "See what your proxy passes on, and to which port.")
        ]
    if str(proof(settings.slack_signing_secret, word)) not in text:
        return [
            wrong(
                "public address",
                f"{url} answers, and it is no Kassör with these settings.",
                "See that DNS and the proxy lead here, and that web was started again after settings were changed.",
            )
        ]
    return [ok("public address", f"{settings.public_url} leads to this Kassör.")]
