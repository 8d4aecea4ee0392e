# SPDX-License-Identifier: Apache-2.0
"""The money of one order: locked on both sides at acceptance, released to the last unit at
settlement (rules D12, D13).

The system operator locks the order's price and its availability; the provider locks the most it can
owe: the penalties up to their cap, and what suppliers are due for energy not drawn.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pedchain_domain.flexibility.delivery import Result
from pedchain_domain.flexibility.quantity import Direction
from pedchain_domain.flexibility.remuneration import POOL_PPM, pool
from pedchain_domain.market.deposit import amount


@dataclass(frozen=True, slots=True)
class Terms:
    """An order's prices, µcur per kWh, with its Wh per interval.

    `availability` is that part's whole amount, µcur. `toe_price` compensates the supplier of
    energy that was bought and not drawn: who pays it differs from country to country, so that it
    is always said, and 0 where nobody does. `guaranteed` is the provider's word that users get the
    price of all they contribute, at its own risk (rules D10). What is missing of an order
    that is not `firm` costs nothing.
    """

    direction: Direction
    ordered: Sequence[int]
    price: int
    toe_price: int
    availability: int = 0
    pool_ppm: int = POOL_PPM
    guaranteed: bool = False
    firm: bool = True

    @property
    def worth(self) -> int:
        """Full delivery's pay, µcur, which is the cap of penalties as well."""
        return sum(amount(wh, self.price) for wh in self.ordered)

    @property
    def escrow(self) -> int:
        """What the system operator locks, µcur."""
        return self.worth + self.availability

    @property
    def collateral(self) -> int:
        """What the provider locks, µcur: the most it can owe the operator, the supplier, and users
        whose price it guarantees."""
        cap, risk = (self.worth if one else 0 for one in (self.firm, self.guaranteed))
        return cap + risk + self.compensation(sum(self.ordered))

    def pool(self, result: Result, contributed: int) -> int:
        """What is divided among users who contributed so many Wh, µcur."""
        if self.guaranteed:
            return amount(contributed, self.price)
        return pool(result.pay, result.penalty, self.pool_ppm)

    def compensation(self, delivered: int) -> int:
        """The supplier's compensation, µcur: for less consumption only."""
        return amount(delivered, self.toe_price) if self.direction is Direction.DOWN else 0


@dataclass(frozen=True, slots=True)
class Release:
    """Where an order's locked money goes, µcur. Together it is escrow and collateral. `provider` is
    less than nothing where users are guaranteed more than was earned: `collateral` bears that."""

    provider: int
    users: int
    supplier: int
    penalty: int
    unspent: int
    collateral: int

    @property
    def operator(self) -> int:
        """All that the system operator gets."""
        return self.unspent + self.penalty

    @property
    def total(self) -> int:
        """All that is released."""
        return (
            self.provider + self.users + self.supplier + self.penalty + self.unspent
        ) + self.collateral


def release(
    terms: Terms, result: Result, available: int, unclaimed: int = 0, contributed: int = 0
) -> Release:
    """Divide an order's locked money. `available` is the availability earned, µcur; `unclaimed`
    the part of the users' pool nobody contributed to, which the provider keeps; `contributed` Wh of
    all users, who are paid by it where that is guaranteed."""
    users = terms.pool(result, contributed) - unclaimed
    supplier = terms.compensation(sum(one.delivered for one in result.outcomes))
    return Release(
        provider=result.pay + available - users,
        users=users,
        supplier=supplier,
        penalty=result.penalty,
        unspent=terms.escrow - result.pay - available,
        collateral=terms.collateral - result.penalty - supplier,
    )
