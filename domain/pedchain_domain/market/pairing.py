# SPDX-License-Identifier: Apache-2.0
"""Who delivers to whom: sellers and buyers by id, from the north-west corner (rules K7).

The order is the same for every product of a settlement, so that a pair of members mostly meets in
several products and exchanges one batch; a product has at most sellers + buyers - 1 pairs.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from pedchain_domain.market.clearing import Cleared, Line


class Trade(NamedTuple):
    """Wh that one account sold to another."""

    seller: str
    buyer: str
    quantity: int


def pair(sold: Mapping[str, int], bought: Mapping[str, int]) -> list[Trade]:
    """The trades of one product, Wh by account; ValueError unless both sides sum to the same."""
    return across([sold], [bought])


def across(sold: Sequence[Mapping[str, int]], bought: Sequence[Mapping[str, int]]) -> list[Trade]:
    """The same over several zones, that which exports first: its own buyers come before those
    beyond the limit, so that no more trades cross it than flows."""
    sellers, buyers = (list(chain(*map(_ranked, side))) for side in (sold, bought))
    if sum(wh for _, wh in sellers) != sum(wh for _, wh in buyers):
        raise ValueError("a book sold other than it bought")
    found: list[Trade] = []
    at = used = 0
    for seller, wh in sellers:
        left = wh
        while left:
            buyer, wanted = buyers[at]
            traded = min(left, wanted - used)
            found.append(Trade(seller, buyer, traded))
            left, used = left - traded, used + traded
            if used == wanted:
                at, used = at + 1, 0
    return found


def at_offers(cleared: Cleared, asks: Sequence[Line]) -> list[tuple[Trade, int]]:
    """Trades between order lines, each at its seller's own limit, µcur per kWh: the option
    pay-as-offer, as in paper B's example. No bid that trades is below an offer that does."""
    limits = {line.id: line.limit for line in asks}
    return [(trade, limits[trade.seller]) for trade in pair(cleared.asks, cleared.bids)]


def _ranked(quantities: Mapping[str, int]) -> list[tuple[str, int]]:
    return [
        (name, quantities[name]) for name in sorted(quantities, key=str.encode) if quantities[name]
    ]
