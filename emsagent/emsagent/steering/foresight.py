# SPDX-License-Identifier: Apache-2.0
"""The problem of a home's coming hours: from wishes, what was measured, orders and the signal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emsagent.planner import forecast
from emsagent.planner.problem import PPM, Problem, Store
from emsagent.steering.past import Past, load, sun
from emsagent.steering.wishes import STEP_S, StoreWish, Wish

AHEAD_S = 48 * 3_600
LEAST_SLOTS = 4
"""So many quarter-hours must have been measured before anything is planned."""
Signal = Mapping[int, int]
"""Share of spare energy in the district, ppm, by the hour's begin."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an order asks from `start` to `until`: W against what would be drawn."""

    start: int
    until: int
    watts: int


def is_known(past: Past, wish: Wish) -> bool:
    """Whether enough was measured to plan from."""
    return len(load(past, wish)) >= LEAST_SLOTS


def problem(
    wish: Wish,
    past: Past,
    levels: Mapping[str, int],
    now: int,
    orders: Sequence[Asked] = (),
    signal: Signal | None = None,
) -> Problem:
    """The next 48 hours by quarter-hours. `levels` are Wh by device; a store nobody knows the level
    of is left out."""
    start = now - now % STEP_S
    slots = AHEAD_S // STEP_S
    loads = forecast.use(load(past, wish), start, STEP_S, slots)
    suns = forecast.sun(sun(past, wish), start, STEP_S, slots)
    at = [start + slot * STEP_S for slot in range(slots)]
    shadow = [_shadow(wish, instant, signal or {}) for instant in at]
    net_w = [(used - made) * 3_600 // STEP_S for used, made in zip(loads, suns, strict=True)]
    ceilings = [
        _limit(orders, instant, watts, -1) for instant, watts in zip(at, net_w, strict=True)
    ]
    floors = [_limit(orders, instant, watts, 1) for instant, watts in zip(at, net_w, strict=True)]
    return Problem(
        start=start,
        step_s=STEP_S,
        load_wh=loads,
        sun_wh=suns,
        buy=[wish.buy[_hour(one)] - less for one, less in zip(at, shadow, strict=True)],
        sell=[wish.sell[_hour(one)] - less for one, less in zip(at, shadow, strict=True)],
        carbon=[wish.carbon_ug_per_wh] * slots,
        stores=[_store(one, levels[one.device], at) for one in wish.stores if one.device in levels],
        carbon_price=wish.carbon_price,
        import_max_w=wish.import_max_w,
        export_max_w=wish.export_max_w,
        ceiling_w=ceilings,
        floor_w=floors,
    )


def _shadow(wish: Wish, instant: int, signal: Signal) -> int:
    """What energy is worth less at an instant, because the district has it to spare, ucur/kWh:
    drawing costs less then, and feeding in brings less."""
    return wish.local_value * signal.get(instant - instant % 3_600, 0) // PPM


def _limit(orders: Sequence[Asked], instant: int, net_w: int, way: int) -> int | None:
    for one in orders:
        if one.start <= instant < one.until and one.watts * way > 0:
            return net_w + one.watts
    return None


def _store(wish: StoreWish, level_wh: int, at: Sequence[int]) -> Store:
    away = [wish.is_away(instant) for instant in at]
    last = len(at) - 1
    drain, least = [], []
    for slot, instant in enumerate(at):
        comes = away[slot] and slot < last and not away[slot + 1]
        leaves = not away[slot] and slot < last and away[slot + 1]
        if wish.away_from_hour != wish.away_to_hour:
            drain.append(wish.used_wh if comes else 0)
        else:
            passed = instant % 86_400 // STEP_S
            a_day = 86_400 // STEP_S
            drain.append(wish.used_wh * (passed + 1) // a_day - wish.used_wh * passed // a_day)
        least.append(0 if away[slot] else max(wish.reserve_wh, wish.ready_wh if leaves else 0))
    return Store(
        wish.device,
        wish.capacity_wh,
        min(level_wh, wish.capacity_wh),
        wish.in_w,
        wish.out_w,
        wish.efficiency_ppm,
        drain,
        least,
        [not one for one in away],
    )


def _hour(instant: int) -> int:
    return instant // 3_600 % 24
