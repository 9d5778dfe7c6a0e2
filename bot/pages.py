"""Where the browser lands after Stripe's pages: one calm page that sends people back to Slack."""

from aiohttp import web

_PAGE = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>{title} · Kassör</title><style>
:root{{color-scheme:light dark}}
body{{margin:0;min-height:100vh;display:grid;place-items:center;font:17px/1.5 system-ui,sans-serif;background:Canvas;
color:CanvasText}}
main{{max-width:26rem;padding:2rem;text-align:center}}
svg{{width:56px;height:56px}} h1{{font-size:1.4rem;margin:.8rem 0 .3rem}} p{{margin:.3rem 0 1.4rem;opacity:.8}}
a{{display:inline-block;padding:.65rem 1.3rem;border-radius:.6rem;background:#1f6f54;color:#fff;text-decoration:none;
font-weight:600}}
a:focus-visible{{outline:3px solid #f0b429;outline-offset:2px}}
</style></head><body><main>{icon}<h1>{title}</h1><p>{text}</p><a href="slack://open">{button}</a></main></body></html>"""

_DONE_ICON = (
    '<svg viewBox="0 0 56 56" aria-hidden="true"><circle cx="28" cy="28" r="27" fill="#1f6f54"/>'
    '<path d="M17 29l8 8 15-17" fill="none" stroke="#fff" stroke-width="5" stroke-linecap="round" stroke-linejoin="round"/></svg>'
)
_LEFT_ICON = (
    '<svg viewBox="0 0 56 56" aria-hidden="true"><circle cx="28" cy="28" r="27" fill="#8a8f98"/>'
    '<path d="M34 17L21 28l13 11" fill="none" stroke="#fff" stroke-width="5" stroke-linecap="round" stroke-linejoin="round"/></svg>'
)
_WORDS = {
    ("sv", True): ("Klart", "Kassör hör av sig i Slack så fort Stripe har bekräftat.", "Tillbaka till Slack"),
    ("sv", False): (
        "Inget har ändrats",
        "Du lämnade sidan innan det var klart. Börja om från Slack när du vill.",
        "Tillbaka till Slack",
    ),
    ("en", True): ("Done", "Kassör will tell you in Slack as soon as Stripe has confirmed it.", "Back to Slack"),
    ("en", False): (
        "Nothing has changed",
        "You left the page before it was done. Start again from Slack whenever you like.",
        "Back to Slack",
    ),
}


def routes() -> list[web.RouteDef]:
    """`GET /slack/return?done=1|0`: nothing is decided here, only said (R23: nothing is paid for until Stripe says so)."""
    return [web.get("/slack/return", _returned)]


async def _returned(request: web.Request) -> web.Response:
    done = request.query.get("done") == "1"
    language = "sv" if request.headers.get("Accept-Language", "").lower().startswith("sv") else "en"
    title, text, button = _WORDS[language, done]
    page = _PAGE.format(lang=language, title=title, text=text, button=button, icon=_DONE_ICON if done else _LEFT_ICON)
    return web.Response(text=page, content_type="text/html", headers={"Cache-Control": "no-store"})
