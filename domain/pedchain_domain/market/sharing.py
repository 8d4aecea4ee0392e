# SPDX-License-Identifier: Apache-2.0
"""Energy sharing ex post: a zone's surplus divided over its members (rules S1 to S4).

Per interval and zone the pool is what the members fed in, up to what they drew. `dynamic` divides
it by what each drew, `static` gives each its fixed key of the feed-in and no second round,
`priority` serves the ranks in order. Nobody is allotted more than it drew, and not more is
allotted than was fed in; what remains goes to the producers' suppliers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pedchain_domain.market.deposit import amount
from pedchain_domain.numbers import PPM, split, split_list
from pedchain_domain.reasons import DomainError, Reason


@dataclass(frozen=True, slots=True)
class Dynamic:
    """By what each drew in the interval."""

    def allot(self, fed_in: int, drawn: Mapping[str, int]) -> dict[str, int]:
        """Wh by member."""
        return split(min(fed_in, sum(drawn.values())), drawn)[0]


@dataclass(frozen=True, slots=True)
class Static:
    """By fixed keys in ppm that sum to at most the whole; DomainError `shares-exceed`."""

    keys: Mapping[str, int]

    def __post_init__(self) -> None:
        if sum(self.keys.values()) > PPM or any(key < 0 for key in self.keys.values()):
            raise DomainError(Reason.SHARES_EXCEED)

    def allot(self, fed_in: int, drawn: Mapping[str, int]) -> dict[str, int]:
        """Wh by member."""
        return {name: min(wh, fed_in * self.keys.get(name, 0) // PPM) for name, wh in drawn.items()}


@dataclass(frozen=True, slots=True)
class Priority:
    """By rank, lowest first; within a rank by what each drew. Who has none comes last."""

    ranks: Mapping[str, int]

    def allot(self, fed_in: int, drawn: Mapping[str, int]) -> dict[str, int]:
        """Wh by member."""
        last = max(self.ranks.values(), default=0) + 1
        rank = {name: self.ranks.get(name, last) for name in drawn}
        found: dict[str, int] = {}
        for level in sorted(dict.fromkeys(rank.values())):
            wants = {name: wh for name, wh in drawn.items() if rank[name] == level}
            parts, _ = split(min(fed_in, sum(wants.values())), wants)
            found |= parts
            fed_in -= sum(parts.values())
        return found


Keys = Dynamic | Static | Priority


@dataclass(frozen=True, slots=True)
class Shared:
    """One interval of one zone, Wh: what each got of the pool, what each gave to it, and what of
    each one's feed-in went to its supplier."""

    received: dict[str, int]
    given: dict[str, int]
    supplier: dict[str, int]


class Payment(NamedTuple):
    """What an interval's sharing is worth to a member, µcur: pays and receives."""

    pays: int
    receives: int


def participating(energy: int, factor_ppm: int) -> int:
    """The part of a site's energy that takes part, Wh (rules S1)."""
    return energy * factor_ppm // PPM


def share(fed_in: Mapping[str, int], drawn: Mapping[str, int], keys: Keys) -> Shared:
    """Divide one interval. Both are Wh by member, already times the participation factor and
    without what the market settled (rules P1)."""
    received = keys.allot(sum(fed_in.values()), drawn)
    given, _ = split(sum(received.values()), fed_in)
    return Shared(received, given, {name: wh - given.get(name, 0) for name, wh in fed_in.items()})


def pay(shared: Shared, price: int) -> dict[str, Payment]:
    """What members pay and receive at the community's price, µcur per kWh (rules S4)."""
    names = sorted({**shared.received, **shared.given})
    return {
        name: Payment(
            amount(shared.received.get(name, 0), price), amount(shared.given.get(name, 0), price)
        )
        for name in names
    }


def left_over(energies: Sequence[int], taken: int) -> list[int]:
    """What of an hour's intervals is left once `taken` Wh of the hour went to the market, in
    proportion to the intervals; DomainError `counted-twice` if more went than there was."""
    if taken > sum(energies):
        raise DomainError(Reason.COUNTED_TWICE)
    parts, _ = split_list(taken, energies)
    return [energy - part for energy, part in zip(energies, parts, strict=True)]
