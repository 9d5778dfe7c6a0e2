"""What no path of the code does, whatever Stripe says: a subscription never moves (R9), nothing is deleted (R48)."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domain import sync
from domain.actions import cancel, invoices, upgrade
from domain.records import Admin, AuditEntry, Customer, Invoice, InvoiceCopy, Quote, Subscription
from domain.rules import refusals as no
from tests.acceptance.conftest import ROOT
from tests.domain.conftest import Town, make_team, settle

PRODUCT = ("domain", "bot", "webhooks", "scheduler", "cli")


def sources() -> Iterator[tuple[str, ast.Module]]:
    """Every file of the product but migrations, by its path."""
    for folder in PRODUCT:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def calls(tree: ast.Module, verb: str) -> Iterator[ast.Call]:
    """The calls of a method of that name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == verb:
            yield node


# --- R9 ---


@pytest.mark.parametrize("lie", ["scope", "quote", "workspace", "customer", "nothing"])
async def test_R9_a_subscription_stays_where_it_was_bought_whatever_stripe_says_of_it(town: Town, lie: str) -> None:
    live = await town.upgraded()
    elsewhere, others = await settle("T2", 4, first=50)
    theirs = await upgrade.offer(town.desk, others[0], scope=elsewhere, plan="premium", interval="year")
    theirs = await upgrade.carry_out(town.desk, await upgrade.accept(town.desk, others[0], theirs.id))
    at_stripe: dict[str, Any] = town.stripe.account.objects["subscription"][live.id]
    at_stripe["metadata"] = {
        "scope": at_stripe["metadata"] | {"kassor_scope": str(elsewhere.id)},
        "quote": at_stripe["metadata"] | {"kassor_quote": str(theirs.id)},
        "workspace": at_stripe["metadata"] | {"kassor_workspace": "T2"},
        "customer": at_stripe["metadata"],
        "nothing": {},
    }[lie]
    if lie == "customer":
        at_stripe["customer"] = (await Customer.get(scope_id=elsewhere.id)).id
    fresh = await sync.subscription(town.desk, live.id)
    assert fresh is not None
    assert (fresh.scope_id, fresh.owner_id) == (town.scope.id, live.owner_id)
    assert await Subscription.filter(scope_id=elsewhere.id).count() == 0
    assert (await Quote.get(id=theirs.id)).subscription_id is None


async def test_R9_an_invoice_stays_with_the_scope_it_was_for(town: Town) -> None:
    live = await town.upgraded()
    invoice = await Invoice.get(id=live.latest_invoice_id or "")
    elsewhere, _ = await settle("T2", 4, first=50)
    town.stripe.account.objects["invoice"][invoice.id]["metadata"] = {"kassor_scope": str(elsewhere.id)}
    await sync.invoice(town.desk, invoice.id)
    assert (await Invoice.get(id=invoice.id)).scope_id == town.scope.id


def test_R9_no_line_of_the_product_writes_what_a_subscription_covers_after_it_was_made() -> None:
    fixed = {"scope", "scope_id", "workspace", "workspace_id", "slack_ref"}
    wrong = []
    for path, tree in sources():
        wrong += [
            f"{path}:{call.lineno} updates {keyword.arg}"
            for call in calls(tree, "update")
            for keyword in call.keywords
            if keyword.arg in fixed
        ]
        wrong += [
            f"{path}:{node.lineno} sets {target.attr}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Attribute) and target.attr in {"scope_id", "workspace_id", "slack_ref"}
        ]
    assert wrong == []


async def test_R9_what_happens_to_a_subscription_is_still_heard_of_when_its_marks_at_stripe_are_gone(
    town: Town,
) -> None:
    live = await town.upgraded(interval="month")
    town.stripe.account.objects["subscription"][live.id]["metadata"] = {}
    await town.desk.payments.cancel_at_period_end(live.id, cancel=True)
    fresh = await sync.subscription(town.desk, live.id)
    assert fresh is not None
    assert fresh.cancel_at is not None


# --- R48 ---

