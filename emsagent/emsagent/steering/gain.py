# SPDX-License-Identifier: Apache-2.0
"""What an order would bring a home, before it agrees to anything: two plans, with it and without.

Reads the plan in force of a running agent. What is paid is what a user has of an order: 80 % of the
price of what is delivered (rules D10). The plan that keeps the order says how much that is.
"""

import json
from dataclasses import dataclass, replace

from emsagent import limits
from emsagent.config import Config
from emsagent.errors import ConfigError, PlanUnreadable
from emsagent.planner import planning
from emsagent.planner.problem import Plan, Problem, figures, from_json
from emsagent.steering.places import plan_path

USERS_PPM = 800_000
PPM = 1_000_000


@dataclass(frozen=True, slots=True)
class Offer:
    """What an order would ask: W against what is drawn without it (minus: less), ucur/kWh."""

    start: int
    until: int
    watts: int
    price: int


async def gain(config: Config, home: str, offer: Offer) -> dict[str, object]:
    """{would_deliver_wh, of_wh, pays_ucur, costs_ucur, gain_ucur}. Raises `ConfigError` where there
    is no plan yet or it does not reach so far, `PlanUnreadable`."""
    asked = _problem(config, home)
    ends = asked.start + asked.slots * asked.step_s
    if not asked.start <= offer.start < offer.until <= ends:
        raise ConfigError("--start", "is not within the hours that are planned")
    free = replace(asked, ceiling_w=(), floor_w=())
    without = await planning.plan(free)
    bound = _bounded(free, without, offer)
    kept = await planning.plan(bound)
    return told(free, without, bound, kept, offer)


def told(
    free: Problem, without: Plan, bound: Problem, kept: Plan, offer: Offer
) -> dict[str, object]:
    """The two plans side by side."""
    slots = _slots(free, offer)
    asked_wh = abs(free.wh(offer.watts)) * len(slots)
    sign = 1 if offer.watts > 0 else -1
    moved = [sign * (kept.net_wh(bound, at) - without.net_wh(free, at)) for at in slots]
    delivered = sum(max(0, min(one, abs(free.wh(offer.watts)))) for one in moved)
    pays = delivered * offer.price // 1_000 * USERS_PPM // PPM
    costs = figures(free, kept)["cost_ucur"] - figures(free, without)["cost_ucur"]
    return {
        "would_deliver_wh": delivered,
        "of_wh": asked_wh,
        "pays_ucur": pays,
        "costs_ucur": costs,
        "gain_ucur": pays - costs,
    }


def _bounded(free: Problem, without: Plan, offer: Offer) -> Problem:
    """The problem with the order in it, against what the plan without it draws."""
    limits_w: list[int | None] = [None] * free.slots
    for at in _slots(free, offer):
        limits_w[at] = without.net_wh(free, at) * 3_600 // free.step_s + offer.watts
    if offer.watts < 0:
        return replace(free, ceiling_w=limits_w)
    return replace(free, floor_w=limits_w)


def _slots(asked: Problem, offer: Offer) -> list[int]:
    at = [asked.start + slot * asked.step_s for slot in range(asked.slots)]
    return [slot for slot, one in enumerate(at) if offer.start <= one < offer.until]


def _problem(config: Config, home: str) -> Problem:
    path = plan_path(config, home)
    try:
        with path.open("rb") as file:
            return from_json(json.loads(file.read(limits.PROBLEM_BYTES_MAX))["problem"])
    except FileNotFoundError as error:
        raise ConfigError("--home", f"{home} has no plan yet") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PlanUnreadable(f"{path} cannot be read") from error
