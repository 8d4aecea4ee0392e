# SPDX-License-Identifier: Apache-2.0
"""Settlement of promises by what was measured (rules K10, run F).

What a seller fed in, up to what it sold, is divided over its trades; so is what a buyer drew. A
trade settles what both sides stand for. Whoever fell short makes good the other's worse price for
the missing Wh, and pays nothing else: a seller the retail price beyond what the buyer agreed to, a
buyer what the seller agreed to beyond the feed-in price. If either side's hour is not measured
(class M), the trade is left out and both deposits come back.

Between two zones a limit can hold the prices apart (rules K8): then the buyer pays its zone's, the
seller gets its own, and the difference for what is settled is the congestion rent.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pedchain_domain.market.deposit import amount
from pedchain_domain.market.pairing import Trade
from pedchain_domain.numbers import split_list
from pedchain_domain.reasons import Reason


class Prices(NamedTuple):
    """Prices of one trade, µcur per kWh: what the buyer pays, the references K11, and what the
    seller gets where that is another price."""

    trade: int
    retail: int
    feed_in: int
    sold: int | None = None

    @property
    def to_seller(self) -> int:
        """What the seller gets."""
        return self.trade if self.sold is None else self.sold


class Settled(NamedTuple):
    """What became of a trade: Wh settled, and payments in µcur, each >= 0. `reason` says why a
    trade was left out."""

    trade: Trade
    settled: int = 0
    buyer_pays: int = 0
    seller_makes_good: int = 0
    buyer_makes_good: int = 0
    reason: Reason | None = None
    rent: int = 0

    @property
    def from_buyer(self) -> int:
        """What the buyer pays in all, µcur; negative if it gets."""
        return self.buyer_pays + self.buyer_makes_good - self.seller_makes_good

    @property
    def to_seller(self) -> int:
        """What the seller gets in all, µcur; negative if it pays."""
        return self.from_buyer - self.rent


def settle(trade: Trade, delivered: int, used: int, prices: Prices) -> Settled:
    """One trade: the seller stands for `delivered` Wh of it, the buyer for `used`."""
    settled = min(delivered, used)
    return Settled(
        trade,
        settled,
        amount(settled, prices.trade),
        amount(max(0, used - delivered), max(0, prices.retail - prices.trade)),
        amount(max(0, delivered - used), max(0, prices.to_seller - prices.feed_in)),
        rent=amount(settled, prices.trade - prices.to_seller),
    )


def settle_hour(
    trades: Sequence[Trade],
    fed_in: Mapping[str, int | None],
    drawn: Mapping[str, int | None],
    prices: Sequence[Prices],
) -> list[Settled]:
    """All trades of one product, in their order. `fed_in` and `drawn` are E_h and I_h by account,
    Wh, None where the hour is not measured; `prices` are by trade."""
    delivered = _shares(trades, [trade.seller for trade in trades], fed_in)
    used = _shares(trades, [trade.buyer for trade in trades], drawn)
    found = []
    for trade, gave, took, price in zip(trades, delivered, used, prices, strict=True):
        if gave is None or took is None:
            found.append(Settled(trade, reason=Reason.NOT_MEASURED))
        else:
            found.append(settle(trade, gave, took, price))
    return found


def _shares(
    trades: Sequence[Trade], parties: Sequence[str], metered: Mapping[str, int | None]
) -> list[int | None]:
    """Of each trade, what its party's meter stands for."""
    found: list[int | None] = [None] * len(trades)
    places: dict[str, list[int]] = {}
    for at, party in enumerate(parties):
        places.setdefault(party, []).append(at)
    for party, at_trades in places.items():
        energy = metered.get(party)
        if energy is None:
            continue
        quantities = [trades[at].quantity for at in at_trades]
        parts, _ = split_list(min(energy, sum(quantities)), quantities)
        for at, part in zip(at_trades, parts, strict=True):
            found[at] = part
    return found
