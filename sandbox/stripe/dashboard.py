"""What the account holds, on one page: what has been paid, customers' subscriptions, invoices, the latest events."""

from collections import Counter
from collections.abc import Callable, Iterable
from html import escape
from typing import Any

from aiohttp import web

from sandbox.stripe import page_html as html
from sandbox.stripe.account import Account
from sandbox.stripe.page_words import WORDS, day, money

Json = dict[str, Any]
Row = tuple[str, ...]
_LATEST = 40
_LIVE = {"active", "trialing", "past_due"}


def dashboard(account: Account, language: str) -> web.Response:
    """The page at `/`."""
    t = WORDS[language]
    subscriptions, invoices = account.all("subscription"), account.all("invoice")
    events = account.all("event")[-_LATEST:]
    parts = [
        html.brand(account.name, language),
        f"<h1>Stripe · {day(account.now(), language)}</h1>",
        _tiles(account, language),
        _table(
            (t["subscriptions"], t["no_rows"]),
            (t["customer"], t["plan"], t["seats"].capitalize(), t["status"], t["renews"]),
            map(_subscription(account, language), reversed(subscriptions)),
        ),
        _table(
            (t["invoices"], t["no_rows"]),
            (t["number"], t["customer"], t["date"], t["status"], t["total"]),
            map(_invoice(language), reversed(invoices)),
        ),
        _table((t["events"], t["no_rows"]), (t["event"], t["object"], t["waiting"]), map(_event, reversed(events))),
    ]
    return html.page(f"Stripe · {account.name}", f'<main class="one">{"".join(parts)}</main>', language)


def _tiles(account: Account, language: str) -> str:
    t = WORDS[language]
    paid: Counter[str] = Counter()
    for invoice in account.all("invoice"):
        paid[invoice["currency"]] += invoice["amount_paid"]
    volume = " + ".join(money(amount, currency, language) for currency, amount in paid.items() if amount)
    live = sum(each["status"] in _LIVE for each in account.all("subscription"))
    waiting = sum(each["pending_webhooks"] > 0 for each in account.all("event"))
    tiles = ((t["volume"], volume or "0"), (t["live"], str(live)), (t["waiting_webhooks"], str(waiting)))
    shown = "".join(f"<div><dt>{escape(label)}</dt><dd>{escape(value)}</dd></div>" for label, value in tiles)
    return f'<dl class="tiles">{shown}</dl>'


def _table(titles: tuple[str, str], heads: Row, rows: Iterable[Row]) -> str:
    """`titles`: what it is called, and what it says when it is empty."""
    title, empty = titles
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    if not body:
        body = f'<tr><td colspan="{len(heads)}" class="soft">{escape(empty)}</td></tr>'
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<h2>{escape(title)}</h2><div class="scroll" tabindex="0" role="region" aria-label="{escape(title)}">{table}</div>'


def _badge(status: str, language: str) -> str:
    kind = "paid" if status in {"paid", "active", "trialing"} else escape(status)
    return f'<span class="badge {kind}">{escape(str(WORDS[language].get(status, status)))}</span>'


def _subscription(account: Account, language: str) -> Callable[[Json], Row]:
    def row(found: Json) -> Row:
        item = found["items"]["data"][0]
        customer = account.objects["customer"].get(found["customer"], {})
        plan = account.objects["product"].get(item["price"]["product"], {}).get("name", "")
        interval = WORDS[language].get((item["price"].get("recurring") or {}).get("interval", ""), "")
        return (
            escape(customer.get("name") or found["customer"]),
            escape(f"{plan} {interval}".strip()),
            str(item["quantity"]),
            _badge(found["status"], language),
            day(item["current_period_end"], language),
        )

    return row


def _invoice(language: str) -> Callable[[Json], Row]:
    def row(found: Json) -> Row:
        number = escape(found["number"] or found["id"])
        link = f'<a href="/invoice/{escape(found["id"])}">{number}</a>' if found["status"] != "draft" else number
        return (
            link,
            escape(found["customer_name"] or ""),
            day(found["created"], language),
            _badge(found["status"], language),
            escape(money(found["total"], found["currency"], language)),
        )

    return row


def _event(found: Json) -> Row:
    about = str(found["data"]["object"].get("id", ""))
    shown = f"{about[:30]}…" if len(about) > 32 else about
    return escape(found["type"]), f"<code>{escape(shown)}</code>", str(found["pending_webhooks"])
