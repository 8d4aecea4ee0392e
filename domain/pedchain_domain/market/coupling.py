# SPDX-License-Identifier: Apache-2.0
"""Two zones with a limit between them (rules K8).

They clear as one while the flow stays within the limit the system operator published. Beyond it
they clear apart, with the limit itself as an order that takes any price: bought in the zone the
energy leaves, sold in the one it enters. What the two prices differ by, times the flow, belongs to
the account `congestion`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pedchain_domain.market.clearing import (
    TICK,
    Cleared,
    Line,
    Outcome,
    clear,
    cross,
    fills,
    levels,
)


@dataclass(frozen=True, slots=True)
class Book:
    """The orders of one zone. Ids are unique over both zones."""

    bids: Sequence[Line]
    asks: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Coupled:
    """Both zones cleared; `flow` Wh from the first to the second (negative: the other way), and
    the congestion rent, µcur."""

    first: Cleared
    second: Cleared
    flow: int
    rent: int


def couple(first: Book, second: Book, *, there: int, back: int, cap: int) -> Coupled:
    """Clear two zones with limits of `there` Wh from the first to the second and `back` Wh the
    other way; `cap` is the highest limit an order may have, µcur per kWh."""
    whole = clear([*first.bids, *second.bids], [*first.asks, *second.asks])
    flow = _sum(first.asks, whole.asks) - _sum(first.bids, whole.bids)
    if -back <= flow <= there:
        return Coupled(_part(whole, first), _part(whole, second), flow, 0)
    if flow > 0:
        return _apart(first, second, there, cap)
    mirrored = _apart(second, first, back, cap)
    return Coupled(mirrored.second, mirrored.first, -mirrored.flow, mirrored.rent)


def _apart(source: Book, sink: Book, flow: int, cap: int) -> Coupled:
    """Both zones apart with a flow between them that comes before every order."""
    given = _bounded(source, {cap + TICK: flow}, {}, cap)
    taken = _bounded(sink, {}, {-TICK: flow}, cap)
    rent = 0
    if flow and given.outcome is not None and taken.outcome is not None:
        rent = flow * (taken.outcome.price - given.outcome.price) // 1_000
    return Coupled(given, taken, flow, rent)


def _bounded(book: Book, bought: dict[int, int], sold: dict[int, int], cap: int) -> Cleared:
    """A zone cleared with the flow as one of its orders, at a price orders may name."""
    flow = {limit: wh for limit, wh in (bought or sold).items() if wh}
    outcome = cross(
        levels(book.bids, flow if bought else None), levels(book.asks, flow if sold else None)
    )
    if outcome is None:
        return Cleared(
            None, fills(book.bids, None, buying=True), fills(book.asks, None, buying=False)
        )
    fair = _within(outcome, cap)
    return Cleared(
        fair,
        fills(book.bids, outcome.bids, buying=True),
        fills(book.asks, outcome.asks, buying=False),
    )


def _within(outcome: Outcome, cap: int) -> Outcome:
    """The outcome priced between 0 and the cap: the flow's own limits lie just outside, so that it
    comes first even where members offer 0 or bid the cap."""
    low, high = max(0, outcome.low), min(cap, outcome.high)
    return replace(outcome, low=low, high=high, price=max(low, (low + high) // 2 // TICK * TICK))


def _part(whole: Cleared, book: Book) -> Cleared:
    return Cleared(
        whole.outcome,
        {line.id: whole.bids[line.id] for line in book.bids},
        {line.id: whole.asks[line.id] for line in book.asks},
    )


def _sum(lines: Sequence[Line], filled: dict[str, int]) -> int:
    return sum(filled[line.id] for line in lines)
