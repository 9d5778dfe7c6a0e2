"""How many seats: what a person asks for, against the sizes on offer and the members there are (R5–R7, M2)."""

import re
from dataclasses import dataclass

from domain.rules.catalogue import Catalogue
from domain.rules.refusals import SeatsBelowMembers, SeatsNotANumber, SeatsTooFew, SeatsTooMany, TooManyMembers

_WHOLE = re.compile(r"[+\-−]?\s?[0-9](?:[0-9]|[ ,.\u00a0\u202f'](?=[0-9]{3}(?![0-9])))*")


@dataclass(frozen=True)
class SeatsAsked:
    """What was asked for: so many seats, or so many more or fewer than now."""

    number: int
    relative: bool = False

    def from_(self, seats: int) -> int:
        """The number of seats meant, when there are `seats` now."""
        return seats + self.number if self.relative else self.number


def parse_seats(text: str) -> SeatsAsked:
    """`25`, `+5`, `-3`, `1 000`. A leading sign means relative. Raises SeatsNotANumber."""
    text = text.strip()
    if not _WHOLE.fullmatch(text) or len(text) > 40:
        raise SeatsNotANumber(asked=text[:40])
    sign = -1 if text[0] in "-−" else 1
    digits = re.sub(r"[^0-9]", "", text)
    return SeatsAsked(sign * int(digits), relative=text[0] in "+-−")


def size_for(asked: int, members: int, catalogue: Catalogue) -> int:
    """The size sold for `asked` seats when `members` need one: rounded up to the list (R7).

    Raises SeatsTooFew, SeatsTooMany, SeatsBelowMembers, or TooManyMembers when no size fits the members.
    """
    smallest, largest = catalogue.sizes[0], catalogue.sizes[-1]
    fits = catalogue.size_for(members)
    if fits is None:
        raise TooManyMembers(members=members, largest=largest)
    if asked < smallest:
        raise SeatsTooFew(asked=asked, smallest=max(smallest, fits))
    if asked > largest:
        raise SeatsTooMany(asked=asked, largest=largest)
    if asked < members:
        raise SeatsBelowMembers(asked=asked, members=members, smallest=fits)
    size = catalogue.size_for(asked)
    assert size is not None  # asked ≤ largest
    return size


def sizes_on_offer(members: int, catalogue: Catalogue) -> tuple[int, ...]:
    """The sizes of the Seats menu: none below the members there are (R7)."""
    return tuple(size for size in catalogue.sizes if size >= members)
