# SPDX-License-Identifier: Apache-2.0
"""Carrying a plan out when load and sun are not what was foreseen.

What is drawn stays as planned as far as stores can make up for the difference: more sun than
foreseen is kept, more load is covered, but not with what a store is drained of. Nothing is drawn
to fill a store that was to be filled by sun which did not come, and nothing that was to cover a
load which is not there is fed in.
"""

from collections.abc import Mapping

from emsagent.planner.problem import Plan, Problem, room, spare, spare_of


def carried_out(
    real: Problem,
    at: int,
    levels: Mapping[str, int],
    foreseen: Problem,
    plan: Plan,
    slot: int,
) -> tuple[dict[str, int], int]:
    """Wh that each store moves in slot `at` of what really is, which is `slot` of the plan; and Wh
    to curtail."""
    moves = {}
    for store in real.stores:
        level, wanted = levels[store.name], plan.moves[store.name][slot]
        low, high = -spare_of(store, real, level, at), room(store, real, level, at)
        moves[store.name] = max(low, min(high, wanted))
    goal = plan.net_wh(foreseen, slot)
    net = real.load_wh[at] - real.sun_wh[at] + sum(moves.values())
    for store in real.stores:
        level, move = levels[store.name], moves[store.name]
        if net < goal:
            more = min(goal - net, room(store, real, level, at) - move)
        elif any(store.drain_wh):
            more = 0  # what it takes is needed elsewhere: a warm house, a car that leaves
        else:
            more = min(0, -min(net - goal, spare(store, real, level, at) + move))
        moves[store.name] += more
        net += more
    over = -net - real.wh(real.export_max_w)
    return moves, max(0, min(real.sun_wh[at], over))
