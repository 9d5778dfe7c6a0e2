"""The table of every builder of `bot/views` by name, and what it shows: the Block Kit checks and the snapshots read from here.

A new builder is added to BUILDERS, or, if it only makes a part of something else, to PARTS with what it is part of.
"""

import ast
from collections.abc import Callable

from bot.views import admins, change, confirmation, copies, decisions, desk, invoices, page, recipients, upgrade
from bot.views.blocks import Content, Json, modal, note
from bot.words import Words, escape
from domain.actions.recipients import MOST
from domain.records.requests import Topic
from tests.acceptance.conftest import ROOT
from tests.bot import specimens
from tests.bot.specimens import ID, Case, Made, Shown, invoice_of, live_of, owned, people, quote_of, request_of
from tests.bot.test_views import DESK, member

Builder = Callable[[Words, Case], Made]


def one(build: Callable[[Words, Case], Shown]) -> Builder:
    """A builder with one thing to show."""

    def made(t: Words, case: Case) -> Made:
        yield "", build(t, case)

    return made


BUILDERS: dict[str, Builder] = {
    "page.home": specimens.homes,
    "page.message": specimens.page_messages,
    "page.reading": one(lambda t, case: page.reading(escape(case.name))),
    "page.leaving": one(lambda t, case: page.leaving(t, DESK, owned(case), live_of(case))),
    "page.links": one(lambda t, _: page.links(t, DESK)),
    "page.which": one(
        lambda t, case: page.which(t, [(f"sub_{each}", case.name) for each in range(case.teams)], "seats", "25")
    ),
    "page.link_out": one(lambda _, case: page.link_out(case.name, escape(case.name), case.name, case.url)),
    "help.help_text": specimens.helps,
    "admins.form": one(
        lambda t, case: admins.form(t, live_of(case), scope=case.name, owner=member(), admins=people(case))
    ),
    "admins.saved": one(lambda t, case: admins.saved(t, appointed=people(case), removed=people(case))),
    "recipients.form": one(
        lambda t, case: recipients.form(
            t, live_of(case), scope=case.name, owner=member(), picked=[p.slack_user_id for p in people(case)][:MOST]
        )
    ),
    "recipients.saved": one(
        lambda t, case: recipients.saved(t, added=people(case)[:MOST], removed=people(case)[:MOST])
    ),
    "recipients.mine": specimens.copies_i_get,
    "recipients.stopped": one(lambda t, case: recipients.stopped(t, scope=case.name)),
    "change.seats_form": one(
        lambda t, case: change.seats_form(
            t, DESK, live_of(case), scope=case.name, members=min(case.members, 5_000)
        )  # more are asked to sales
    ),
    "change.seats_suffice": one(
        lambda t, case: change.seats_suffice(t, live_of(case), scope=case.name, members=case.members)
    ),
    "change.plan_form": one(lambda t, case: change.plan_form(t, DESK, live_of(case), scope=case.name)),
    "change.owner_form": one(lambda t, case: change.owner_form(t, live_of(case), scope=case.name, picked="U1")),
    "change.owner_question": one(lambda t, case: change.owner_question(t, live_of(case), scope=case.name, to="U1")),
    "confirmation.offer": specimens.offers,
    "confirmation.payment_page": one(
        lambda t, case: confirmation.payment_page(t, DESK, quote_of(case, **specimens.QUOTES["upgrade"]))
    ),
    "confirmation.done": one(lambda t, case: confirmation.done(t, DESK, quote_of(case))),
    "copies.invoice_copy": specimens.copies_of,
    "copies.file_follows": one(lambda t, case: copies.file_follows(t, note(t("Invoices")))),
    "copies.file_of": one(lambda t, case: copies.file_of(t, invoice_of(case))),
    "decisions.request_message": specimens.requests,
    "decisions.decided": specimens.decisions_told,
    "decisions.terms_form": specimens.terms_forms,
    "decisions.price_form": specimens.price_forms,
    "decisions.decline_form": one(
        lambda t, case: decisions.decline_form(t, request_of(case, Topic.QUOTE), channel="C1", home="T2")
    ),
    "decisions.answer_form": one(
        lambda t, case: decisions.answer_form(t, request_of(case, Topic.HELP), channel="C1", home="T2")
    ),
    "desk.sales_form": specimens.sales_forms,
    "desk.support_form": one(lambda t, case: desk.support_form(t, place=case.name, scope=str(ID), text=case.words)),
    "desk.sent_to_sales": one(lambda t, case: desk.sent_to_sales(t, DESK, request_of(case, Topic.QUOTE))),
    "desk.sent_to_support": one(lambda t, _: desk.sent_to_support(t)),
    "invoices.invoices": specimens.invoice_pages,
    "invoices.latest": one(lambda t, case: invoices.latest(t, invoice_of(case))),
    "notices.message": specimens.notices_of,
    "notices.audit_line": specimens.audit_lines,
    "refusals.way_out": specimens.refusals_of,
    "settled.without_buttons": specimens.settled_of,
    "upgrade.form": specimens.upgrade_forms,
    "upgrade.to_sales": one(lambda t, case: upgrade.to_sales(t, escape(case.name), "quote", "whole")),
    "usage.usage": specimens.usages,
}
PARTS = {
    "doors.sales_button": "a row of buttons",
    "doors.support_button": "a row of buttons",
    "links.ask_sales": "a row of buttons",
    "links.links_line": "the foot of a page or form",
    "links.foot": "a page",
    "page.body": "page.message",
    "page.claim_button": "page.message",
    "page.leave_button": "page.message",
    "page.stay_button": "page.message",
    "recipients.stop_button": "copies.invoice_copy",
    "recipients.whence": "copies.invoice_copy",
    "upgrade.scope_options": "the answer to somebody typing a team's name",
    "__init__.note_loading": "a modal that waits",
}


def public_builders() -> set[str]:
    """Every public function of `bot/views` that gives blocks, as `file.function`; the shapes they are made of are no builders."""
    found = set()
    for path in (ROOT / "bot" / "views").glob("*.py"):
        if path.stem == "blocks":
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if not isinstance(node, ast.FunctionDef) or node.name.startswith("_") or node.returns is None:
                continue
            if ast.unparse(node.returns) in {"Content", "Json", "list[Json]"}:
                found.add(f"{path.stem}.{node.name}")
    return found


def as_view(t: Words, shown: Shown) -> Json:
    """What is shown, as a modal or App Home."""
    if isinstance(shown, dict):
        return shown
    blocks = shown.blocks if isinstance(shown, Content) else shown
    return modal(t.plain("Billing"), blocks, close=t.plain("Close"))
