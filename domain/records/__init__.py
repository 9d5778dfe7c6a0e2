"""What Kassör remembers, one subject a file. `MODELS` is what the database and its migrations are made of."""

from domain.records.audit import AuditEntry
from domain.records.inbox import Event
from domain.records.installations import Installation, OAuthState
from domain.records.mirror import Customer, Invoice, Subscription
from domain.records.outbox import DirectChannel, InvoiceCopy, Notice, Pause
from domain.records.people import Admin, Member, Scope, ScopeMember, Workspace
from domain.records.quotes import Quote
from domain.records.recipients import CopyRecipient
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
    "domain.records.recipients",
    "domain.records.requests",
    "domain.records.watermarks",
)

__all__ = [
    "MODELS",
    "Admin",
    "AuditEntry",
    "CopyRecipient",
    "Customer",
    "Delivery",
    "DeskRequest",
    "DirectChannel",
    "Event",
    "Installation",
    "Invoice",
    "InvoiceCopy",
    "Member",
    "Notice",
    "OAuthState",
    "Pause",
    "Quote",
    "Scope",
    "ScopeMember",
    "Subscription",
    "Watermark",
    "Workspace",
]
