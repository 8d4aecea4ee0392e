# SPDX-License-Identifier: Apache-2.0
"""The call auction: vectors others wrote, and what must hold for any book (rules K6)."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedchain_domain.market.clearing import Line, clear, cross, fills, levels
from tests.oracles import market as oracle

K = 1_000


def lines(prefix: str, *orders: tuple[int, int]) -> list[Line]:
    return [Line(f"{prefix}{at}", wh, limit * K) for at, (wh, limit) in enumerate(orders)]


def units(prefix: str, *limits: int) -> list[Line]:
    return lines(prefix, *((1, limit) for limit in limits))


VECTORS = {
    # (bids, asks): interval low, high, price in cur/kWh x 1000, volume
    "pymarket ds0": (
        lines("b", (1, 3), (2, 4), (5, 1)),
        lines("s", (4, 2), (1, 1), (5, 6)),
        2,
        2,
        2,
        3,
    ),
    "gsy 1 to 7": (units("b", *range(1, 8)), units("s", *range(1, 8)), 4, 4, 4, 4),
    "gsy case 3": (units("b", *range(1, 8)), units("s", 2, 3, 3, 5, 6, 7, 8), 4, 5, 4, 3),
    "gsy case 4": (units("b", 1, 2, 3, 4, 10, 10, 10), units("s", *[10] * 7), 10, 10, 10, 3),
    "gsy case 5": (units("b", *[5] * 7), units("s", 1, 2, 5, 5, 5, 6, 7), 5, 5, 5, 5),
    "our hour": (
        lines("b", (1000, 240), (1500, 200), (1200, 150)),
        lines("s", (900, 90), (1400, 120), (900, 120)),
        150,
        150,
        150,
        3200,
    ),
}


@pytest.mark.parametrize("name", VECTORS)
def test_the_vectors_of_the_rules_clear_as_they_say(name: str) -> None:
    bids, asks, low, high, price, volume = VECTORS[name]
    outcome = clear(bids, asks).outcome
    assert outcome is not None
    found = (outcome.low, outcome.high, outcome.price, outcome.volume)
    assert found == (low * K, high * K, price * K, volume)


def test_our_hour_fills_its_bids_1000_1500_and_700() -> None:
    cleared = clear(*VECTORS["our hour"][:2])
    assert cleared.bids == {"b0": 1000, "b1": 1500, "b2": 700}
    assert cleared.asks == {"s0": 900, "s1": 1400, "s2": 900}


def test_the_second_pymarket_set_of_orders_at_other_prices_trades_nothing_uncrossed() -> None:
    assert clear(units("b", 1, 2), units("s", 3, 4)).outcome is None
    assert clear([], units("s", 3)).asks == {"s0": 0}
    assert cross({}, {}) is None


def test_a_level_filled_in_part_is_shared_by_quantity_and_ids_break_ties() -> None:
    bids = [Line("b", 300, 5 * K), Line("a", 300, 5 * K), Line("c", 100, 5 * K)]
    cleared = clear(bids, lines("s", (5, 1)))
    assert cleared.bids == {"a": 2, "b": 2, "c": 1}


def side(name: str) -> st.SearchStrategy[list[Line]]:
    orders = st.lists(st.tuples(st.integers(1, 40), st.integers(0, 9)), max_size=12)
    return orders.map(lambda found: lines(name, *found))


books = st.tuples(side("b"), side("s"))


@given(books)
def test_the_book_clears_as_trying_every_price_says(book: tuple[list[Line], list[Line]]) -> None:
    bids, asks = ([tuple(line) for line in side] for side in book)
    outcome = clear(*book).outcome
    if oracle.volume(bids, asks) == 0:
        assert outcome is None
        return
    assert outcome is not None
    assert outcome.volume == oracle.volume(bids, asks)
    assert (outcome.low, outcome.high) == oracle.interval(bids, asks)
    assert outcome.price == oracle.price(bids, asks)
    cleared = clear(*book)
    assert cleared.bids == oracle.fills(bids, outcome.volume, buying=True)
    assert cleared.asks == oracle.fills(asks, outcome.volume, buying=False)


@given(books, st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_no_fill(
    book: tuple[list[Line], list[Line]], chance: random.Random
) -> None:
    shuffled = [chance.sample(side, len(side)) for side in book]
    assert clear(*shuffled) == clear(*book)


@given(books)
def test_every_fill_is_within_its_order_and_both_sides_sum_to_the_volume(
    book: tuple[list[Line], list[Line]],
) -> None:
    cleared = clear(*book)
    volume = cleared.outcome.volume if cleared.outcome else 0
    assert sum(cleared.bids.values()) == sum(cleared.asks.values()) == volume
    for line in book[0]:
        assert 0 <= cleared.bids[line.id] <= line.quantity
        assert not cleared.bids[line.id] or (
            cleared.outcome and line.limit >= cleared.outcome.price
        )
    for line in book[1]:
        assert 0 <= cleared.asks[line.id] <= line.quantity
        assert not cleared.asks[line.id] or (
            cleared.outcome and line.limit <= cleared.outcome.price
        )


@given(books)
def test_no_crossed_book_is_left(book: tuple[list[Line], list[Line]]) -> None:
    cleared = clear(*book)
    wanted = [line.limit for line in book[0] if cleared.bids[line.id] < line.quantity]
    offered = [line.limit for line in book[1] if cleared.asks[line.id] < line.quantity]
    assert not wanted or not offered or max(wanted) < min(offered)


@given(books, st.integers(1, 5))
def test_clearing_in_steps_is_clearing_at_once(
    book: tuple[list[Line], list[Line]], size: int
) -> None:
    bids, asks = book
    sums: list[dict[int, int]] = []
    for side in book:
        found: dict[int, int] = {}
        for at in range(0, len(side), size):
            found = levels(side[at : at + size], found)
        sums.append(found)
    outcome = cross(*sums)
    assert outcome == clear(bids, asks).outcome
    if outcome:
        assert fills(bids, outcome.bids, buying=True) == clear(bids, asks).bids
