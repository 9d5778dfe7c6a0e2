"""Plans by name, and which of two changes is a step up (M3)."""

from difflib import get_close_matches

from domain.rules.catalogue import Catalogue, Plan
from domain.rules.refusals import UnknownPlan


def find_plan(catalogue: Catalogue, asked: str) -> Plan:
    """A plan for sale by its key or name, in any case. Raises UnknownPlan with the nearest."""
    wanted = asked.strip().casefold()
    for plan in catalogue.for_sale:
        if wanted in {plan.key.casefold(), plan.name.casefold()}:
            return plan
    names = {plan.name.casefold(): plan.name for plan in catalogue.for_sale}
    close = get_close_matches(wanted, list(names), n=1, cutoff=0.6)
    raise UnknownPlan(
        asked=asked[:40],
        known=tuple(plan.name for plan in catalogue.for_sale),
        nearest=names[close[0]] if close else None,
    )


def applies_now(catalogue: Catalogue, *, plan: str, interval: str, new_plan: str, new_interval: str) -> bool:
    """Whether a change happens at once: a higher plan, or monthly → annual. Lower, or annual → monthly: at period end (M3).

    When the two disagree (higher plan but annual → monthly) nothing paid for may be lost: it waits for the period's end.
    """
    ranks = {each.key: each.rank for each in catalogue.plans}
    step = ranks.get(new_plan, 0) - ranks.get(plan, 0)
    longer = (new_interval == "year") - (interval == "year")
    return step >= 0 and longer >= 0
