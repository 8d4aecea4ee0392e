# SPDX-License-Identifier: Apache-2.0
"""Plans: always feasible, never worse than the greedy rule's, within the owner's needs."""

import asyncio
import random
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emsagent.planner import forecast, greedy, linear, planning, tracking
from emsagent.planner.problem import Plan, Problem, Store, faults, figures
from emsagent.planner.why import REASONS, reasons

QUARTER, SLOTS = 900, 192
NOON = 1_774_742_400


def store(name: str = "battery", slots: int = SLOTS, **changes: Any) -> Store:
    values: dict[str, Any] = {
        "capacity_wh": 8_000, "level_wh": 2_000, "in_w": 3_000, "out_w": 3_000,
        "efficiency_ppm": 950_000, "drain_wh": [0] * slots, "least_wh": [0] * slots,
        "connected": [True] * slots,
    }  # fmt: skip
    return Store(name, **{**values, **changes})


def problem(slots: int = SLOTS, stores: tuple[Store, ...] = (), **changes: Any) -> Problem:
    day = [slot % 96 for slot in range(slots)]
    values: dict[str, Any] = {
        "load_wh": [150 if 28 <= one < 88 else 60 for one in day],
        "sun_wh": [max(0, 700 - abs(one - 48) * 40) for one in day],
        "buy": [300_000 if 28 <= one < 88 else 200_000 for one in day],
        "sell": [80_000] * slots,
        "carbon": [300_000] * slots,
    }
    return Problem(NOON, QUARTER, **{**values, **changes}, stores=stores)


