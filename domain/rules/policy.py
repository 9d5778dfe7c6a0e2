"""Who may do what (R26, R28, R33). Facts in, a refusal out; called on the first lines of every action."""

from domain.rules.refusals import ActorNotEligible, NotOwner, OwnerNotEligible


def check_actor(*, is_bot: bool, is_guest: bool, is_deactivated: bool) -> None:
    """Only active humans who are no guests act. Raises ActorNotEligible."""
    reason = ineligible(is_bot=is_bot, is_guest=is_guest, is_deactivated=is_deactivated)
    if reason:
        raise ActorNotEligible(reason=reason)


def check_owner_rights(*, actor_id: int, owner_id: int, owner: str, owner_name: str, asked: str) -> None:
    """Only the billing owner changes the subscription, the owner, the billing information, and sees money (R33).

    Being an admin gives none of it. Raises NotOwner, which names the owner.
    """
    if actor_id != owner_id:
        raise NotOwner(owner=owner, owner_name=owner_name, asked=asked)


def check_new_owner(
    *, member: str, name: str, is_bot: bool, is_guest: bool, is_deactivated: bool, in_scope: bool, is_owner: bool
) -> None:
    """A billing owner is an active human member of the scope, no guest (R26). Raises OwnerNotEligible."""
    reason = ineligible(is_bot=is_bot, is_guest=is_guest, is_deactivated=is_deactivated)
    if reason is None and not in_scope:
        reason = "not_a_member"
    if reason is None and is_owner:
        reason = "already_owner"
    if reason:
        raise OwnerNotEligible(member=member, name=name, reason=reason)


def ineligible(*, is_bot: bool, is_guest: bool, is_deactivated: bool) -> str | None:
    """Why somebody can neither act nor own, or None."""
    if is_deactivated:
        return "deactivated"
    if is_bot:
        return "bot"
    return "guest" if is_guest else None
