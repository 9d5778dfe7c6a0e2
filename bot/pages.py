"""What browsers are shown: calm pages in the reader's language that lead back to Slack. Nothing loads from anywhere."""

import base64
import hashlib
import html
import re

from aiohttp import web

from bot.words import Words, languages

_STYLE = """
:root{color-scheme:light dark;--soft:color-mix(in srgb,CanvasText 66%,Canvas);--line:color-mix(in srgb,CanvasText 16%,Canvas)}
body{margin:0;min-height:100vh;display:grid;place-items:center;font:17px/1.5 system-ui,sans-serif;background:Canvas;
color:CanvasText}
main{max-width:26rem;padding:2rem;text-align:center}
main.long{max-width:38rem;text-align:start}
svg{width:56px;height:56px} h1{font-size:1.4rem;line-height:1.3;margin:.8rem 0 .3rem} .long h1{font-size:1.9rem}
h2{font-size:1.05rem;margin:2rem 0 .5rem} p{margin:.3rem 0 1.4rem;color:var(--soft)} ul{margin:0;padding-inline-start:1.2rem}
li{margin:.3rem 0} dl{margin:0;border-top:1px solid var(--line)}
dl div{display:grid;grid-template-columns:10rem 1fr;gap:.2rem 1rem;padding:.45rem 0;border-bottom:1px solid var(--line)}
dt{font:.85rem/1.75 ui-monospace,monospace} dd{margin:0}
@media(max-width:34rem){dl div{grid-template-columns:1fr}}
a.button{display:inline-block;padding:.65rem 1.3rem;border-radius:.6rem;background:#1f6f54;color:#fff;text-decoration:none;
font-weight:600}
a.button:hover{background:#185a44} a:focus-visible{outline:3px solid #f0b429;outline-offset:2px}
"""
_PAGE = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>{title} · Kassör</title><style>{style}</style></head><body><main{long}>{icon}<h1>{title}</h1><p>{text}</p>
<a class="button" href="{href}">{button}</a>{more}</main></body></html>"""
_STYLES = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (  # nothing runs, nothing is fetched, and of styles only the one above
        f"default-src 'none'; style-src 'sha256-{_STYLES}'; img-src data:;"
        " frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    ),
    "Referrer-Policy": "no-referrer",  # the address may hold what Slack or Stripe gave
    "X-Content-Type-Options": "nosniff",
}


def _icon(colour: str, path: str) -> str:
    return (
        f'<svg viewBox="0 0 56 56" aria-hidden="true"><circle cx="28" cy="28" r="27" fill="{colour}"/>'
        f'<path d="{path}" fill="none" stroke="#fff" stroke-width="5" stroke-linecap="round" stroke-linejoin="round"/></svg>'
    )


DONE = _icon("#1f6f54", "M17 29l8 8 15-17")
LEFT = _icon("#6b7079", "M34 17L21 28l13 11")
STOPPED = _icon("#8a5a00", "M28 15v16M28 40v.5")
DESK = _icon("#1f6f54", "M17 20h22v17H17zM17 27h22M23 33h4")


def page(t: Words, title: str, text: str, *, icon: str, href: str, button: str, more: str = "") -> str:
    """A whole page. Everything but `icon` and `more` is escaped here; `more` is HTML, and makes the page a long one."""
    title, text, href, button = (html.escape(each) for each in (title, text, href, button))
    long = ' class="long"' if more else ""
    return _PAGE.format(
        lang=t.language, title=title, text=text, href=href, button=button, icon=icon, more=more, long=long, style=_STYLE
    )


def reader(accept_language: str) -> Words:
    """The words for a browser's `Accept-Language`: the best of our languages that it takes, else English."""
    best, weight = "en", 0.0
    for wish in accept_language.lower().split(",")[:20]:
        name, _, rest = wish.strip().partition(";")
        given = re.fullmatch(r"\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*", rest) if rest else None
        wanted = float(given[1]) if given else 0.0 if rest else 1.0
        language = name.strip()[:2]
        if language in languages() and name.strip()[2:3] in {"", "-"} and wanted > weight:
            best, weight = language, wanted
    return Words(best)


def routes() -> list[web.RouteDef]:
    """`GET /slack/return?done=1|0&lang=sv`: nothing is decided here, only said (R23: nothing is paid for until Stripe says so).

    `lang` is what they speak in Slack, as on Stripe's page before; without one of ours, what their browser asks for.
    """
    return [web.get("/slack/return", _returned)]


async def _returned(request: web.Request) -> web.Response:
    spoken = request.query.get("lang", "")
    t = Words(spoken) if spoken in languages() else reader(request.headers.get("Accept-Language", ""))
    back = {"href": "slack://open", "button": t.plain("Go back to Slack")}
    if request.query.get("done") == "1":
        text = t.plain("Kassör will tell you in Slack as soon as Stripe has confirmed it.")
        shown = page(t, t.plain("Done"), text, icon=DONE, **back)
    else:
        text = t.plain("You left the page before it was done. Start again from Slack whenever you like.")
        shown = page(t, t.plain("Nothing has changed"), text, icon=LEFT, **back)
    return web.Response(text=shown, content_type="text/html", headers=HEADERS)
