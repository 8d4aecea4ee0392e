# SPDX-License-Identifier: Apache-2.0
"""The reason of each slot of a plan, for the log and for whoever asks."""

from emsagent.planner.problem import Plan, Problem

REASONS = {
    "order": "an order asks for it",
    "curtail": "the sun gives more than may be fed in, or feeding in would cost",
    "store-surplus": "the sun gives more than is used: it is kept",
    "take-cheap": "drawing costs less now than later, or it is needed before the next chance",
    "cover-load": "what was kept covers what is used",
    "sell-dear": "feeding in pays more now than using it later",
    "idle": "nothing to gain",
}


def reasons(problem: Problem, plan: Plan) -> list[str]:
    """A slug of `REASONS` for each slot."""
    return [_reason(problem, plan, slot) for slot in range(problem.slots)]


def _reason(problem: Problem, plan: Plan, slot: int) -> str:
    moved = sum(moves[slot] for moves in plan.moves.values())
    if problem.ceiling(slot) is not None or problem.floor(slot) is not None:
        return "order"
    if plan.curtailed_wh[slot]:
        return "curtail"
    if moved > 0:
        return "store-surplus" if plan.net_wh(problem, slot) <= 0 else "take-cheap"
    if moved < 0:
        return "cover-load" if plan.net_wh(problem, slot) >= 0 else "sell-dear"
    return "idle"
