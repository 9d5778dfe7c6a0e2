"""The page that asks whether an app may come in, built after Slack's own: who asks, for which place, and for what, in sentences."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from aiohttp import web

from sandbox.cast import Organisation, Workspace
from sandbox.slack.consent_words import GROUPS, SCOPES, WORDS
from sandbox.slack.state import APP_NAME

Place = Workspace | Organisation
_STYLE = Path(__file__).with_name("consent.css").read_text(encoding="utf-8")
_APP = (Path(__file__).resolve().parent.parent / "web" / "icon.svg").read_text(encoding="utf-8")
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action *; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
}
_ICONS = {
    "people": '<circle cx="10" cy="7" r="3.2"/><path d="M3.5 17c.6-3.6 3-5.4 6.5-5.4s5.9 1.8 6.5 5.4"/>',
    "places": '<path d="M7.5 3 6 17M14 3l-1.5 14M3.5 7.5h14M2.5 12.5h14"/>',
    "workspace_itself": '<rect x="3" y="3" width="14" height="14" rx="3"/><path d="M3 8h14M8 8v9"/>',
    "others": '<circle cx="10" cy="10" r="7"/><path d="M10 6.5v4.5M10 13.5v.1"/>',
}


def page(language: str, *, places: Sequence[Place], chosen: Place, query: Mapping[str, str]) -> web.Response:
    """The question. `places` are those that could be chosen; `query`: what the app asked with."""
    words = {name: text.replace("{app}", APP_NAME) for name, text in WORDS[language].items()}
    kind = "organisation" if isinstance(chosen, Organisation) else "workspace"
    asks = words["asks"].format(place=words[kind].format(name=chosen.name))
    notes = [words["again"]] if chosen.installed else []
    notes += [words["later"]] if isinstance(chosen, Organisation) else []
    back = urlsplit(query["redirect_uri"])
    parts = (
        _header(words, places, chosen, query),
        f'<main><div class="pair" aria-hidden="true">{_APP}<span></span><i>{escape(chosen.name[:1].upper())}</i></div>',
        f"<h1>{escape(asks)}</h1>",
        *(f"<p>{escape(note)}</p>" for note in notes),
        *(_section(words, language, each, query.get("scope", "")) for each in ("view", "do")),
        _answers(words, chosen, query),
        f"<footer>{escape(words['leads'].format(host=back.netloc))}</footer></main>",
    )
    return _shown(language, words["title"], "".join(parts))


def refused(language: str, error: str) -> web.Response:
    """Nothing is asked: why, in Slack's word for it."""
    words = WORDS[language]
    body = f"<main><h1>{escape(words['wrong'])}</h1><p><code>{escape(error)}</code></p></main>"
    return _shown(language, words["wrong"], body, status=400)


def _shown(language: str, title: str, body: str, status: int = 200) -> web.Response:
    text = (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<link rel="icon" href="data:,"><meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{_STYLE}</style></head><body>{body}</body></html>"
    )
    return web.Response(text=text, status=status, content_type="text/html", headers=_HEADERS)


def _header(words: Mapping[str, str], places: Sequence[Place], chosen: Place, query: Mapping[str, str]) -> str:
    links = "".join(
        f'<a href="?{escape(urlencode({**query, "team": each.id}))}"{" aria-current=true" if each is chosen else ""}>'
        f"{escape(words['wide'].format(name=each.name) if isinstance(each, Organisation) else each.name)}</a>"
        for each in places
    )
    return (
        f'<header><span class="badge">{escape(words["local"])}</span><details><summary>{escape(words["signed_in"])} '
        f"<b>{escape(chosen.name)}</b></summary><nav><p>{escape(words['elsewhere'])}</p>{links}</nav></details></header>"
    )


def _section(words: Mapping[str, str], language: str, kind: str, asked: str) -> str:
    """What it could see, or do. A permission that nobody has words for is a thing it could do, by its name."""
    groups: dict[str, list[str]] = {}
    for scope in filter(None, asked.split(",")):
        of_kind, group, sentences = SCOPES.get(scope, ("do", "others", {}))
        if of_kind == kind:
            said = sentences.get(language, "")
            groups.setdefault(group, []).append(f"<li>{escape(said)}<code>{escape(scope)}</code></li>")
    rows = "".join(
        f'<details open><summary><svg viewBox="0 0 20 20" aria-hidden="true">{_ICONS[group]}</svg>{escape(words[group])}'
        f"</summary><ul>{''.join(groups[group])}</ul></details>"
        for group in GROUPS
        if group in groups
    )
    return f'<h2>{escape(words[kind])}</h2><div class="box">{rows}</div>' if rows else ""


def _answers(words: Mapping[str, str], chosen: Place, query: Mapping[str, str]) -> str:
    kept = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in {**query, "team": chosen.id}.items()
    )
    return (
        f'<form method="post">{kept}<button name="answer" value="cancel">{escape(words["cancel"])}</button>'
        f'<button class="allow" name="answer" value="allow">{escape(words["allow"])}</button></form>'
    )
