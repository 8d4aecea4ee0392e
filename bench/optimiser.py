# SPDX-License-Identifier: Apache-2.0
"""A year of the demo's homes with sun, battery, heat pump and vehicle, planned four ways.

Homes of DistrictA by the hour; a tariff of day and night, less for what is fed in. `none`: stores
take what they are drained of, the battery rests. `greedy`: the simple rule, which sees no future.
`plan`: every three hours the linear program for 48 hours, from forecasts of the days before; what
is planned meets what really came. `foresight`: one program over the year with everything known,
which no agent can beat. The first four weeks are history only. Beside them, how long a plan for 48
hours at quarter-hours takes from the question to the answer, process and all.
"""

import asyncio
import time
from dataclasses import replace

from emsagent.planner import forecast, greedy, linear, planning, tracking
from emsagent.planner.problem import PPM, Plan, Problem, Store, figures, stored
from pedchain_domain.sim import street
from pedchain_domain.sim.house import EFFICIENCY, TANK_WH, HouseHour, HouseSpec, hours_of
from pedchain_domain.sim.weather import DAY, HOUR, weather

HOMES, DAYS, LEARNT, AHEAD, AGAIN = (18, 26), 365, 28, 48, 3
BUY_DAY, BUY_NIGHT, SELL = 320_000, 220_000, 80_000
CARBON_UG = 300_000
BATTERY_WH, CAR_WH, CHARGER_W, PUMP_W = 8_000, 40_000, 7_000, 3_000
COP = 3
LEAVES, COMES = 7, 18
START = 17_167 * DAY  # 2017-01-01, a Sunday


def measure() -> dict[str, float]:
    sums: dict[str, dict[str, int]] = {}
    for number in HOMES:
        year = of_home(number)
        rest, ways = four_ways(year)
        for name, made in ways.items():
            found = figures(rest, made)
            total = sums.setdefault(name, dict.fromkeys(found, 0))
            for key, value in found.items():
                total[key] += value
    told: dict[str, float] = {"homes": len(HOMES), "days": DAYS - LEARNT}
    for name, total in sums.items():
        used = total["sun_wh"] - total["fed_in_wh"]
        told[f"{name}_cost_per_home"] = round(total["cost_ucur"] / PPM / len(HOMES), 1)
        told[f"{name}_self_consumption_percent"] = round(100 * used / total["sun_wh"], 1)
        told[f"{name}_co2_kg_per_home"] = round(total["carbon_ug"] / 1e9 / len(HOMES), 1)
        told[f"{name}_missing_kwh"] = round(total["missing_wh"] / 1_000, 1)
    return told | asyncio.run(plan_ms())


def of_home(number: int) -> Problem:
    """A home's year as one problem, everything known."""
    spec = HouseSpec(
        seed=number, base_wh=24_000 + 700 * (number % 7), pv_w=10_000,
        heat_loss_w_per_k=60 + 5 * (number % 3), trips_wh=2_500 + 300 * (number % 4),
    )  # fmt: skip
    hours = hours_of(spec, START, weather(street.SEED, START, DAYS * 24))
    by_day = [at % 24 for at in range(len(hours))]
    return Problem(
        START,
        HOUR,
        [one.load - one.heat_pump - one.vehicle for one in hours],
        [one.generation for one in hours],
        [BUY_DAY if 7 <= hour < 22 else BUY_NIGHT for hour in by_day],
        [SELL] * len(hours),
        [CARBON_UG] * len(hours),
        stores(hours, by_day),
    )


