# SPDX-License-Identifier: Apache-2.0
"""A call auction at one price (rules K6).

The volume is the most that any one price lets trade. Any price that clears it lies between what
the best refused and the worst accepted orders ask; the price is the middle, floored to the tick.
Where a price level is filled in part, its orders share by quantity, ties by id: the order of
arrival decides nothing.

The outcome needs only the sums by price (`levels`), and each order's fill only the outcome and its
own level, so a large session is cleared in steps.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pedchain_domain.numbers import split

TICK = 1_000
"""Price step, µcur per kWh: whole µcur per Wh (rules N1)."""


class Line(NamedTuple):
    """One order line in one book: id, Wh > 0, limit in µcur per kWh."""

    id: str
    quantity: int
    limit: int


@dataclass(frozen=True, slots=True)
class Side:
    """How far one side is accepted: all better limits whole, `taken` Wh at the marginal limit."""

    marginal: int
    taken: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """A cleared book: Wh traded, the price interval and the price, µcur per kWh, both sides."""

    volume: int
    low: int
    high: int
    price: int
    bids: Side
    asks: Side


@dataclass(frozen=True, slots=True)
class Cleared:
    """An outcome with each order's fill, Wh."""

    outcome: Outcome | None
    bids: dict[str, int]
    asks: dict[str, int]


Levels = Mapping[int, int]
"""Wh by limit."""


def levels(lines: Iterable[Line], former: Levels | None = None) -> dict[int, int]:
    """Sums of quantity by limit, added to what earlier steps found."""
    found = dict(former or {})
    for line in lines:
        found[line.limit] = found.get(line.limit, 0) + line.quantity
    return found


def cross(bids: Levels, asks: Levels) -> Outcome | None:
    """Clear a book from its sums by price; None where nobody pays what anybody asks."""
    buying, selling = sorted(bids.items(), reverse=True), sorted(asks.items())
    volume = _volume(buying, selling)
    if volume == 0:
        return None
    bid, refused_bid = _accepted(buying, volume)
    ask, refused_ask = _accepted(selling, volume)
    low = ask.marginal if refused_bid is None else max(ask.marginal, refused_bid)
    high = bid.marginal if refused_ask is None else min(bid.marginal, refused_ask)
    price = max(low, (low + high) // 2 // TICK * TICK)
    return Outcome(volume, low, high, price, bid, ask)


def fills(lines: Sequence[Line], side: Side | None, *, buying: bool) -> dict[str, int]:
    """Each order's fill, Wh, 0 included. All orders at the marginal limit must be among `lines`."""
    if side is None:
        return {line.id: 0 for line in lines}
    shared, _ = split(
        side.taken, {line.id: line.quantity for line in lines if line.limit == side.marginal}
    )
    found = {}
    for line in lines:
        better = line.limit > side.marginal if buying else line.limit < side.marginal
        found[line.id] = line.quantity if better else shared.get(line.id, 0)
    return found


def clear(bids: Sequence[Line], asks: Sequence[Line]) -> Cleared:
    """Clear a book at once."""
    outcome = cross(levels(bids), levels(asks))
    return Cleared(
        outcome,
        fills(bids, outcome.bids if outcome else None, buying=True),
        fills(asks, outcome.asks if outcome else None, buying=False),
    )


def _volume(buying: Sequence[tuple[int, int]], selling: Sequence[tuple[int, int]]) -> int:
    """The most that one price lets trade: match best against best while they agree."""
    bid_at = ask_at = volume = 0
    bid_left = buying[0][1] if buying else 0
    ask_left = selling[0][1] if selling else 0
    while bid_at < len(buying) and ask_at < len(selling):
        if buying[bid_at][0] < selling[ask_at][0]:
            break
        traded = min(bid_left, ask_left)
        volume, bid_left, ask_left = volume + traded, bid_left - traded, ask_left - traded
        if bid_left == 0:
            bid_at += 1
            bid_left = buying[bid_at][1] if bid_at < len(buying) else 0
        if ask_left == 0:
            ask_at += 1
            ask_left = selling[ask_at][1] if ask_at < len(selling) else 0
    return volume


def _accepted(ranked: Sequence[tuple[int, int]], volume: int) -> tuple[Side, int | None]:
    """How far a side is accepted, best first, and its best refused limit: the marginal one itself
    where part of it is refused."""
    left = volume
    for at, (limit, quantity) in enumerate(ranked):
        if left > quantity:
            left -= quantity
            continue
        if left < quantity:
            return Side(limit, left), limit
        return Side(limit, left), ranked[at + 1][0] if at + 1 < len(ranked) else None
    raise ValueError("more was matched than was asked for")
