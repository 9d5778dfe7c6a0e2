"""What the account holds, on one page: customers, subscriptions, invoices, the latest events."""

from collections.abc import Iterable
from html import escape
from typing import Any

from aiohttp import web

from sandbox.stripe import page_html as html
from sandbox.stripe.account import Account
from sandbox.stripe.page_words import day, money

Json = dict[str, Any]
_LATEST = 40


def dashboard(account: Account, language: str) -> web.Response:
    """The page at `/`."""
    subscriptions = account.all("subscription")
    invoices = account.all("invoice")
    events = account.all("event")[-_LATEST:]
    parts = [
        html.brand(account.name, language),
        f'<p class="soft">{day(account.now(), language)}</p>',
        _table(
            "Subscriptions",
            ("Customer", "Plan", "Seats", "Status", "Renews"),
            map(_subscription(account, language), subscriptions),
        ),
        _table(
            "Invoices", ("Number", "Customer", "Date", "Status", "Total"), map(_invoice(language), reversed(invoices))
        ),
        _table("Latest events", ("Type", "Object", "Waiting"), map(_event, reversed(events))),
    ]
    return html.page(f"Stripe · {account.name}", f'<main class="one">{"".join(parts)}</main>', language)


def _table(title: str, heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    if not body:
        body = f'<tr><td colspan="{len(heads)}" class="soft">Nothing yet.</td></tr>'
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    return f'<h2>{escape(title)}</h2><div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _badge(status: str) -> str:
    return f'<span class="badge {"paid" if status in {"paid", "active", "trialing"} else escape(status)}">{escape(status)}</span>'


def _subscription(account: Account, language: str) -> Any:
    def row(found: Json) -> tuple[str, ...]:
        item = found["items"]["data"][0]
        customer = account.objects["customer"].get(found["customer"], {})
        plan = account.objects["product"].get(item["price"]["product"], {}).get("name", "")
        return (
            escape(customer.get("name") or found["customer"]),
            escape(f"{plan}, {(item['price'].get('recurring') or {}).get('interval', '')}"),
            str(item["quantity"]),
            _badge(found["status"]),
            day(item["current_period_end"], language),
        )

    return row


def _invoice(language: str) -> Any:
    def row(found: Json) -> tuple[str, ...]:
        number = escape(found["number"] or found["id"])
        link = f'<a href="/invoice/{escape(found["id"])}">{number}</a>' if found["status"] != "draft" else number
        return (
            link,
            escape(found["customer_name"] or ""),
            day(found["created"], language),
            _badge(found["status"]),
            escape(money(found["total"], found["currency"], language)),
        )

    return row


def _event(found: Json) -> tuple[str, ...]:
    about = str(found["data"]["object"].get("id", ""))
    shown = f"{about[:30]}…" if len(about) > 32 else about
    return escape(found["type"]), f"<code>{escape(shown)}</code>", str(found["pending_webhooks"])