def home() -> Problem:
    """48 hours at quarter-hours: battery, vehicle that feeds back, heat pump."""
    away = [8 <= slot % 96 // 4 < 17 for slot in range(SLOTS)]
    leaves = [slot % 96 == 31 for slot in range(SLOTS)]
    car = store(
        "car", capacity_wh=50_000, level_wh=15_000, in_w=7_000, out_w=7_000,
        connected=[not one for one in away],
        least_wh=[25_000 if one else 0 for one in leaves],
        drain_wh=[9_000 if slot % 96 == 40 else 0 for slot in range(SLOTS)],
    )  # fmt: skip
    pump = store("pump", capacity_wh=3_000, level_wh=1_500, out_w=0, efficiency_ppm=1_000_000,
                 drain_wh=[150] * SLOTS)  # fmt: skip
    return problem(stores=(store(), car, pump))


async def test_a_whole_home_is_planned_for_two_days_at_quarter_hours() -> None:
    asked = home()
    found = await planning.plan(asked, limit_s=30)
    assert found.method == linear.METHOD
    assert faults(asked, found) == []
    best, simple = figures(asked, found), figures(asked, greedy.plan(asked))
    none = figures(asked, greedy.unmanaged(asked))
    assert best["missing_wh"] <= 10
    assert simple["missing_wh"] == none["missing_wh"] == 0
    assert best["cost_ucur"] < simple["cost_ucur"] < none["cost_ucur"]
    assert set(found.reasons) <= set(REASONS)
    assert {"store-surplus", "cover-load", "take-cheap"} <= set(found.reasons)


@pytest.mark.parametrize("how", ["dies", "hangs", "lies", "babbles"])
async def test_whatever_the_planner_does_there_is_a_feasible_plan(
    how: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    asked = problem(stores=(store(),))
    lie = Plan("linear", {"battery": [9_999] * SLOTS}, [0] * SLOTS)
    body = {
        "dies": "import sys; sys.exit(1)",
        "hangs": "import time; time.sleep(60)",
        "lies": f"print({__import__('json').dumps(__import__('dataclasses').asdict(lie))!r})",
        "babbles": "print('{]')",
    }[how]
    (tmp_path / "python").write_text(f'#!/bin/sh\nexec {sys.executable} -c "$BODY"\n')
    (tmp_path / "python").chmod(0o755)
    monkeypatch.setenv("BODY", body)
    monkeypatch.setattr(planning.sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(planning, "START_S", 1.0)
    found = await planning.plan(asked, limit_s=0.5)
    assert found.method == greedy.METHOD
    assert faults(asked, found) == []


def random_problem(chance: random.Random, slots: int) -> Problem:
    def numbers(most: int) -> list[int]:
        return [chance.randrange(most) for _ in range(slots)]

    stores = tuple(
        store(
            str(number), slots, capacity_wh=(size := chance.randrange(1, 20_000)),
            level_wh=chance.randrange(size), in_w=chance.randrange(8_000),
            out_w=chance.choice([0, 4_000]), efficiency_ppm=chance.randrange(500_000, 1_000_001),
            drain_wh=numbers(chance.choice([1, 500])), least_wh=numbers(chance.choice([1, size])),
            connected=[chance.random() < 0.8 for _ in range(slots)],
        )
        for number in range(chance.randrange(4))
    )  # fmt: skip
    return Problem(
        NOON, QUARTER, numbers(800), numbers(2_000),
        [chance.randrange(-100_000, 400_000) for _ in range(slots)],
        [chance.randrange(-100_000, 200_000) for _ in range(slots)],
        numbers(500_000), stores, chance.randrange(100_000), 8_000, chance.choice([0, 3_000]),
        [chance.choice([None, 100]) for _ in range(slots)],
        [chance.choice([None, 50]) for _ in range(slots)],
    )  # fmt: skip


@given(st.integers(0, 1_000_000), st.integers(1, 30))
@settings(max_examples=40, deadline=None)
def test_both_ways_of_planning_are_always_feasible(seed: int, slots: int) -> None:
    asked = random_problem(random.Random(seed), slots)
    simple = greedy.plan(asked)
    assert faults(asked, simple) == []
    best = linear.plan(asked, 10.0)
    assert best is not None
    assert faults(asked, best) == []
    assert len(reasons(asked, best)) == slots


def test_what_was_not_foreseen_is_made_up_for() -> None:
    foreseen = problem(1, (store(slots=1),), load_wh=[500], sun_wh=[100])
    plan = Plan("x", {"battery": [-400]}, [0])
    for load, sun, moved in ((500, 100, -400), (700, 100, -600), (500, 300, -200), (100, 900, 750)):
        real = problem(1, (store(slots=1),), load_wh=[load], sun_wh=[sun])
        moves, curtailed = tracking.carried_out(real, 0, {"battery": 2_000}, foreseen, plan, 0)
        assert (moves, curtailed) == ({"battery": moved}, 0)
    real = problem(1, (store(slots=1),), load_wh=[0], sun_wh=[900], export_max_w=0)
    moves, curtailed = tracking.carried_out(real, 0, {"battery": 8_000}, foreseen, plan, 0)
    assert (moves, curtailed) == ({"battery": 0}, 900)


def test_an_order_is_followed_with_what_there_is() -> None:
    lower = [-2_000 if 76 <= slot < 80 else None for slot in range(SLOTS)]
    more = [3_000 if 8 <= slot < 12 else None for slot in range(SLOTS)]
    asked = problem(stores=(store(level_wh=8_000),), ceiling_w=lower, floor_w=more)
    found = linear.plan(asked, 10.0)
    assert found is not None
    assert all(found.net_wh(asked, slot) <= -490 for slot in range(76, 80))
    assert all(found.net_wh(asked, slot) >= 490 for slot in range(8, 12))
    for made in (found, greedy.plan(asked)):
        assert reasons(asked, made)[76] == "order"


def test_what_cannot_be_fed_in_is_curtailed() -> None:
    asked = problem(export_max_w=0)
    for made in (greedy.plan(asked), linear.plan(asked, 10.0)):
        assert made is not None
        assert min(made.net_wh(asked, slot) for slot in range(SLOTS)) == 0
        assert reasons(asked, made)[48] == "curtail"


def test_a_plan_that_breaks_a_store_is_seen() -> None:
    asked = problem(2, (store(slots=2),))
    for moves, curtailed in (([750, 751], [0, 0]), ([-751, 0], [0, 0]), ([0, 0], [0, 1])):
        assert faults(asked, Plan("x", {"battery": moves}, curtailed))
    assert faults(asked, Plan("x", {"battery": [0]}, [0, 0])) == ["slots"]
    assert faults(asked, Plan("x", {}, [0, 0])) == ["stores"]


def test_the_forecast_is_the_mean_of_like_days() -> None:
    day = 86_400
    monday = NOON // day * day + day
    past = {monday - back * day: 100 * back for back in range(1, 29)}
    like = [back for back in range(1, 29) if ((monday // day - back) + 3) % 7 < 5][:4]
    assert (monday // day + 3) % 7 == 0
    assert forecast.use(past, monday, day, 1) == [sum(100 * one for one in like) // 4]
    assert forecast.sun(past, monday, day, 2) == [200, 200]
    assert forecast.use({}, monday, day, 2) == [0, 0]
    assert forecast.quantile(past, monday, monday, 30) == 400
    assert forecast.quantile({}, monday, monday, 30) == 0


def test_the_solver_is_in_no_process_but_its_own() -> None:
    async def run() -> bytes:
        code = (
            "import emsagent.run, emsagent.planner.planning, sys; print('highspy' in sys.modules)"
        )
        made = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=-1)
        return (await made.communicate())[0]

    assert asyncio.run(run()).strip() == b"False"
