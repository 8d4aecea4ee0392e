# SPDX-License-Identifier: Apache-2.0
"""Two zones and the limit between them (rules K8)."""

from hypothesis import given
from hypothesis import strategies as st

from pedchain_domain.market.clearing import Line, clear
from pedchain_domain.market.coupling import Book, couple
from pedchain_domain.market.delivery import Prices, settle
from pedchain_domain.market.pairing import Trade
from tests.oracles import market as oracle

K = 1_000
CAP = 500 * K
FIRST = Book([Line("bA", 500, 250 * K)], [Line("sA", 2000, 100 * K)])
SECOND = Book([Line("bB", 1200, 260 * K)], [Line("sB", 500, 220 * K)])


def test_a_flow_within_the_limit_makes_one_market() -> None:
    found = couple(FIRST, SECOND, there=1_200, back=0, cap=CAP)
    assert found.flow == 1_200
    assert found.rent == 0
    assert found.first.outcome == found.second.outcome
    assert found.first.outcome is not None
    assert found.first.outcome.price == 100 * K


def test_beyond_the_limit_the_zones_clear_apart_and_the_rent_is_48_000() -> None:
    found = couple(FIRST, SECOND, there=300, back=0, cap=CAP)
    assert found.first.outcome is not None
    assert found.second.outcome is not None
    assert found.first.outcome.price == 100 * K
    assert found.second.outcome.price == 260 * K
    assert found.first.asks == {"sA": 800}
    assert found.first.bids == {"bA": 500}
    assert found.second.bids == {"bB": 800}
    assert found.second.asks == {"sB": 500}
    assert (found.flow, found.rent) == (300, 48_000)


def test_the_other_direction_is_the_mirror() -> None:
    found = couple(SECOND, FIRST, there=0, back=300, cap=CAP)
    assert (found.flow, found.rent) == (-300, 48_000)
    assert found.second.asks == {"sA": 800}


def test_without_a_connection_each_zone_is_its_own_market() -> None:
    """Two heat networks: the limit is 0."""
    found = couple(FIRST, SECOND, there=0, back=0, cap=CAP)
    assert found.first == clear(FIRST.bids, FIRST.asks)
    assert found.second == clear(SECOND.bids, SECOND.asks)
    assert (found.flow, found.rent) == (0, 0)


def test_the_flow_comes_before_members_who_also_bid_the_cap() -> None:
    first = Book([Line("bA", 2_000, CAP)], [Line("sA", 2_000, 100 * K)])
    second = Book([Line("bB", 2_000, CAP)], [])
    found = couple(first, second, there=300, back=300, cap=CAP)
    assert found.first.bids["bA"] == 1_700
    assert found.second.bids["bB"] == 300
    assert found.first.outcome is not None
    assert 0 <= found.first.outcome.price <= CAP


def side(name: str) -> st.SearchStrategy[list[Line]]:
    orders = st.lists(st.tuples(st.integers(1, 30), st.integers(0, 8)), max_size=8)
    return orders.map(
        lambda found: [Line(f"{name}{i}", wh, p * K) for i, (wh, p) in enumerate(found)]
    )


books = st.tuples(st.builds(Book, side("bA"), side("sA")), st.builds(Book, side("bB"), side("sB")))


@given(books, st.integers(0, 60), st.integers(0, 60))
def test_each_zone_balances_with_the_flow_and_the_rent_is_what_prices_differ_by(
    pair: tuple[Book, Book], there: int, back: int
) -> None:
    found = couple(*pair, there=there, back=back, cap=8 * K)
    sold = [sum(part.asks.values()) for part in (found.first, found.second)]
    bought = [sum(part.bids.values()) for part in (found.first, found.second)]
    assert sold[0] - bought[0] == found.flow == bought[1] - sold[1]
    assert -back <= found.flow <= there
    assert found.rent >= 0
    paid = received = 0
    for part, bids, asks in zip((found.first, found.second), bought, sold, strict=True):
        price = part.outcome.price if part.outcome else 0
        paid, received = paid + bids * price, received + asks * price
    assert paid == received + found.rent * 1_000


@given(books, st.integers(0, 60))
def test_no_trade_is_outside_its_limit(pair: tuple[Book, Book], limit: int) -> None:
    found = couple(*pair, there=limit, back=limit, cap=8 * K)
    for book, part in zip(pair, (found.first, found.second), strict=True):
        price = part.outcome.price if part.outcome else 0
        assert all(price <= line.limit for line in book.bids if part.bids[line.id])
        assert all(line.limit <= price for line in book.asks if part.asks[line.id])


@given(books, st.integers(0, 40), st.integers(0, 40))
def test_fills_are_those_of_an_oracle_by_brute_force(
    pair: tuple[Book, Book], there: int, back: int
) -> None:
    found = couple(*pair, there=there, back=back, cap=8 * K)
    first, second = (([*book.bids], [*book.asks]) for book in pair)
    wanted = oracle.coupled(first, second, there, back, 8 * K)  # type: ignore[arg-type]  # a Line is one
    parts = (found.first, found.second)
    assert {name: wh for part in parts for name, wh in (part.bids | part.asks).items()} == wanted


@given(*[st.integers(0, 300)] * 2, *[st.integers(0, 400)] * 4)
def test_what_crosses_a_limit_settles_as_the_oracle(
    delivered: int, used: int, one: int, other: int, retail: int, feed_in: int
) -> None:
    paid, got = max(one, other) * K, min(one, other) * K
    prices = Prices(paid, retail * K, feed_in * K, got)
    made = settle(Trade("s", "b", 300), delivered, used, prices)
    found = (made.seller_makes_good, made.buyer_makes_good, made.rent)
    assert found == oracle.makes_good(delivered, used, paid, got, retail * K, feed_in * K)
    assert made.from_buyer == made.to_seller + made.rent
