"""Every "no" Kassör can say, as a value with facts. The words, in each language, are the bot's.

A refusal means that nothing was changed. Facts are plain values (ids, numbers, names as Slack shows them), so that a
refusal can be stored on a quote and told later: `as_json` and `from_json` are the way there and back. (Not frozen: Python
itself writes an exception's traceback while it travels.)
"""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar


class Refusal(Exception):  # noqa: N818 - it is a refusal, not an error: the product worked
    """Asked for something that the rules don't allow, or that couldn't be done now. Subclasses carry the facts."""

    kinds: ClassVar[dict[str, type["Refusal"]]] = {}

    def __init_subclass__(cls) -> None:
        Refusal.kinds[cls.__name__] = cls

    def __str__(self) -> str:
        facts = ", ".join(f"{name}={value!r}" for name, value in self.facts().items())
        return f"{type(self).__name__}({facts})"

    def facts(self) -> dict[str, Any]:
        """The facts by name, JSON-ready."""
        return asdict(self)  # type: ignore[call-overload,no-any-return]  # every subclass is a dataclass

    def as_json(self) -> dict[str, Any]:
        """`{"refusal": name, "facts": {...}}`, for a quote's `failure`."""
        return {"refusal": type(self).__name__, "facts": self.facts()}

    @staticmethod
    def from_json(stored: dict[str, Any]) -> "Refusal":
        """The refusal that `as_json` wrote. Raises KeyError for one that no longer exists."""
        facts = {name: tuple(value) if isinstance(value, list) else value for name, value in stored["facts"].items()}
        return Refusal.kinds[stored["refusal"]](**facts)


# --- who may ---------------------------------------------------------------------------------------------------------


@dataclass(unsafe_hash=True)
class NotOwner(Refusal):
    """Only the billing owner may (R33). `owner` is their Slack user id; `asked` the action refused."""

    owner: str
    owner_name: str
    asked: str


@dataclass(unsafe_hash=True)
class ActorNotEligible(Refusal):
    """A bot, guest or deactivated user acts. `reason`: bot, guest, deactivated."""

    reason: str


@dataclass(unsafe_hash=True)
class OwnerNotEligible(Refusal):
    """Can't be billing owner (R26, R10): bot, guest, deactivated, not_a_member, already_owner, owner_elsewhere, unknown.

    Or no_email: an invoice can't be sent to somebody without an address.
    """

    member: str
    name: str
    reason: str


@dataclass(unsafe_hash=True)
class AdminNotEligible(Refusal):
    """Can't be admin (R28): bot, guest, deactivated, not_a_member or unknown."""

    member: str
    name: str
    reason: str


@dataclass(unsafe_hash=True)
class RecipientNotEligible(Refusal):
    """Can't get copies of invoices (I6): bot, guest, deactivated, unknown (here), or owner, who gets them anyway."""

    member: str
    name: str
    reason: str


@dataclass(unsafe_hash=True)
class TooManyRecipients(Refusal):
    """More than `most` others would get copies (I6)."""

    most: int


@dataclass(unsafe_hash=True)
class NotRecipient(Refusal):
    """Asked to stop copies that don't come to them, or no longer do (I6)."""


@dataclass(unsafe_hash=True)
class CannotClaim(Refusal):
    """The owner is gone, but it isn't this person who may take over (P1). `who` can: up to five Slack user ids, perhaps nobody."""

    scope: str
    owner: str
    who: tuple[str, ...]


@dataclass(unsafe_hash=True)
class NotInScope(Refusal):
    """The one who upgrades a team is not in it, or the scope isn't theirs to see."""

    scope: str


# --- what is asked ---------------------------------------------------------------------------------------------------


@dataclass(unsafe_hash=True)
class UnknownPlan(Refusal):
    """No such plan. `known` in rising order; `nearest` when one is close."""

    asked: str
    known: tuple[str, ...]
    nearest: str | None = None


@dataclass(unsafe_hash=True)
class UnknownInterval(Refusal):
    """No such interval (R3)."""

    asked: str


@dataclass(unsafe_hash=True)
class UnknownCurrency(Refusal):
    """The plan has no price in that currency, or the customer already pays in another."""

    asked: str
    known: tuple[str, ...]


@dataclass(unsafe_hash=True)
class NoListedPrice(Refusal):
    """A level without a listed price asks sales for a quote (R16)."""

    plan: str


@dataclass(unsafe_hash=True)
class SeatsNotANumber(Refusal):
    """Not a whole number of seats. `asked` is cut at 40 characters."""

    asked: str


@dataclass(unsafe_hash=True)
class SeatsTooFew(Refusal):
    """Fewer than the smallest plan; there is never a plan for one (R7)."""

    asked: int
    smallest: int


@dataclass(unsafe_hash=True)
class SeatsTooMany(Refusal):
    """More than the largest listed size; sales can help (R14)."""

    asked: int
    largest: int


@dataclass(unsafe_hash=True)
class SeatsBelowMembers(Refusal):
    """Fewer seats than members in use (R7, M2). `smallest` is the smallest size that fits them."""

    asked: int
    members: int
    smallest: int


@dataclass(unsafe_hash=True)
class NothingToChange(Refusal):
    """It is so already."""

    plan: str
    interval: str
    seats: int


@dataclass(unsafe_hash=True)
class TooManyMembers(Refusal):
    """More members than the largest listed size: no plan fits, sales can help."""

    members: int
    largest: int


@dataclass(unsafe_hash=True)
class UnknownWord(Refusal):
    """A word after a command that means nothing here; `nearest` when a known one is close."""

    asked: str
    known: tuple[str, ...]
    nearest: str | None = None


