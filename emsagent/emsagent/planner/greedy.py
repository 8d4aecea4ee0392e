# SPDX-License-Identifier: Apache-2.0
"""The rule that always gives a feasible plan: what must be, then the sun, then the load.

Slot by slot: stores take what they will be drained of before they can take again; what the sun
leaves over goes into stores in their order, a deficit comes out of them; an order moves them
further; what still may not be fed in is curtailed.
"""

from emsagent.planner.problem import PPM, Plan, Problem, Store, room, spare, stored

METHOD = "greedy"


def plan(problem: Problem) -> Plan:
    """A feasible plan."""
    levels = {store.name: store.level_wh for store in problem.stores}
    moves: dict[str, list[int]] = {store.name: [] for store in problem.stores}
    curtailed: list[int] = []
    for slot in range(problem.slots):
        now = _moves(problem, levels, slot)
        net = problem.load_wh[slot] - problem.sun_wh[slot] + sum(now.values())
        allowed = 0 if problem.sell[slot] < 0 else problem.wh(problem.export_max_w)
        curtailed.append(min(problem.sun_wh[slot], max(0, -net - allowed)))
        for store in problem.stores:
            move = now[store.name]
            moves[store.name].append(move)
            levels[store.name] = stored(store, levels[store.name], move, slot)
    return Plan(METHOD, moves, curtailed)


def unmanaged(problem: Problem) -> Plan:
    """What happens without control: stores take what they are drained of and nothing else."""
    levels = {store.name: store.level_wh for store in problem.stores}
    moves: dict[str, list[int]] = {store.name: [] for store in problem.stores}
    for slot in range(problem.slots):
        for store in problem.stores:
            level = levels[store.name]
            move = min(room(store, problem, level, slot), _due(store, level, slot))
            moves[store.name].append(move)
            levels[store.name] = stored(store, level, move, slot)
    return Plan("unmanaged", moves, [0] * problem.slots)


def _moves(problem: Problem, levels: dict[str, int], slot: int) -> dict[str, int]:
    now = {
        store.name: min(
            room(store, problem, levels[store.name], slot), _due(store, levels[store.name], slot)
        )
        for store in problem.stores
    }
    net = problem.load_wh[slot] - problem.sun_wh[slot] + sum(now.values())
    ceiling, floor = problem.ceiling(slot), problem.floor(slot)
    goal = 0
    if ceiling is not None:
        goal = min(goal, ceiling)
    if floor is not None:
        goal = max(goal, floor)
    for store in problem.stores:
        level, taken = levels[store.name], now[store.name]
        if net < goal:
            more = min(goal - net, room(store, problem, level, slot) - taken)
        else:
            more = -min(net - goal, spare(store, problem, level, slot)) if taken == 0 else 0
        now[store.name] += more
        net += more
    return now


def _due(store: Store, level_wh: int, slot: int) -> int:
    """What it must take from now on, before it is away: as soon as it can. Wh at its meter."""
    need, drained = 0, 0
    was_away = False
    for at in range(slot, len(store.drain_wh)):
        if was_away and store.connected[at]:
            break
        drained += store.drain_wh[at]
        need = max(need, drained + store.least_wh[at])
        was_away = was_away or not store.connected[at]
        if at == slot and all(store.connected[slot:]):
            break
    return max(0, -(-(need - level_wh) * PPM // store.efficiency_ppm))
