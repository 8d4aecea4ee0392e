# SPDX-License-Identifier: Apache-2.0
"""Pairing, deposits and settlement by what was measured (rules K7, K9, K10)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedchain_domain.market import deposit
from pedchain_domain.market.clearing import Line, clear
from pedchain_domain.market.delivery import Prices, Settled, settle, settle_hour
from pedchain_domain.market.pairing import Trade, at_offers, pair
from pedchain_domain.reasons import Reason
from tests.oracles import market as oracle

K = 1_000
HOUR = Prices(trade=120 * K, retail=280 * K, feed_in=80 * K)
WHOLE = Trade("s", "b", 1_000)


@pytest.mark.parametrize(
    ("delivered", "used", "settled", "buyer", "seller_makes_good", "buyer_makes_good"),
    [
        (1_000, 1_000, 1_000, 120_000, 0, 0),
        (600, 1_000, 600, 72_000, 64_000, 0),
        (1_000, 700, 700, 84_000, 0, 12_000),
        (600, 700, 600, 72_000, 16_000, 0),
        (0, 1_000, 0, 0, 160_000, 0),
    ],
)
def test_one_trade_settles_as_the_rules_example(
    delivered: int,
    used: int,
    settled: int,
    buyer: int,
    seller_makes_good: int,
    buyer_makes_good: int,
) -> None:
    found = settle(WHOLE, delivered, used, HOUR)
    assert found == Settled(WHOLE, settled, buyer, seller_makes_good, buyer_makes_good)


def test_the_deposits_of_the_rules_example() -> None:
    assert deposit.of_offer(1_000, 100 * K, 280 * K) == 180_000
    assert deposit.of_bid(1_000, 240 * K) == 240_000
    assert deposit.of_offer(1_000, 300 * K, 280 * K) == 0


def test_the_papers_trade_is_due_400_with_its_prices_read_per_wh() -> None:
    """Paper B, worked example: quantities 10, 10, 10 at 15, 15, 10."""
    prices = (15, 15, 10)
    assert sum(deposit.amount(10, price * K) for price in prices) == 400
    assert sum(deposit.amount(10, price) for price in prices) == 0  # read per kWh, nothing


def test_the_papers_offer_trades_at_its_own_limits_and_is_due_400() -> None:
    """Paper B: producer A sells heat at 10 and 15, electricity at 10 and 15; pay-as-offer."""
    due = 0
    for limit in (15, 15, 10):
        asks = [Line("order1", 100, limit * K)]
        cleared = clear([Line("order5", 10, 15 * K)], asks)
        trades = at_offers(cleared, asks)
        assert trades == [(Trade("order1", "order5", 10), limit * K)]
        due += sum(deposit.amount(trade.quantity, price) for trade, price in trades)
    assert due == 400


@given(
    *[st.lists(st.tuples(st.integers(1, 40), st.integers(0, 9)), max_size=8)] * 2,
)
def test_pay_as_offer_keeps_every_trade_within_both_limits(
    wanted: list[tuple[int, int]], offered: list[tuple[int, int]]
) -> None:
    bids = [Line(f"b{at}", wh, limit * K) for at, (wh, limit) in enumerate(wanted)]
    asks = [Line(f"s{at}", wh, limit * K) for at, (wh, limit) in enumerate(offered)]
    limits = {line.id: line.limit for line in bids}
    cleared = clear(bids, asks)
    trades = at_offers(cleared, asks)
    assert all(price <= limits[trade.buyer] for trade, price in trades)
    assert sum(trade.quantity for trade, _ in trades) == sum(cleared.asks.values())


def test_pairs_are_made_by_id_from_the_north_west_corner() -> None:
    sold, bought = {"s2": 300, "s1": 500}, {"b1": 200, "b3": 0, "b2": 600}
    assert pair(sold, bought) == [
        Trade("s1", "b1", 200),
        Trade("s1", "b2", 300),
        Trade("s2", "b2", 300),
    ]
    with pytest.raises(ValueError, match="sold other"):
        pair({"s": 1}, {"b": 2})


quantities = st.dictionaries(
    st.text("abcé", min_size=1, max_size=3), st.integers(0, 50), max_size=8
)


@given(quantities, quantities, st.integers(0, 9))
def test_pairing_gives_everyone_what_it_traded_in_few_pairs(
    sold: dict[str, int], bought: dict[str, int], extra: int
) -> None:
    short = sum(sold.values()) - sum(bought.values())
    (bought if short > 0 else sold)["z"] = abs(short) + extra
    (sold if short > 0 else bought)["y"] = extra
    trades = pair(sold, bought)
    for name, wh in sold.items():
        assert sum(trade.quantity for trade in trades if trade.seller == name) == wh
    for name, wh in bought.items():
        assert sum(trade.quantity for trade in trades if trade.buyer == name) == wh
    active = sum(wh > 0 for wh in sold.values()) + sum(wh > 0 for wh in bought.values())
    assert len(trades) <= max(0, active - 1)
    assert all(trade.quantity > 0 for trade in trades)


@given(
    st.integers(0, 60),
    st.integers(0, 60),
    st.tuples(*[st.integers(0, 400).map(lambda price: price * K)] * 3),
)
def test_a_trade_settles_as_counting_wh_by_wh_says(
    delivered: int, used: int, prices: tuple[int, int, int]
) -> None:
    found = settle(WHOLE, delivered, used, Prices(*prices))
    assert oracle.pays(delivered, used, *prices) == (
        found.settled,
        found.buyer_pays,
        found.seller_makes_good,
        found.buyer_makes_good,
    )


@st.composite
def hours(
    draw: st.DrawFn,
) -> tuple[
    list[Trade], dict[str, int | None], dict[str, int | None], list[tuple[int, Prices, int]]
]:
    """Trades of one product, meters, and for each trade the seller's limit and the buyer's."""
    names = st.sampled_from(["a", "b", "c"])
    found = draw(
        st.lists(
            st.tuples(names, names, st.integers(1, 500)), max_size=8, unique_by=lambda t: t[:2]
        )
    )
    trades = [Trade(f"s{seller}", f"b{buyer}", wh) for seller, buyer, wh in found]
    meter = st.one_of(st.none(), st.integers(0, 900))
    fed_in = {f"s{name}": draw(meter) for name in "abc"}
    drawn = {f"b{name}": draw(meter) for name in "abc"}
    terms = []
    for _ in trades:
        ask, agreed, bid, retail = sorted(draw(st.tuples(*[st.integers(0, 400)] * 4)))
        feed_in = draw(st.integers(0, retail))
        terms.append((ask * K, Prices(agreed * K, retail * K, feed_in * K), bid * K))
    return trades, fed_in, drawn, terms


@given(hours())
def test_deposits_bound_every_payment_and_energy_is_settled_once(
    hour: tuple[
        list[Trade], dict[str, int | None], dict[str, int | None], list[tuple[int, Prices, int]]
    ],
) -> None:
    trades, fed_in, drawn, terms = hour
    found = settle_hour(trades, fed_in, drawn, [prices for _, prices, _ in terms])
    for one, (ask, prices, bid) in zip(found, terms, strict=True):
        wh = one.trade.quantity
        assert 0 <= one.seller_makes_good <= deposit.of_offer(wh, ask, prices.retail)
        assert 0 <= one.buyer_pays + one.buyer_makes_good <= deposit.of_bid(wh, bid)
        assert one.settled <= wh
        assert not (one.seller_makes_good and one.buyer_makes_good)
        if one.reason is not None:
            assert one == Settled(one.trade, reason=Reason.NOT_MEASURED)
    for name, energy in [*fed_in.items(), *drawn.items()]:
        settled = sum(one.settled for one in found if name in (one.trade.seller, one.trade.buyer))
        assert settled <= (energy or 0)


def test_an_hour_not_measured_is_left_out_with_its_reason() -> None:
    trades = [Trade("s", "a", 400), Trade("s", "b", 600)]
    found = settle_hour(trades, {"s": 500}, {"a": None, "b": 900}, [HOUR, HOUR])
    assert found[0] == Settled(trades[0], reason=Reason.NOT_MEASURED)
    assert found[1].settled == 300
    assert found[1].seller_makes_good == 300 * 160


def test_what_a_seller_gets_in_all_counts_what_either_makes_good() -> None:
    assert settle(WHOLE, 600, 1_000, HOUR).to_seller == 72_000 - 64_000
    assert settle(WHOLE, 1_000, 700, HOUR).to_seller == 84_000 + 12_000