# --- the state of things ---------------------------------------------------------------------------------------------


@dataclass(unsafe_hash=True)
class AlreadySubscribed(Refusal):
    """An upgrade while one is live; change it instead."""

    scope: str
    plan: str
    owner: str
    owner_name: str


@dataclass(unsafe_hash=True)
class NotSubscribed(Refusal):
    """Basic: there is nothing to change, hand over or show (R35)."""

    scope: str


@dataclass(unsafe_hash=True)
class SeveralSubscriptions(Refusal):
    """Owner of several and none was named: asked which, never guessed (R37). `scopes` are their names, in the same order."""

    subscriptions: tuple[str, ...]
    scopes: tuple[str, ...]


@dataclass(unsafe_hash=True)
class LiveElsewhere(Refusal):
    """Owner of a live subscription elsewhere: cancel the wrong one first (R9, R10)."""

    scope: str
    elsewhere: str
    elsewhere_subscription: str


@dataclass(unsafe_hash=True)
class CannotMove(Refusal):
    """A subscription can't be moved between workspaces or organisations (R9)."""

    scope: str


@dataclass(unsafe_hash=True)
class ScopeUnknown(Refusal):
    """That workspace, user group or channel isn't there, or is empty."""

    asked: str


@dataclass(unsafe_hash=True)
class ChangeInProgress(Refusal):
    """Another change of the same subscription is being made; wait for it."""

    scope: str


@dataclass(unsafe_hash=True)
class ManuallyInvoiced(Refusal):
    """Adjusted and cancelled through sales (R38, R43)."""

    asked: str


@dataclass(unsafe_hash=True)
class InvoiceNeedsYear(Refusal):
    """Payment by invoice: annual plans from `smallest` seats, through sales (R24)."""

    smallest: int


@dataclass(unsafe_hash=True)
class PastDue(Refusal):
    """An invoice is unpaid: pay it before changing anything else (M5)."""

    invoice: str | None


@dataclass(unsafe_hash=True)
class EndsAnyway(Refusal):
    """It is cancelled and ends at `until` (ISO 8601, UTC): there is no renewal to change anything at."""

    scope: str
    until: str


@dataclass(unsafe_hash=True)
class NoInvoiceYet(Refusal):
    """There is no invoice to show."""

    scope: str


@dataclass(unsafe_hash=True)
class WorkspaceBeingRead(Refusal):
    """Just installed: who is in the workspace is being read, and nothing can be priced before."""


# --- the sales and support desks -------------------------------------------------------------------------------------


@dataclass(unsafe_hash=True)
class DeskClosed(Refusal):
    """The operator has no such desk in Slack. `desk`: sales or support."""

    desk: str


@dataclass(unsafe_hash=True)
class NotStaff(Refusal):
    """Only the desk's own people answer its requests, in its own channel (S1). `desk`: sales or support."""

    desk: str


@dataclass(unsafe_hash=True)
class RequestOpen(Refusal):
    """Somebody (`by`, a Slack user id) has asked for the same already, `at` (ISO 8601, UTC); `state`: open or approved."""

    topic: str
    scope: str
    by: str
    at: str
    state: str


@dataclass(unsafe_hash=True)
class RequestDecided(Refusal):
    """A request is decided once (S1): by whom (Slack user id), how (a RequestState), and when (ISO 8601, UTC)."""

    by: str
    state: str
    at: str


@dataclass(unsafe_hash=True)
class RequestGone(Refusal):
    """There is no such request, or it is another desk's."""


@dataclass(unsafe_hash=True)
class NothingWritten(Refusal):
    """A message to a desk, or its answer, has no words."""


@dataclass(unsafe_hash=True)
class TeamsTooFew(Refusal):
    """Several teams are two or more of the workspace's (R14)."""


@dataclass(unsafe_hash=True)
class PaidByCard(Refusal):
    """Asked sales to change what the billing owner changes without them."""

    scope: str


@dataclass(unsafe_hash=True)
class PriceNotANumber(Refusal):
    """No amount of money a seat can cost. `asked` is cut at 40 characters."""

    asked: str


@dataclass(unsafe_hash=True)
class DaysOutOfRange(Refusal):
    """An invoice is due in 1 to `most` days. `asked` is cut at 40 characters."""

    asked: str
    most: int


# --- quotes ----------------------------------------------------------------------------------------------------------


@dataclass(unsafe_hash=True)
class QuoteChanged(Refusal):
    """The price or what it was based on changed since it was shown; `fresh` is the new quote's id (M1)."""

    fresh: str


@dataclass(unsafe_hash=True)
class QuoteOver(Refusal):
    """The quote was used, replaced, or is too old. `state` is its state."""

    state: str


# --- money -----------------------------------------------------------------------------------------------------------


@dataclass(unsafe_hash=True)
class PaymentDeclined(Refusal):
    """The card or PayPal said no. `code` is Stripe's decline code or None; nothing was changed."""

    code: str | None


@dataclass(unsafe_hash=True)
class PaymentNeedsAction(Refusal):
    """The bank wants to hear from the cardholder. `url` is Stripe's page for it."""

    url: str | None


@dataclass(unsafe_hash=True)
class PaymentsAway(Refusal):
    """Stripe is away, slow or limiting us. Nothing is lost: what was confirmed is carried out when it is back."""

    retry_after: int | None = None  # seconds


@dataclass(unsafe_hash=True)
class PaymentsRefused(Refusal):
    """Stripe refused the call for a reason that is ours to mend. `reference` is Stripe's request id."""

    reference: str | None
