# SPDX-License-Identifier: Apache-2.0
"""One energy position per point and hour: no Wh counted twice (rules P).

What a point fed in was sold in the market, shared, exported as origin alone, or stays with its
supplier; what it drew was bought, shared to it, or comes from its supplier. The market takes first,
then sharing, and the supplier has the rest. Flexibility moves no position.
"""

from dataclasses import dataclass, replace

from pedchain_domain.reasons import DomainError, Reason


@dataclass(frozen=True, slots=True)
class Position:
    """A point's hour, Wh, each >= 0; DomainError `counted-twice` for one that does not add up."""

    fed_in: int
    drawn: int
    sold: int = 0
    shared_out: int = 0
    origin_only: int = 0
    bought: int = 0
    shared_in: int = 0

    def __post_init__(self) -> None:
        terms = (self.fed_in, self.drawn, self.sold, self.shared_out, self.origin_only)
        if any(wh < 0 for wh in (*terms, self.bought, self.shared_in)):
            raise DomainError(Reason.COUNTED_TWICE)
        if self.to_supplier < 0 or self.from_supplier < 0:
            raise DomainError(Reason.COUNTED_TWICE)

    @property
    def to_supplier(self) -> int:
        """What of the feed-in nobody else took."""
        return self.fed_in - self.sold - self.shared_out - self.origin_only

    @property
    def from_supplier(self) -> int:
        """What of the draw nobody else gave."""
        return self.drawn - self.bought - self.shared_in

    def traded(self, *, sold: int = 0, bought: int = 0) -> "Position":
        """With what the market settled. It comes before sharing: DomainError `counted-twice` once
        the hour is shared."""
        if self.shared_out or self.shared_in:
            raise DomainError(Reason.COUNTED_TWICE)
        return replace(self, sold=self.sold + sold, bought=self.bought + bought)

    def shared(self, *, out: int = 0, into: int = 0) -> "Position":
        """With what sharing divided."""
        return replace(self, shared_out=self.shared_out + out, shared_in=self.shared_in + into)

    def exported(self, wh: int) -> "Position":
        """With Wh whose origin alone left the district."""
        return replace(self, origin_only=self.origin_only + wh)
