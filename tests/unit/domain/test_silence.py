# SPDX-License-Identifier: Apache-2.0
"""Silence can never raise a verdict (rules V2): withholding readings never betters a balance.

A street of homes is closed with all its readings and again with some withheld, up to 5 %, by any
choice: inside, at midnight, at either end of the history. Each worst-case balance of the silent
street must be no better than the true one, for the window and for each day alone.
"""

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pedchain_domain import verdict, window
from tests.unit.domain import homes
from tests.unit.domain.homes import START, close_days, days, registers_of

COUNT = 3
HOURS = COUNT * 24
PLANS = {"a": "P1", "b": "P1"}
DRAW = st.integers(0, 10_000)


def energy(data: st.DataObject, hours: int = HOURS) -> dict[str, dict[str, list[int]]]:
    """Homes whose consumption is never negative; one seed per home keeps the examples small."""
    found = {}
    for name in PLANS:
        seed = random.Random(data.draw(st.integers(0, 2**32)))
        generation = [seed.randint(0, 5_000) for _ in range(hours)]
        export = [seed.choice((0, wh)) for wh in generation]
        drawn = [seed.choice((0, seed.randint(0, 9_000))) for _ in range(hours)]
        found[name] = {"I": drawn, "E": export, "G": generation}
    return found


def table(data: st.DataObject) -> dict[str, Any]:
    intensities = data.draw(st.lists(st.integers(0, 900), min_size=4, max_size=4))
    made = homes.factors([intensities[hour % 4 if hour % 3 else 0] for hour in range(HOURS)])
    weights = made["primary"]["electricity"]
    weights["grid"] = [500, data.draw(st.sampled_from([1000, 2000, 3000])), 420]
    return made


def silence(
    data: st.DataObject, registers: dict[str, dict[int, dict[str, int]]], late: bool
) -> dict[str, dict[int, dict[str, int]]]:
    """At most 5 % of the readings withheld; if `late`, only such as end the history."""
    all_of = [(device, at) for device, found in registers.items() for at in sorted(found)]
    if late:
        gone = data.draw(st.integers(1, 3))
        device = data.draw(st.sampled_from(sorted(registers)))
        withheld = [one for one in all_of if one[0] == device][-gone:]
    else:
        # Midnights and neighbours of what is already withheld hide most: choose them often.
        nights = [one for one in all_of if (one[1] - START) % homes.DAY <= 2 * 3600]
        pools = st.sampled_from(all_of) | st.sampled_from(nights)
        withheld = data.draw(st.lists(pools, max_size=len(all_of) // 20, unique=True))
    return {
        device: {at: values for at, values in found.items() if (device, at) not in withheld}
        for device, found in registers.items()
    }


def balances(
    registers: dict[str, dict[int, dict[str, int]]],
    about: dict[str, Any],
    factors: dict[str, Any],
    count: int = COUNT,
) -> list[dict[str, Any]]:
    """Windows to compare: the whole history, then each day alone."""
    filed = homes.rows(registers)
    results = close_days(homes.roster_of(PLANS), filed, about, factors, days(count))
    whole = window.empty(count)
    alone = []
    for _, totals in results:
        whole = window.advance(whole, totals)
        alone.append(window.advance(window.empty(1), totals))
    return [whole, *alone]


def assert_no_better(
    silent: list[dict[str, Any]], open_ones: list[dict[str, Any]], about: dict[str, Any]
) -> None:
    for quiet, true in zip(silent, open_ones, strict=True):
        worst, truth = verdict.worst_balances(quiet), verdict.worst_balances(true)
        assert worst["electric_wh"] <= truth["electric_wh"]
        assert worst["nren"] >= truth["nren"]
        assert worst["ghg"] >= truth["ghg"]
        verdicts = [verdict.judge(one, about).verdict for one in (quiet, true)]
        assert verdicts[0] != "positive" or verdicts[1] == "positive"


@settings(max_examples=60)
@given(data=st.data(), rule=st.sampled_from(["R1", "R2", "R3"]))
def test_withholding_any_readings_never_betters_a_balance(data: st.DataObject, rule: str) -> None:
    about = homes.district(rule=rule, window_days=1, bound_by_capacity=1,
                           coverage_window_ppm=0, coverage_month_ppm=0)  # fmt: skip
    registers, factors = registers_of(energy(data)), table(data)
    silent = silence(data, registers, late=False)
    assert_no_better(balances(silent, about, factors), balances(registers, about, factors), about)


@settings(max_examples=30)
@given(data=st.data(), rule=st.sampled_from(["R1", "R2", "R3"]))
def test_falling_silent_for_good_never_betters_a_balance(data: st.DataObject, rule: str) -> None:
    """By the highest draw of the clock time in the days before, as long as the silent hours drew
    no more than that: what the rule can promise without a substitute reading."""
    count = 6
    energies = energy(data, count * 24)
    for roles in energies.values():
        drawn = roles["I"]
        highest = [max(drawn[hour : (count - 1) * 24 : 24]) for hour in range(24)]
        drawn[-24:] = [min(wh, most) for wh, most in zip(drawn[-24:], highest, strict=True)]
    about = homes.district(rule=rule, window_days=1, coverage_window_ppm=0, coverage_month_ppm=0)
    registers, factors = registers_of(energies), table(data)
    silent = silence(data, registers, late=True)
    assert_no_better(
        balances(silent, about, factors, count), balances(registers, about, factors, count), about
    )


def test_without_bounds_silence_would_pay() -> None:
    """The property is not empty: dropping the two midnight registers around a heavy evening moves
    its draw into the next day, and only the edge bound holds the day's balance down."""
    hours = [0] * 23 + [9_000] + [0] * 24
    energies = {name: {"I": hours, "E": [0] * 48, "G": [0] * 48} for name in PLANS}
    registers = registers_of(energies)
    true = balances(registers, homes.district(), homes.factors(), 2)[1]
    for name in PLANS:
        del registers[f"{name}.GCP.d"][START + 86_400]
    quiet = balances(registers, homes.district(), homes.factors(), 2)[1]
    assert quiet["additive"]["I"] < true["additive"]["I"]
    worst = verdict.worst_balances(quiet)["electric_wh"]
    assert worst <= verdict.worst_balances(true)["electric_wh"]
