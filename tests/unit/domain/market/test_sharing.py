# SPDX-License-Identifier: Apache-2.0
"""Sharing ex post and the one energy position (rules S, P)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedchain_domain.market import sharing
from pedchain_domain.market.position import Position
from pedchain_domain.market.sharing import Dynamic, Priority, Static, pay, share
from pedchain_domain.reasons import DomainError, Reason
from tests.oracles import market as oracle

FED_IN = {"p1": 800, "p2": 200}
DRAWN = {"a": 300, "b": 301, "c": 600}
PRICE = 120_000


def test_dynamic_keys_divide_the_pool_by_what_each_drew() -> None:
    found = share(FED_IN, DRAWN, Dynamic())
    assert found.received == {"a": 250, "b": 251, "c": 499}
    assert found.given == {"p1": 800, "p2": 200}
    assert found.supplier == {"p1": 0, "p2": 0}
    money = pay(found, PRICE)
    assert [money[name].pays for name in "abc"] == [30_000, 30_120, 59_880]
    assert [money[name].receives for name in ("p1", "p2")] == [96_000, 24_000]


def test_static_keys_have_no_second_round() -> None:
    keys = Static({"a": 500_000, "b": 300_000, "c": 200_000})
    found = share(FED_IN, DRAWN, keys)
    assert found.received == {"a": 300, "b": 300, "c": 200}
    assert found.given == {"p1": 640, "p2": 160}
    assert sum(found.supplier.values()) == 200


def test_priority_serves_the_ranks_in_order_and_the_unranked_last() -> None:
    found = share(FED_IN, DRAWN, Priority({"c": 1, "a": 2}))
    assert found.received == {"c": 600, "a": 300, "b": 100}


def test_keys_beyond_the_whole_are_refused() -> None:
    with pytest.raises(DomainError) as caught:
        Static({"a": 600_000, "b": 400_001})
    assert caught.value.reason == Reason.SHARES_EXCEED


def test_a_factor_lets_a_part_of_a_site_take_part() -> None:
    assert sharing.participating(1_001, 500_000) == 500
    assert sharing.participating(7, 1_000_000) == 7


def test_what_the_market_took_of_an_hour_is_taken_from_its_intervals() -> None:
    assert sharing.left_over([100, 300, 0, 200], 300) == [50, 150, 0, 100]
    with pytest.raises(DomainError) as caught:
        sharing.left_over([100], 101)
    assert caught.value.reason == Reason.COUNTED_TWICE


energies = st.dictionaries(st.sampled_from("abcdefé"), st.integers(0, 900), max_size=6)
keyed = st.one_of(
    st.just(Dynamic()),
    st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 160_000)).map(Static),
    st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 3)).map(Priority),
)


@given(energies, energies, keyed)
def test_sharing_makes_and_loses_no_energy(
    fed_in: dict[str, int], drawn: dict[str, int], keys: sharing.Keys
) -> None:
    found = share(fed_in, drawn, keys)
    assert sum(found.received.values()) == sum(found.given.values())
    assert all(0 <= wh <= drawn[name] for name, wh in found.received.items())
    for name, wh in fed_in.items():
        assert 0 <= found.given[name] <= wh
        assert found.given[name] + found.supplier[name] == wh
    money = pay(found, PRICE).values()
    assert sum(one.pays for one in money) == sum(one.receives for one in money)


@given(energies, energies, keyed)
def test_sharing_is_as_the_second_implementation_has_it(
    fed_in: dict[str, int], drawn: dict[str, int], keys: sharing.Keys
) -> None:
    found = share(fed_in, drawn, keys).received
    match keys:
        case Static(shares):
            assert found == oracle.static(fed_in, drawn, dict(shares))
        case Priority(ranks):
            assert found == oracle.priority(fed_in, drawn, dict(ranks))
        case _:
            assert found == oracle.dynamic(fed_in, drawn)


def test_a_position_gives_the_supplier_what_nobody_else_took() -> None:
    hour = Position(fed_in=1_000, drawn=400).traded(sold=600, bought=100).shared(out=250, into=200)
    assert (hour.to_supplier, hour.from_supplier) == (150, 100)
    assert hour.exported(150).to_supplier == 0


moves = st.lists(
    st.tuples(st.sampled_from(["sold", "bought", "out", "into", "exported"]), st.integers(0, 400)),
    max_size=10,
)


@given(st.integers(0, 900), st.integers(0, 900), moves)
def test_no_mix_of_uses_counts_a_wh_twice(
    fed_in: int, drawn: int, wanted: list[tuple[str, int]]
) -> None:
    hour = Position(fed_in, drawn)
    refused = 0
    for use, wh in wanted:
        try:
            if use == "exported":
                hour = hour.exported(wh)
            elif use in ("out", "into"):
                hour = hour.shared(**{use: wh})
            else:
                hour = hour.traded(**{use: wh})
        except DomainError:
            refused += 1
    terms = (hour.sold, hour.shared_out, hour.origin_only, hour.to_supplier)
    assert min(terms) >= 0
    assert sum(terms) == fed_in
    assert min(hour.bought, hour.shared_in, hour.from_supplier) >= 0
    assert hour.bought + hour.shared_in + hour.from_supplier == drawn
    assert refused <= len(wanted)


def test_the_market_comes_before_sharing() -> None:
    with pytest.raises(DomainError) as caught:
        Position(100, 0).shared(out=50).traded(sold=10)
    assert caught.value.reason == Reason.COUNTED_TWICE


@pytest.mark.parametrize("wrong", [{"sold": 101}, {"bought": 1}, {"sold": -1}])
def test_more_than_was_measured_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(DomainError) as caught:
        Position(100, 0, **wrong)
    assert caught.value.reason == Reason.COUNTED_TWICE
