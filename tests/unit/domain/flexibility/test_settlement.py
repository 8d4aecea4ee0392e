# SPDX-License-Identifier: Apache-2.0
"""What an order delivered, and its money to the last unit (rules D8 to D15, D17)."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedchain_domain.flexibility import accuracy, delivery, gaming, remuneration
from pedchain_domain.flexibility.accuracy import Doubt
from pedchain_domain.flexibility.commitment import leaf, root
from pedchain_domain.flexibility.delivery import Interval
from pedchain_domain.flexibility.escrow import Terms, release
from pedchain_domain.flexibility.quantity import Direction
from pedchain_domain.flexibility.rebound import rebound
from pedchain_domain.numbers import split_list
from tests.oracles import flexibility as oracle
from tests.oracles import naive

K = 1_000
DOWN, UP = Direction.DOWN, Direction.UP
BASELINES = {"a": 500, "b": 400, "c": 600, "d": 300}


def event(measured: dict[str, int]) -> tuple[delivery.Result, dict[str, int]]:
    """One interval of the four homes of rules D10: order 400 Wh at 300k and 300k."""
    sums = Interval(sum(BASELINES.values()), sum(measured.values()), 400)
    result = delivery.settle(DOWN, [sums], 300 * K, 300 * K, 400 * 300)
    weights = {
        site: remuneration.contribution(DOWN, [(BASELINES[site], wh)], 1_000)
        for site, wh in measured.items()
    }
    users, _ = remuneration.divide(remuneration.pool(result.pay, result.penalty), weights)
    return result, users


@pytest.mark.parametrize(("measured", "net"), [(7, 14), (8, 14), (9, -4), (10, -22), (11, -33)])
def test_the_five_cases_of_usef_in_both_directions(measured: int, net: int) -> None:
    for direction, value in ((DOWN, measured), (UP, 20 - measured)):
        found = delivery.settle(direction, [Interval(10, value, 2)], 7 * K, 11 * K, None)
        assert found.pay - found.penalty == net


def test_a_portfolio_that_meets_its_order_is_paid_though_two_homes_do_nothing() -> None:
    result, users = event({"a": 250, "b": 220, "c": 620, "d": 300})
    assert (result.outcomes[0].delivered, result.pay, result.penalty) == (400, 120_000, 0)
    assert users == {"a": 55_814, "b": 40_186, "c": 0, "d": 0}


def test_noise_alone_is_not_paid() -> None:
    result, users = event({"a": 560, "b": 330, "c": 500, "d": 420})
    assert (result.outcomes[0].delivered, result.pay) == (0, 0)
    assert set(users.values()) == {0}


def test_penalties_end_at_what_the_order_was_worth_and_users_never_pay() -> None:
    result, users = event({"a": 380, "b": 300, "c": 480, "d": 700})
    assert (result.outcomes[0], result.penalty) == ((0, 460), 120_000)
    assert set(users.values()) == {0}


def test_contributions_are_netted_over_the_event_and_end_at_what_was_asked() -> None:
    pairs = [(500, 300), (500, 550)]
    assert remuneration.contribution(DOWN, pairs, 1_000) == 150
    assert remuneration.contribution(DOWN, pairs, 120) == 120
    assert remuneration.contribution(UP, pairs, 1_000) == 0


def test_a_best_effort_locks_only_what_suppliers_and_guaranteed_users_are_due() -> None:
    best = Terms(DOWN, [400] * 4, 300 * K, toe_price=50 * K, firm=False)
    assert best.collateral == best.compensation(1_600) == 80_000
    assert replace(best, guaranteed=True).collateral == best.worth + 80_000
    rows = [Interval(1_000, 1_000 - wh, 400) for wh in (400, 400, 250, 0)]
    result = delivery.settle(DOWN, rows, 300 * K, 0, best.worth)
    freed = release(best, result, available=0)
    assert (result.pay, freed.penalty, freed.users) == (315_000, 0, 252_000)
    assert freed.total == best.escrow + best.collateral


def test_a_guaranteed_price_is_paid_at_the_providers_risk() -> None:
    terms = Terms(DOWN, [400], 300 * K, toe_price=0, guaranteed=True)
    nothing = delivery.settle(DOWN, [Interval(400, 400, 400)], 300 * K, 300 * K, None)
    assert terms.pool(nothing, 150) == 45_000
    freed = release(terms, nothing, available=0, contributed=150)
    assert terms.collateral == 2 * terms.worth == 240_000
    assert (freed.users, freed.provider + freed.collateral) == (45_000, 240_000 - 120_000 - 45_000)
    assert freed.total == terms.escrow + terms.collateral


@given(
    st.lists(st.tuples(*[st.integers(-2_000, 2_000)] * 2, st.integers(0, 900)), min_size=1),
    st.integers(1, 400),
    st.integers(0, 800),
    st.booleans(),
)
def test_pay_and_penalty_agree_with_a_second_implementation(
    rows: list[tuple[int, int, int]], price: int, penalty: int, is_down: bool
) -> None:
    direction = DOWN if is_down else UP
    most = sum(ordered * price for *_, ordered in rows)
    found = delivery.settle(
        direction, [Interval(*row) for row in rows], price * K, penalty * K, most
    )
    assert (found.pay, found.penalty) == oracle.money(rows, price * K, penalty * K, is_down)


def test_the_money_of_one_order_is_as_the_worked_example() -> None:
    terms = Terms(DOWN, [400] * 4, 300 * K, toe_price=0)
    rows = [Interval(1_000, 1_000 - wh, 400) for wh in (400, 400, 250, 0)]
    result = delivery.settle(DOWN, rows, 300 * K, 300 * K, terms.worth)
    found = release(terms, result, available=0)
    assert (result.pay, result.penalty) == (315_000, 165_000)
    assert (terms.escrow, terms.collateral) == (480_000, 480_000)
    assert (found.users, found.provider - found.penalty) == (120_000, 30_000)
    assert (found.unspent, found.penalty, found.collateral) == (165_000, 165_000, 315_000)
    assert found.total == 960_000


@given(
    st.lists(st.tuples(*[st.integers(0, 2_000)] * 2), min_size=2, max_size=8),
    st.integers(1, 500),
    st.integers(0, 2),
    st.integers(0, 50),
    st.integers(0, 90_000),
    st.sampled_from([DOWN, UP]),
)
def test_locked_money_is_released_to_the_last_unit_and_nobody_gets_less_than_nothing(
    rows: list[tuple[int, int]],
    price: int,
    penalty: int,
    toe: int,
    available: int,
    direction: Direction,
) -> None:
    terms = Terms(direction, [300] * len(rows), price * K, toe * K, availability=90_000)
    intervals = [Interval(baseline, measured, 300) for baseline, measured in rows]
    result = delivery.settle(direction, intervals, price * K, penalty * price * K, terms.worth)
    found = release(terms, result, available)
    assert found.total == terms.escrow + terms.collateral
    parts = (found.provider, found.users, found.supplier, found.penalty, found.unspent)
    assert min(*parts, found.collateral) >= 0
    assert direction is DOWN or found.supplier == 0


def test_a_hundred_thousand_divisions_are_exact() -> None:
    chance = random.Random(8)
    for round_ in range(100_000):
        weights = [chance.randrange(0, 5_000) for _ in range(chance.randrange(1, 8))]
        total = chance.randrange(0, 10**9)
        parts, rest = split_list(total, weights)
        assert sum(parts) + rest == total
        if sum(weights) and round_ % 50 == 0:
            assert parts == naive.share(total, weights)


def test_standing_ready_is_paid_by_what_the_provider_was_worth_before() -> None:
    assert remuneration.reliability([], []) == 500_000
    assert remuneration.reliability([100, 100], [100, 50]) == 750_000
    assert remuneration.reliability([9_999, *[100] * 5], [0, *[100] * 5]) == 1_000_000
    assert remuneration.availability(20_000, 5_000, 7_200, 500_000) == 100_000


def test_rebound_and_peak_are_stated() -> None:
    assert rebound([700, 650, 600, 520], [500, 500, 520, 510]) == (440, 1_346_153)
    assert rebound([], []) == (0, None)


def placebo(days: int, baseline: int, *measured: int) -> accuracy.Accuracy:
    return accuracy.measure([[(baseline, wh) for wh in measured]] * days)


def test_accuracy_is_bias_and_root_mean_square_over_what_was_measured() -> None:
    found = placebo(10, 110, 100, 100)
    assert (found.bias_ppm, found.rrmse_ppm) == (100_000, 100_000)
    assert placebo(10, 100, 90, 110).bias_ppm == 0
    assert placebo(10, 100, 90, 110).rrmse_ppm == 100_000
    assert accuracy.measure([]).rrmse_ppm is None


def test_a_weak_baseline_is_doubted_for_each_reason() -> None:
    assert accuracy.doubts(placebo(10, 100, 90, 110), 20) == []
    assert accuracy.doubts(placebo(9, 100, 90, 110), 20) == [Doubt.FEW_DAYS]
    assert accuracy.doubts(placebo(10, 100, 90, 110), 19) == [Doubt.BELOW_NOISE]
    assert accuracy.doubts(placebo(10, 105, 100, 100), 20) == [Doubt.BIAS]
    assert accuracy.doubts(placebo(10, 100, 79, 121), 42) == [Doubt.SCATTER]


def test_load_after_notice_is_flagged_above_a_fifth() -> None:
    assert not gaming.loaded_after_notice([120], [100])
    assert gaming.loaded_after_notice([121], [100])
    assert not gaming.loaded_after_notice([100], [0])


def test_generation_that_stands_still_beside_running_neighbours_is_flagged() -> None:
    beside = dict.fromkeys("abc", (1000, 5000))
    assert gaming.generation_off(99, 5_000, beside)
    assert not gaming.generation_off(100, 5_000, beside)
    assert not gaming.generation_off(0, 5_000, {"a": (1_000, 5_000)})
    assert not gaming.generation_off(0, 5_000, dict.fromkeys("abc", (0, 5_000)))
    assert not gaming.generation_off(0, 0, beside)


def test_days_frozen_at_notice_cannot_be_exchanged() -> None:
    days = {"s1": ["2026-05-19"], "s2": ["2026-05-18", "2026-05-15"]}
    salts = {"s1": b"1" * 16, "s2": b"2" * 16}
    frozen = root(days, salts)
    assert root(dict(reversed(days.items())), salts) == frozen
    assert root({**days, "s2": ["2026-05-18"]}, salts) != frozen
    assert root(days, {**salts, "s1": b"3" * 16}) != frozen
    assert len(leaf("s1", days["s1"], salts["s1"])) == 32
