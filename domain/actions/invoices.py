"""Invoices for the billing owner: the latest (R49, R50), earlier ones (R32), and a copy sent again (I6)."""

from dataclasses import dataclass
from uuid import uuid4

from tortoise.queryset import QuerySet

from domain import notices
from domain.actions.common import check_actor, check_owner, live_subscription
from domain.desk import Desk
from domain.notices import NoticeKind
from domain.records import Invoice, Member, Scope, Subscription
from domain.rules.refusals import NoInvoiceYet, NotSubscribed, Refusal

PAGE = 8


async def _owned(actor: Member, scope: Scope) -> Subscription:
    check_actor(actor)
    live = await live_subscription(scope)
    if live is None:  # the last owner of what has ended still reaches its invoices (R48)
        live = await Subscription.filter(scope_id=scope.id).order_by("-started_at").first()
        if live is None or live.owner_id != actor.id or scope.workspace_id != actor.workspace_id:
            raise NotSubscribed(scope=scope.name)
        return live
    await check_owner(actor, live, "invoices")
    return live


@dataclass(frozen=True)
class InvoicePage:
    """A page of a scope's invoices, newest first. `page` counts from 0."""

    scope: Scope
    invoices: list[Invoice]
    page: int
    pages: int


async def latest(actor: Member, *, scope: Scope) -> Invoice:
    """The latest finalised invoice. Raises ActorNotEligible, NotOwner, NotSubscribed, NoInvoiceYet."""
    found = await listing(actor, scope=scope, limit=1)
    if not found:
        raise NoInvoiceYet(scope=scope.name)
    return found[0]


async def listing(actor: Member, *, scope: Scope, limit: int = PAGE) -> list[Invoice]:
    """The newest finalised invoices, newest first. Raises ActorNotEligible, NotOwner, NotSubscribed."""
    await _owned(actor, scope)
    return await finalised(scope).limit(limit)


async def paged(actor: Member, *, scope: Scope, page: int = 0) -> InvoicePage:
    """A page of all of them (R32, R34); one beyond the last is the last. Raises ActorNotEligible, NotOwner, NotSubscribed."""
    await _owned(actor, scope)
    pages = max(1, -(-await finalised(scope).count() // PAGE))
    page = min(max(0, page), pages - 1)
    return InvoicePage(scope, await finalised(scope).offset(page * PAGE).limit(PAGE), page, pages)


def finalised(scope: Scope) -> QuerySet[Invoice]:
    """A scope's invoices as people see them, newest first: no drafts, none that were voided. Whoever asks checks who may."""
    found = Invoice.filter(scope_id=scope.id, finalized_at__not_isnull=True).exclude(status="void")
    return found.order_by("-finalized_at", "-created_at", "-id")


async def may_have(actor: Member, invoice: Invoice) -> bool:
    """Whether somebody is still whom the scope's invoices are shown to (R49). `invoice`: its scope fetched."""
    try:
        await _owned(actor, invoice.scope)
    except Refusal:
        return False
    return True


async def send_again(desk: Desk, actor: Member, *, invoice_id: str) -> Invoice:
    """Send a copy of any of the scope's invoices to its owner, now (I6).

    Raises ActorNotEligible, NotOwner, NotSubscribed, NoInvoiceYet.
    """
    invoice = await Invoice.get_or_none(id=invoice_id, scope__workspace_id=actor.workspace_id).prefetch_related("scope")
    if invoice is None:
        raise NoInvoiceYet(scope="")
    await _owned(actor, invoice.scope)
    await notices.tell(
        NoticeKind.INVOICE_AGAIN,
        workspace_id=actor.workspace_id,
        facts={"invoice_id": invoice.id},
        dedup_key=f"again:{invoice.id}:{uuid4()}",
        member=actor,
    )
    return invoice
