# SPDX-License-Identifier: Apache-2.0
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedchain_domain import intervals
from pedchain_domain.intervals import Knot, Register, Series, Span, of_register
from pedchain_domain.limits import BRIDGE_DAYS
from pedchain_domain.reasons import Reason

HOME = Register(20_000)


def day(
    known: Mapping[int, int],
    end: int = 5400,
    start: int = 0,
    register: Register = HOME,
    grain: int = 900,
) -> Series:
    knots = [Knot(at, value) for at, value in sorted(known.items())]
    return of_register([knots], start, end, grain, register)


def test_a_gap_is_bridged_evenly_and_exactly() -> None:
    found = day({0: 1000, 900: 1250, 1800: 1400, 4500: 2300, 5400: 2300})
    assert found.values == [250, 150, 300, 300, 300, 0]
    assert found.classes == "MMGGGM"
    assert sum(found.values) == 2300 - 1000
    assert found.spans == [Span(1800, 4500, 900, 0, 2, [300, 300, 300])]


def test_a_reading_serves_a_boundary_within_one_percent_of_the_interval() -> None:
    assert day({0: 0, 909: 10, 1791: 30}, 1800).classes == "MM"
    assert day({0: 0, 910: 10, 1800: 30}, 1800).classes == "GG"
    assert day({0: 0, 3636: 10, 7200: 30}, 7200, grain=3600).classes == "MM"
    assert day({0: 0, 3637: 10, 7200: 30}, 7200, grain=3600).classes == "GG"


def test_the_nearest_reading_serves_and_the_earlier_one_on_ties() -> None:
    assert day({0: 0, 895: 10, 903: 20, 1800: 30}, 1800).values == [20, 10]
    assert day({0: 0, 897: 10, 903: 20, 1800: 30}, 1800).values == [10, 20]


def test_a_reading_between_served_boundaries_changes_nothing() -> None:
    assert day({0: 0, 400: 7, 900: 10, 1800: 30}, 1800) == day({0: 0, 900: 10, 1800: 30}, 1800)


def test_a_reading_inside_a_gap_tells_where_the_energy_fell() -> None:
    found = day({0: 0, 1350: 90, 2700: 90}, 2700)
    assert found.values == [60, 30, 0]
    assert found.classes == "GGG"


def test_what_no_pair_of_registers_covers_is_missing() -> None:
    found = day({900: 0, 1800: 10, 2100: 20}, 3600)
    assert found.classes == "XMXX"
    assert found.values == [0, 10, 0, 0]
    assert intervals.missing(3).classes == "XXX"


def test_registers_before_and_after_the_day_bridge_its_edges_with_one_split() -> None:
    known = {0: 0, 2700: 100, 5400: 101}
    whole = day(known, 5400)
    first, second = day(known, 1800), day(known, 5400, 1800)
    assert first.values + second.values == whole.values
    assert first.spans[0].before == 0
    assert second.spans[0].before == sum(first.values)


def test_a_gap_of_more_than_a_month_is_missing() -> None:
    month = BRIDGE_DAYS * 86_400
    assert day({0: 0, month: 5}, 900).classes == "G"
    assert day({0: 0, month + 900: 5}, 900).classes == "X"


def test_a_spike_is_set_aside_and_the_gap_bridged() -> None:
    found = day({0: 0, 900: 10, 1800: 53_700_000, 2700: 30, 3600: 40}, 3600)
    assert found.values == [10, 10, 10, 10]
    assert found.classes == "MGGM"
    assert found.findings == [(Reason.SPIKE, 1800)]


def test_the_cap_is_the_points_power() -> None:
    assert day({0: 0, 900: 5101}, 900).classes == "M"
    assert day({0: 0, 900: 5102}, 900).classes == "X"


def test_a_decrease_is_missing_and_both_sides_stay_measured() -> None:
    found = day({0: 52_000, 900: 52_100, 1800: 40, 2700: 90}, 2700)
    assert found.classes == "MXM"
    assert found.values == [100, 0, 50]
    assert found.findings == [(Reason.DECREASE, 1800)]


