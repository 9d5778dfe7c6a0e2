"""The story on one screen: tables in a terminal, the same plain when piped. Nobody's name can move the cursor."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.words import Words
from cli.audit import change_of
from cli.customer.meant import Hit

Json = dict[str, Any]
_PIPED = 180  # columns, so that nothing is cut where nobody looks at a screen


def console() -> Console:
    """Where to print; wide when it is no terminal."""
    made = Console(highlight=False, markup=False, emoji=False)
    return made if made.is_terminal else Console(width=_PIPED, highlight=False, markup=False, emoji=False)


def candidates(out: Console, asked: str, hits: list[Hit]) -> None:
    """Several are meant: how to name each alone."""
    out.print(f"{_plain(asked)} may be several. Say which:")
    rows = [(f"kassor customer {hit.key}", hit.kind, hit.name) for hit in hits]
    _table(out, "", ("say", "what", "name"), rows)


def screen(out: Console, told: Json) -> None:
    """Print one scope's story, the answer to "what happened to my invoice?" first."""
    t, scope, customer = Words("en-US"), told["scope"], told["customer"]
    where = "" if scope["kind"] == "workspace" else f" in {scope['workspace_name']}"
    out.print(Text(_plain(f"{scope['name']} ({scope['kind']}{where})"), style="bold"))
    slack = f"workspace {scope['workspace']}" + (f", team {scope['slack_ref']}" if scope["slack_ref"] else "")
    away = "" if scope["installed"] else "; Kassör is NOT installed there: messages wait"
    out.print(_plain(f"  {slack}; members that count: {scope['members']}{away}"))
    if customer is None:
        out.print("  Never a customer in Stripe: on the free plan.")
    else:
        how = customer["payment_method"] or "no payment method"
        out.print(_plain(f"  {customer['id']}: {customer['name'] or '–'}, {customer['email'] or '–'}; {how}"))
        out.print(f"  {customer['stripe']}")
    for each in told["subscriptions"]:
        _subscription(out, t, each)
    if told["admins"]:
        out.print(_plain("  Admins: " + ", ".join(_who(each) for each in told["admins"])))
    _period(out, told["copy_of_this_period"])
    _invoices(out, t, told["invoices"])
    rows: list[tuple[Any, ...]] = [
        (each["kind"], each["state"], each["to"] or "–", _when(each["not_before"]), each["why"])
        for each in told["notices"]
    ]
    _table(out, "Messages not sent", ("what", "state", "to", "not before", "why"), rows)
    _table(
        out,
        "Open offers",
        ("what", "state", "for", "due now", "by", "when"),
        [
            (
                each["kind"],
                each["state"],
                f"{each['plan']} {each['interval']} {each['seats']}",
                t.money(each["due_now"], each["currency"]),
                each["by"],
                _when(each["accepted_at"] or each["offered_at"]),
            )
            for each in told["open_offers"]
        ],
    )
    rows = [(e["desk"], e["topic"], e["state"], e["by"], _when(e["asked_at"])) for e in told["requests"]]
    _table(out, "Requests", ("desk", "about", "state", "by", "when"), rows)
    rows = [(_when(e["received_at"]), e["type"], e["state"], e["id"], e["error"] or "") for e in told["events"]]
    _table(out, "Stripe's events", ("when", "type", "state", "id", "error"), rows)
    rows = [
        (
            _when(e["at"]),
            e["source"],
            e["by"] or "–",
            e["verb"],
            change_of(e["before"], e["after"]),
            e["reference"] or "",
        )
        for e in told["audit"]
    ]
    _table(out, "On record", ("when", "from", "who", "what", "before → after", "reference"), rows)


def _subscription(out: Console, t: Words, each: Json) -> None:
    terms = f"{each['plan']} {each['interval']}, seats: {each['seats']}, {t.money(each['unit_amount'], each['currency'])} a seat"
    how = ", paid by invoice" if each["collection_method"] == "send_invoice" else ""
    out.print()
    out.print(Text(_plain(f"{'' if each['is_live'] else 'Earlier: '}{terms}: {each['status']}{how}"), style="bold"))
    gone = "" if each["owner"]["can_act"] else "  (has left, or can't act: an admin may claim billing)"
    out.print(_plain(f"  Owner: {_who(each['owner'])}{gone}"))
    out.print(f"  Period: {_when(each['period'][0])} to {_when(each['period'][1])}; since {_when(each['started_at'])}")
    for name, says in (
        ("trial_end", "Trial until"),
        ("past_due_since", "PAST DUE since"),
        ("cancel_at", "Ends by itself"),
        ("ended_at", "Ended"),
    ):
        if each[name]:
            out.print(f"  {says}: {_when(each[name])}")
    if each["next"]:
        following = each["next"]
        parts = (following["plan"], following["interval"], following["seats"])
        out.print(f"  Next: {' '.join(str(part) for part in parts if part)} from {_when(following['at'])}")
    out.print(f"  {each['stripe']}")


def _period(out: Console, told: Json | None) -> None:
    if told is None:
        return
    out.print()
    if told["copy"] is None:
        out.print(_plain(f"This period's copy: none yet: {told['why']}."))
        return
    copy = told["copy"]
    if copy["state"] == "sent":
        out.print(_plain(f"This period's copy: sent {_when(copy['sent_at'])} to {copy['to']}."))
    else:
        out.print(_plain(f"This period's copy: {copy['state']} for {copy['to']}: {copy['why']}."))


def _invoices(out: Console, t: Words, invoices: list[Json]) -> None:
    rows = []
    for each in invoices:
        copies = "; ".join(_copy(copy) for copy in each["copies"]) or "none"
        period = f"{_day(each['period'][0])} – {_day(each['period'][1])}"
        owed = f", {t.money(each['remaining'], each['currency'])} unpaid" if each["remaining"] else ""
        total = t.money(each["total"], each["currency"])
        rows.append(
            (each["number"] or each["id"], _day(each["created_at"]), each["status"], total + owed, period, copies)
        )
    _table(out, "Invoices", ("number", "made", "status", "total", "pays for", "copies"), rows)


def _copy(copy: Json) -> str:
    if copy["state"] == "sent":
        return f"{copy['to']} {_when(copy['sent_at'])}"
    return f"{copy['to']} {copy['state']}: {copy['why']}"


def _who(person: Json) -> str:
    return f"{person['name']} ({person['slack_user_id']})"


def _when(moment: str | None) -> str:
    return moment[:16].replace("T", " ") + "Z" if moment else "–"


def _day(moment: str | None) -> str:
    return moment[:10] if moment else "–"


def _table(out: Console, title: str, head: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in head:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(_plain(str(cell))) for cell in row))
    if not table.row_count:
        return
    out.print()
    if title:
        out.print(Text(title, style="bold"))
    out.print(table)


def _plain(text: str) -> str:
    """Control characters, and what turns writing around, become question marks. No-break spaces of amounts are spaces."""
    spaced = text.replace("\u00a0", " ").replace("\u202f", " ")
    return "".join(letter if letter.isprintable() else "?" for letter in spaced)
