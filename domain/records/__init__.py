"""What Kassör remembers, one subject a file. `MODELS` is what the database and its migrations are made of."""

from domain.records.audit import AuditEntry
from domain.records.inbox import Event
from domain.records.installations import Installation, OAuthState
from domain.records.mirror import Customer, Invoice, Subscription
from domain.records.outbox import InvoiceCopy, Notice
from domain.records.people import Admin, Member, Scope, ScopeMember, Workspace
from domain.records.quotes import Quote
from domain.records.requests import DeskRequest
from domain.records.watermarks import Delivery, Watermark

MODELS = (
    "domain.records.audit",
    "domain.records.inbox",
    "domain.records.installations",
    "domain.records.mirror",
    "domain.records.outbox",
    "domain.records.people",
    "domain.records.quotes",
    "domain.records.requests",
    "domain.records.watermarks",
)

__all__ = [
    "MODELS",
    "Admin",
    "AuditEntry",
    "Customer",
    "Delivery",
    "DeskRequest",
    "Event",
    "Installation",
    "Invoice",
    "InvoiceCopy",
    "Member",
    "Notice",
    "OAuthState",
    "Quote",
    "Scope",
    "ScopeMember",
    "Subscription",
    "Watermark",
    "Workspace",
]