DELETED = {  # what may go: never what somebody bought, paid, was or did
    "domain/pruning.py": {"Event", "Delivery", "OAuthState", "Watermark"},
    "domain/directory.py": {"ScopeMember"},  # who is on a team today; Slack has the rest
    "domain/forgetting.py": {"ScopeMember", "Installation"},  # of a workspace that has left: its people, its token
    "bot/installations.py": {"OAuthState"},
    "domain/outbox.py": {"Pause"},  # who had to wait, and need not any more
    "domain/sendings.py": {"DirectChannel"},  # a DM that Slack knows no more
    "domain/actions/overdue.py": {"Watermark"},  # a mark for one's own use, done with
    "domain/upkeep/departures.py": {"Watermark"},  # as above
    "domain/actions/owner.py": {"Watermark"},  # as above
}


def test_R48_no_line_of_the_product_deletes_what_somebody_bought_paid_was_or_did() -> None:
    found: dict[str, set[str]] = {}
    for path, tree in sources():
        for call in calls(tree, "delete"):
            names = [node.id for node in ast.walk(call) if isinstance(node, ast.Name) and node.id[0].isupper()]
            found.setdefault(path, set()).update(names[:1] or {f"line {call.lineno}"})
    allowed = set().union(*DELETED.values())
    surprises = {path: names - DELETED.get(path, set()) for path, names in found.items()}
    assert {path: names for path, names in surprises.items() if names - allowed or path not in DELETED} == {}


def test_R48_no_line_of_the_product_deletes_by_sql() -> None:
    words = [
        f"{path}:{node.lineno}"
        for path, tree in sources()
        if path != "domain/moving.py"  # a copy under way forgets what its source has let go; the source is only read
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.lstrip().upper().startswith(("DELETE FROM", "TRUNCATE", "DROP TABLE"))
        and node.value != "DELETE FROM copy_page"  # a temporary table: the page under way
    ]
    assert words == []


async def ids() -> dict[str, set[Any]]:
    """The keys of all that must stay."""
    kept = (Subscription, Invoice, InvoiceCopy, Customer, Quote, Admin, AuditEntry)
    return {model.__name__: set(await model.all().values_list("id", flat=True)) for model in kept}


async def test_R48_a_later_upgrade_finds_the_customer_the_invoices_the_admins_and_the_audit(town: Town) -> None:
    owner = town.members[0]
    first = await town.upgraded(interval="month")
    await cancel.cancel(town.desk, owner, subscription=first)
    town.move(days=40)
    await town.stripe.process_due()
    ended = await sync.subscription(town.desk, first.id)
    assert ended is not None
    assert not ended.is_live
    before = await ids()
    listed = {invoice.id for invoice in await invoices.listing(owner, scope=town.scope)}
    assert listed  # the last owner still reaches them meanwhile
    second = await town.upgraded(by=town.members[1], interval="year")
    after = await ids()
    assert {name for name in before if not before[name] <= after[name]} == set()
    assert second.customer_id == first.customer_id
    assert listed < {invoice.id for invoice in await invoices.listing(town.members[1], scope=town.scope)}
    with pytest.raises(no.NotOwner):  # and whoever owns billing now is the one who does
        await invoices.listing(owner, scope=town.scope)
    assert await Admin.filter(scope_id=town.scope.id, member_id=owner.id, until=None).exists()
    verbs = await AuditEntry.filter(scope_id=town.scope.id).order_by("at").values_list("verb", flat=True)
    changes = [str(verb) for verb in verbs if verb != "payment_method_changed"]
    assert changes == ["upgraded", "cancel_scheduled", "ended", "upgraded"]


async def test_R48_a_team_that_comes_and_goes_leaves_its_history(town: Town) -> None:
    team = await make_team(town, town.members[:3])
    quote = await upgrade.offer(town.desk, town.members[0], scope=team, plan="premium", interval="month")
    await town.pay(await upgrade.carry_out(town.desk, await upgrade.accept(town.desk, town.members[0], quote.id)))
    before = await ids()
    team = await make_team(town, [])
    assert await ids() == before
    assert await Subscription.filter(scope_id=team.id, is_live=True).exists()


def test_these_tests_read_the_whole_product() -> None:
    paths = {path for path, _ in sources()}
    assert {"domain/sync/subscriptions.py", "bot/home.py", "webhooks/worker.py", "cli/main.py"} <= paths
    assert Path(__file__).is_relative_to(ROOT)