@pytest.mark.fault(9)
def test_a_rollover_is_measured_and_found() -> None:
    register = Register(20_000, 10**9)
    found = day({0: 999_999_800, 900: 300, 1800: 400}, 1800, register=register)
    assert (found.values, found.classes) == ([500, 100], "MM")
    assert found.findings == [(Reason.ROLLOVER, 900)]


def test_a_rollover_inside_a_gap_is_bridged() -> None:
    register = Register(20_000, 10**9)
    found = day({0: 999_999_800, 1800: 300, 2700: 300}, 2700, register=register)
    assert (found.values, found.classes) == ([250, 250, 0], "GGM")


def test_a_substitute_of_the_dso_has_its_own_class() -> None:
    knots = [Knot(0, 0), Knot(900, 10, "S"), Knot(1800, 20), Knot(2700, 30)]
    assert of_register([knots], 0, 2700, 900, HOME).classes == "SSM"


def test_a_meter_exchange_bridges_the_interval_it_lies_in() -> None:
    old = [Knot(0, 5000), Knot(900, 5100), Knot(1300, 5150, "E")]
    new = [Knot(1300, 7, "E"), Knot(1800, 57), Knot(2700, 157)]
    found = of_register([old, new], 0, 2700, 900, HOME)
    assert found.values == [100, 100, 100]
    assert found.classes == "MGM"


def test_an_exchange_on_a_boundary_is_bridged_too() -> None:
    old, new = [Knot(0, 50), Knot(900, 60, "E")], [Knot(900, 0, "E"), Knot(1800, 5)]
    found = of_register([old, new], 0, 1800, 900, HOME)
    assert (found.values, found.classes) == ([10, 5], "GG")


def test_a_coarse_register_has_no_quarter_hours() -> None:
    coarse = Register(20_000, resolution=100)
    assert day({0: 0, 900: 100}, 900, register=coarse).classes == "G"
    assert day({0: 0, 3600: 100}, 3600, register=coarse, grain=3600).classes == "M"
    fine = Register(20_000, resolution=10)
    assert day({0: 0, 900: 100}, 900, register=fine).classes == "M"


def test_of_two_registers_at_one_instant_the_first_stands() -> None:
    knots = [Knot(0, 0), Knot(900, 10), Knot(900, 99), Knot(1800, 20)]
    assert of_register([knots], 0, 1800, 900, HOME).values == [10, 10]


def test_a_charging_transaction_is_spread_by_seconds() -> None:
    found = intervals.transaction(18 * 3600 + 450, 18 * 3600 + 3150, 9_001, 900)
    assert list(found.values()) == [1500, 3001, 3000, 1500]


ENERGIES = st.lists(st.integers(0, 5_000), min_size=2, max_size=24)


@given(ENERGIES, st.data())
def test_dropping_inner_readings_keeps_the_energy_and_never_makes_it_missing(
    energies: list[int], data: st.DataObject
) -> None:
    boundaries = {0: 1000}
    for at, energy in enumerate(energies):
        boundaries[(at + 1) * 900] = boundaries[at * 900] + energy
    inner = list(boundaries)[1:-1]
    dropped = data.draw(st.sets(st.sampled_from(inner)) if inner else st.just(set[int]()))
    kept = {at: value for at, value in boundaries.items() if at not in dropped}
    found = day(kept, len(energies) * 900)
    assert "X" not in found.classes
    assert sum(found.values) == sum(energies)
    for at, letter in enumerate(found.classes):
        if letter == "M":
            assert found.values[at] == energies[at]
        else:
            assert {at * 900, (at + 1) * 900} & dropped
    assert (found.classes == "M" * len(energies)) == (not dropped)


@given(ENERGIES, st.integers(1, 23))
def test_days_of_a_bridge_add_up(energies: list[int], cut: int) -> None:
    end = len(energies) * 900
    cut = min(cut, len(energies) - 1) * 900
    known = {0: 0, end: sum(energies)}
    parts = [day(known, cut), day(known, end, cut)]
    assert sum(sum(part.values) for part in parts) == sum(energies)


@pytest.mark.parametrize("known", [{}, {0: 5}, {2700: 5}])
def test_one_register_alone_is_no_energy(known: dict[int, int]) -> None:
    assert day(known, 2700).classes == "XXX"