def stores(hours: list[HouseHour], by_day: list[int]) -> list[Store]:
    """Battery, vehicle (which feeds back) and the heat pump's tank, in electricity."""
    none, one_way = [0] * len(hours), round(EFFICIENCY * PPM)
    driven = [0] * len(hours)
    for at, hour in enumerate(hours):
        driven[at - at % 24 + COMES - 1] += hour.vehicle
    home = [not LEAVES <= hour < COMES for hour in by_day]
    full = [CAR_WH // 2 if hour == LEAVES - 1 else 0 for hour in by_day]
    heat = [one.heat // COP for one in hours]
    always = [True] * len(hours)
    return [
        Store("battery", BATTERY_WH, BATTERY_WH // 2, 3_000, 3_000, one_way, none, none, always),
        Store("car", CAR_WH, CAR_WH // 2, CHARGER_W, CHARGER_W, one_way, driven, full, home),
        Store("pump", TANK_WH // COP, TANK_WH // COP // 2, PUMP_W, 0, PPM, heat, none, always),
    ]


def four_ways(year: Problem) -> tuple[Problem, dict[str, Plan]]:
    """The year after its first weeks, and four plans of it."""
    rest = cut(year, LEARNT * 24, year.slots)
    best = linear.plan(rest, 600.0)
    assert best is not None
    ways = {"none": greedy.unmanaged(rest), "greedy": greedy.plan(rest)}
    return rest, ways | {"plan": rolling(year, LEARNT * 24), "foresight": best}


def cut(year: Problem, first: int, last: int, levels: dict[str, int] | None = None) -> Problem:
    """Some hours of the year, beginning with these levels."""
    held = levels or {}
    stores = [
        replace(
            one,
            level_wh=held.get(one.name, one.level_wh),
            drain_wh=one.drain_wh[first:last],
            least_wh=one.least_wh[first:last],
            connected=one.connected[first:last],
        )
        for one in year.stores
    ]
    series = ("load_wh", "sun_wh", "buy", "sell", "carbon")
    parts = {name: getattr(year, name)[first:last] for name in series}
    return replace(year, start=year.start + first * HOUR, stores=stores, **parts)


def rolling(year: Problem, first: int) -> Plan:
    """Plan from forecasts, live three hours with what really comes, plan again."""
    loads = {year.start + at * HOUR: wh for at, wh in enumerate(year.load_wh)}
    suns = {year.start + at * HOUR: wh for at, wh in enumerate(year.sun_wh)}
    levels = {one.name: one.level_wh for one in year.stores}
    made = Plan("plan", {one.name: [] for one in year.stores}, [])
    for at in range(first, year.slots, AGAIN):
        asked = cut(year, at, min(at + AHEAD, year.slots), levels)
        now, weeks = asked.start, range(asked.start - 28 * DAY, asked.start, HOUR)
        asked = replace(
            asked,
            load_wh=forecast.use({one: loads[one] for one in weeks}, now, HOUR, asked.slots),
            sun_wh=forecast.sun({one: suns[one] for one in weeks}, now, HOUR, asked.slots),
        )
        planned = linear.plan(asked, 10.0) or greedy.plan(asked)
        for slot in range(min(AGAIN, asked.slots)):
            live(year, made, (asked, planned), levels, at + slot, slot)
    return made


def live(
    year: Problem,
    made: Plan,
    planned: tuple[Problem, Plan],
    levels: dict[str, int],
    at: int,
    slot: int,
) -> None:
    """One hour as it comes: stores do what was planned, and make up for what was not foreseen."""
    moves, curtailed = tracking.carried_out(year, at, levels, *planned, slot)
    made.curtailed_wh.append(curtailed)
    for store in year.stores:
        made.moves[store.name].append(moves[store.name])
        levels[store.name] = stored(store, levels[store.name], moves[store.name], at)


async def plan_ms() -> dict[str, float]:
    """From a problem of 192 quarter-hours to its plan, process and all; the middle of nine."""
    hours = cut(of_home(HOMES[0]), 90 * 24, 90 * 24 + AHEAD)
    fine = quarters(hours)
    took = []
    for _ in range(9):
        began = time.perf_counter()
        made = await planning.plan(fine)
        took.append(1_000 * (time.perf_counter() - began))
        assert made.method == linear.METHOD
    return {"plan_48h_quarters_ms": round(sorted(took)[4]), "plan_slowest_ms": round(max(took))}


def quarters(hours: Problem) -> Problem:
    """The same at quarter-hours."""

    def parts(values: list[int]) -> list[int]:
        return [value // 4 for value in values for _ in range(4)]

    def same(values: list[int]) -> list[int]:
        return [value for value in values for _ in range(4)]

    stores = [
        replace(
            one,
            drain_wh=parts(list(one.drain_wh)),
            least_wh=same(list(one.least_wh)),
            connected=same(list(one.connected)),
        )
        for one in hours.stores
    ]
    prices = {name: same(getattr(hours, name)) for name in ("buy", "sell", "carbon")}
    loads = {name: parts(getattr(hours, name)) for name in ("load_wh", "sun_wh")}
    return replace(hours, step_s=900, stores=stores, **prices, **loads)
