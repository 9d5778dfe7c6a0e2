"""Who may what (R26, R28, R33): every combination of what a person can be."""

from itertools import product

import pytest

from domain.rules import policy
from domain.rules import refusals as no

FLAGS = [
    dict(zip(("is_bot", "is_guest", "is_deactivated"), each, strict=True)) for each in product([False, True], repeat=3)
]


@pytest.mark.parametrize("flags", FLAGS, ids=str)
def test_R26_R33_only_active_humans_who_are_no_guests_act(flags: dict[str, bool]) -> None:
    if any(flags.values()):
        with pytest.raises(no.ActorNotEligible):
            policy.check_actor(**flags)
    else:
        policy.check_actor(**flags)


@pytest.mark.parametrize("flags", FLAGS, ids=str)
@pytest.mark.parametrize("in_scope", [True, False])
@pytest.mark.parametrize("is_owner", [True, False])
def test_R26_only_an_active_member_of_the_scope_who_is_not_owner_yet_can_become_it(
    flags: dict[str, bool], *, in_scope: bool, is_owner: bool
) -> None:
    def check() -> None:
        policy.check_new_owner(member="U1", name="Ada", in_scope=in_scope, is_owner=is_owner, **flags)

    if not any(flags.values()) and in_scope and not is_owner:
        check()
        return
    with pytest.raises(no.OwnerNotEligible) as refused:
        check()
    assert (refused.value.member, refused.value.name) == ("U1", "Ada")
    if any(flags.values()):  # what they are is said before where they are
        assert refused.value.reason in {"bot", "guest", "deactivated"}
    else:
        assert refused.value.reason == ("already_owner" if in_scope else "not_a_member")


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        ({"is_bot": True, "is_guest": True, "is_deactivated": True}, "deactivated"),
        ({"is_bot": True, "is_guest": True, "is_deactivated": False}, "bot"),
        ({"is_bot": False, "is_guest": True, "is_deactivated": False}, "guest"),
        ({"is_bot": False, "is_guest": False, "is_deactivated": False}, None),
    ],
)
def test_the_weightiest_reason_is_the_one_said(flags: dict[str, bool], reason: str | None) -> None:
    assert policy.ineligible(**flags) == reason


def test_R33_the_owner_may_and_everybody_else_is_told_who_the_owner_is() -> None:
    policy.check_owner_rights(actor_id=1, owner_id=1, owner="U1", owner_name="Ada", asked="seats")
    with pytest.raises(no.NotOwner) as refused:
        policy.check_owner_rights(actor_id=2, owner_id=1, owner="U1", owner_name="Ada", asked="seats")
    assert refused.value.facts() == {"owner": "U1", "owner_name": "Ada", "asked": "seats"}
