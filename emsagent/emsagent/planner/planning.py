# SPDX-License-Identifier: Apache-2.0
"""A plan in time, whatever happens: the linear program's if it comes and holds, else the greedy
rule's. The program runs in a process of its own that ends, so that its memory is not the agent's.
"""

import asyncio
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

from emsagent import limits, logs
from emsagent.errors import ConfigError
from emsagent.planner import greedy
from emsagent.planner.problem import (
    SLOTS_MAX,
    STORES_MAX,
    Plan,
    Problem,
    faults,
    figures,
    from_json,
    stored,
)
from emsagent.planner.why import reasons

START_S = 5.0
"""What a process may need to begin, on a small machine."""


async def plan(problem: Problem, limit_s: float = 1.0) -> Plan:
    """A feasible plan, with the reason of each slot. Never raises for what the solver does."""
    found = None
    if problem.slots <= SLOTS_MAX and len(problem.stores) <= STORES_MAX:
        found = await _linear(problem, limit_s)
    if found is not None and faults(problem, found):
        logs.alarm("plan-refused", faults=faults(problem, found)[:5])
        found = None
    fallback = greedy.plan(problem)
    if found is None or _score(problem, fallback) < _score(problem, found):
        found = fallback
    found = replace(found, reasons=reasons(problem, found))
    for slot, reason in enumerate(found.reasons[: limits.REASONS_LOGGED]):
        moved = {name: moves[slot] for name, moves in found.moves.items()}
        at = problem.start + slot * problem.step_s
        logs.event("planned", slot=at, method=found.method, reason=reason, moves_wh=moved)
    return found


async def report(path: Path) -> dict[str, object]:
    """The plan of a problem in a file, and what it comes to beside doing nothing; with an order,
    also what keeping it costs: what it must pay at least to be worth it. Raises `ConfigError`."""
    try:
        with path.open("rb") as file:
            asked = from_json(json.loads(file.read(limits.PROBLEM_BYTES_MAX)))
        made = await plan(asked)
    except OSError as error:
        raise ConfigError("", f"{path}: {error.strerror}") from error
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise ConfigError("", f"{path} is no problem: {error}") from error
    told: dict[str, object] = {
        "plan": asdict(made),
        "figures": figures(asked, made),
        "unmanaged": figures(asked, greedy.unmanaged(asked)),
    }
    if asked.ceiling_w or asked.floor_w:
        free = replace(asked, ceiling_w=(), floor_w=())
        without = figures(free, await plan(free))
        told["order_costs_ucur"] = figures(asked, made)["cost_ucur"] - without["cost_ucur"]
    return told


def _score(problem: Problem, made: Plan) -> float:
    """Cost, emissions, what stores lack and what orders miss, as the linear program weighs them."""
    found = figures(problem, made)
    weighed = found["carbon_ug"] * problem.carbon_price // 1_000_000_000
    missed = 0
    for slot in range(problem.slots):
        net, ceiling, floor = made.net_wh(problem, slot), problem.ceiling(slot), problem.floor(slot)
        missed += max(0, net - ceiling) if ceiling is not None else 0
        missed += max(0, floor - net) if floor is not None else 0
    kept = sum(_held(problem, made).values()) * min(problem.buy) // 1_000
    dear = found["missing_wh"] * 10_000 + missed * problem.order_price // 1_000
    return found["cost_ucur"] + weighed + dear - kept


def _held(problem: Problem, made: Plan) -> dict[str, int]:
    levels = {store.name: store.level_wh for store in problem.stores}
    for store in problem.stores:
        for slot, move in enumerate(made.moves[store.name]):
            levels[store.name] = stored(store, levels[store.name], move, slot)
    return levels


async def _linear(problem: Problem, limit_s: float) -> Plan | None:
    asked = json.dumps({"problem": asdict(problem), "limit_s": limit_s}).encode()
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "emsagent.planner",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        logs.event("not-planned", why=str(error.strerror))
        return None
    try:
        async with asyncio.timeout(limit_s + START_S):
            told, _ = await process.communicate(asked)
        if process.returncode != 0:
            logs.event("not-planned", why=f"the planner ended with {process.returncode}")
            return None
        return Plan(**json.loads(told))
    except (TimeoutError, ValueError, TypeError) as error:
        logs.event("not-planned", why=type(error).__name__)
        return None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
