# SPDX-License-Identifier: Apache-2.0
"""What a plan is made from, and what it is: slots of one length, energies in whole Wh.

A battery, a vehicle and a heat pump with its tank are one thing here, a store: it takes in, some
give back, something drains it, sometimes it must hold at least so much, sometimes it is away.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

PPM = 1_000_000
SLOTS_MAX = 10_000
STORES_MAX = 16


@dataclass(frozen=True, slots=True)
class Store:
    """Powers in W at the home's side; `efficiency_ppm` of each way; by slot: `drain_wh` (driving,
    heat, as electricity), `least_wh` it must hold at the slot's end, whether it is `connected`."""

    name: str
    capacity_wh: int
    level_wh: int
    in_w: int
    out_w: int
    efficiency_ppm: int
    drain_wh: Sequence[int]
    least_wh: Sequence[int]
    connected: Sequence[bool]


@dataclass(frozen=True, slots=True)
class Problem:
    """The coming slots. `buy` and `sell` in ucur/kWh, `carbon` in ug CO2 per Wh, weighed with
    `carbon_price` ucur/kg. `ceiling_w` and `floor_w` are what an order allows at the grid
    connection (None: no order), at `order_price` ucur/kWh for what is missed."""

    start: int
    step_s: int
    load_wh: Sequence[int]
    sun_wh: Sequence[int]
    buy: Sequence[int]
    sell: Sequence[int]
    carbon: Sequence[int]
    stores: Sequence[Store]
    carbon_price: int = 0
    import_max_w: int = 25_000
    export_max_w: int = 25_000
    ceiling_w: Sequence[int | None] = ()
    floor_w: Sequence[int | None] = ()
    order_price: int = 2_000_000

    @property
    def slots(self) -> int:
        """How many."""
        return len(self.load_wh)

    def wh(self, watts: int) -> int:
        """What a power is in one slot."""
        return watts * self.step_s // 3_600

    def price(self, slot: int) -> int:
        """What a drawn kWh costs with its emissions, ucur/kWh."""
        return self.buy[slot] + self.carbon[slot] * self.carbon_price // PPM

    def ceiling(self, slot: int) -> int | None:
        """The most an order lets the home draw in the slot, Wh."""
        watts = self.ceiling_w[slot] if self.ceiling_w else None
        return None if watts is None else self.wh(watts)

    def floor(self, slot: int) -> int | None:
        """The least an order lets the home draw in the slot, Wh."""
        watts = self.floor_w[slot] if self.floor_w else None
        return None if watts is None else self.wh(watts)


@dataclass(frozen=True, slots=True)
class Plan:
    """By store and slot: Wh taken in (minus: given back); by slot: what is curtailed, and why the
    slot is as it is. `method` is how it was made."""

    method: str
    moves: dict[str, list[int]]
    curtailed_wh: list[int]
    reasons: list[str] = field(default_factory=list)

    def net_wh(self, problem: Problem, slot: int) -> int:
        """Drawn at the grid connection in a slot, Wh; minus: fed in."""
        moved = sum(moves[slot] for moves in self.moves.values())
        return problem.load_wh[slot] - problem.sun_wh[slot] + self.curtailed_wh[slot] + moved


def stored(store: Store, level_wh: int, move_wh: int, slot: int) -> int:
    """The level after a slot; not below empty: what is missing is not driven, or not warm."""
    if move_wh >= 0:
        change = move_wh * store.efficiency_ppm // PPM
    else:
        change = -(-move_wh * PPM // store.efficiency_ppm)
    return max(0, level_wh + change - store.drain_wh[slot])


def room(store: Store, problem: Problem, level_wh: int, slot: int) -> int:
    """The most it can take in the slot, Wh."""
    if not store.connected[slot]:
        return 0
    space = store.capacity_wh - level_wh + store.drain_wh[slot]
    return max(0, min(problem.wh(store.in_w), space * PPM // store.efficiency_ppm))


def spare(store: Store, problem: Problem, level_wh: int, slot: int) -> int:
    """The most it can give back in the slot and still hold what it must, Wh."""
    if not store.connected[slot]:
        return 0
    free = level_wh - store.drain_wh[slot] - store.least_wh[slot]
    return max(0, min(problem.wh(store.out_w), free * store.efficiency_ppm // PPM))


def faults(problem: Problem, plan: Plan) -> list[str]:
    """Why a plan cannot be carried out; empty for a feasible one."""
    found = []
    if set(plan.moves) != {store.name for store in problem.stores}:
        return ["stores"]
    lengths = {len(plan.curtailed_wh), *(len(moves) for moves in plan.moves.values())}
    if lengths != {problem.slots}:
        return ["slots"]
    for store in problem.stores:
        level = store.level_wh
        for slot, move in enumerate(plan.moves[store.name]):
            taken = max(0, move) > room(store, problem, level, slot)
            given = max(0, -move) > spare_of(store, problem, level, slot)
            if taken or given:
                found.append(f"{store.name}@{slot}")
            level = stored(store, level, move, slot)
    for slot, curtailed in enumerate(plan.curtailed_wh):
        if not 0 <= curtailed <= problem.sun_wh[slot]:
            found.append(f"sun@{slot}")
        if -plan.net_wh(problem, slot) > problem.wh(problem.export_max_w):
            found.append(f"export@{slot}")
    return found


def spare_of(store: Store, problem: Problem, level_wh: int, slot: int) -> int:
    """The most it can give back at all, Wh."""
    if not store.connected[slot]:
        return 0
    free = max(0, level_wh - store.drain_wh[slot])
    return min(problem.wh(store.out_w), free * store.efficiency_ppm // PPM)


def figures(problem: Problem, plan: Plan) -> dict[str, int]:
    """What a plan comes to: cost ucur, carbon ug, energies Wh, and what stores lacked."""
    nets = [plan.net_wh(problem, slot) for slot in range(problem.slots)]
    drawn, fed = [max(0, net) for net in nets], [max(0, -net) for net in nets]
    slots = range(problem.slots)
    paid = sum(drawn[i] * problem.buy[i] - fed[i] * problem.sell[i] for i in slots) // 1_000
    return {
        "cost_ucur": paid,
        "carbon_ug": sum(drawn[i] * problem.carbon[i] for i in slots),
        "drawn_wh": sum(drawn),
        "fed_in_wh": sum(fed),
        "sun_wh": sum(problem.sun_wh) - sum(plan.curtailed_wh),
        "missing_wh": sum(_missing(store, plan.moves[store.name]) for store in problem.stores),
    }


def _missing(store: Store, moves: Sequence[int]) -> int:
    level, missing = store.level_wh, 0
    for slot, move in enumerate(moves):
        after = stored(store, level + store.drain_wh[slot], move, slot)
        missing += max(0, store.drain_wh[slot] + store.least_wh[slot] - after)
        level = max(0, after - store.drain_wh[slot])
    return missing


def from_json(values: dict[str, Any]) -> Problem:
    """A problem as `dataclasses.asdict` wrote it."""
    return Problem(**{**values, "stores": [Store(**one) for one in values["stores"]]})
