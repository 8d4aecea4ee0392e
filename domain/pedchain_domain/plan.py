# SPDX-License-Identifier: Apache-2.0
"""Meter plans: from a site's registers to its balance (rules M3, M4, M5).

Per interval, exactly: I + G + D = C + E + Ch + residual. Consumption is derived, so errors of
clocks and meters show in it: a small negative one is clamped to 0 and kept as residual (<= 0); a
large one makes the interval of the site invalid, because something in it must be wrong.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pedchain_domain.intervals import MEASURED, MISSING, SUBSTITUTE, Series

FLOWS = ("I", "E", "G", "C", "Ch", "D")
# What a plan's balance needs: (kind of point, role), and whether a site may lack it. Sub-meters
# (EVSE, HP, heat) are detail and stand in no plan.
NEEDS: dict[str, tuple[tuple[str, str], ...]] = {
    "P0": (("GCP", "I"),),
    "P1": (("GCP", "I"), ("GCP", "E"), ("GEN", "G")),
    "P2": (("GCP", "I"), ("GCP", "E")),
    "P3": (("GCP", "I"), ("GCP", "E"), ("GEN", "G"), ("STO", "Ch"), ("STO", "D")),
    "P4": (("GCP", "I"), ("GCP", "E"), ("HYB", "in"), ("HYB", "out")),
    "P5": (("GCP", "I"), ("GCP", "E")),
    "P6": (("GCP", "I"), ("GCP", "E")),
    "F0": (),
}
# A site that only holds the boundary's own meters: no home, in no sum.
BOUNDARY = "F0"
_MAYBE: dict[str, tuple[tuple[str, str], ...]] = {"P0": (("GCP", "E"),), "P6": (("GEN", "G"),)}
_TOLERANCE_WH, _TOLERANCE_SHARE = 5, 100
_GOOD = frozenset((MEASURED, SUBSTITUTE))

# (kind, role) -> series, one per point
Registers = Mapping[tuple[str, str], Sequence[Series]]


class Balance(NamedTuple):
    """A site's day: flows per interval in Wh, the residual, the class letters of each register the
    plan needs (the import's first), and the intervals found invalid."""

    flows: dict[str, list[int]]
    residual: list[int]
    classes: list[str]
    invalid: list[int]


def balance(plan: str, registers: Registers, count: int) -> Balance:
    """Flows of a site by its plan. What is missing counts 0 and keeps its class X.

    `registers` holds, for each (kind, role) of the site's points, a series per point; a needed
    one that is absent is missing altogether.
    """
    needed = _needed(plan, registers, count)
    raw = {key: _sum([one.values for one in group], count) for key, group in needed.items()}
    classes = [one.classes for group in needed.values() for one in group]
    flows = _flows(plan, raw, count)
    consumption = [
        i + g + d - e - ch
        for i, g, d, e, ch in zip(
            flows["I"], flows["G"], flows["D"], flows["E"], flows["Ch"], strict=True
        )
    ]
    flows["C"] = consumption
    if min(consumption) >= 0:
        return Balance(flows, [0] * count, classes, [])
    return _clamped(flows, classes, count)


def _needed(plan: str, registers: Registers, count: int) -> dict[tuple[str, str], list[Series]]:
    nothing = Series([0] * count, MISSING * count, [], [])
    needed = {key: list(registers.get(key, ())) or [nothing] for key in NEEDS[plan]}
    for key in _MAYBE.get(plan, ()):
        if key in registers:
            needed[key] = list(registers[key])
    return needed


def _flows(plan: str, raw: Mapping[tuple[str, str], list[int]], count: int) -> dict[str, list[int]]:
    zero = [0] * count
    flows = {
        "I": raw[("GCP", "I")],
        "E": raw.get(("GCP", "E"), zero),
        "G": raw.get(("GEN", "G"), zero),
        "Ch": raw.get(("STO", "Ch"), zero),
        "D": raw.get(("STO", "D"), zero),
    }
    if plan == "P2":
        # A plant with its own connection: what it feeds in is what it generates.
        flows["G"] = flows["E"]
    elif plan == "P4":
        pairs = zip(raw[("HYB", "out")], raw[("HYB", "in")], strict=True)
        flows["G"] = [out - into for out, into in pairs]
    return flows


def _clamped(flows: dict[str, list[int]], classes: list[str], count: int) -> Balance:
    flows = {name: list(values) for name, values in flows.items()}
    residual, invalid = [0] * count, []
    for at in range(count):
        short = flows["C"][at]
        if short >= 0:
            continue
        tolerance = _TOLERANCE_WH * len(classes) + max(0, flows["G"][at]) // _TOLERANCE_SHARE
        if short < -tolerance and all(letters[at] in _GOOD for letters in classes):
            invalid.append(at)
            for values in flows.values():
                values[at] = 0
        else:
            residual[at], flows["C"][at] = short, 0
    for at in invalid:
        classes = [letters[:at] + MISSING + letters[at + 1 :] for letters in classes]
    return Balance(flows, residual, classes, invalid)


def common_part(building: Sequence[int], units: Sequence[Sequence[int]]) -> list[int]:
    """What a building uses beside its metered units, per interval (plan P6); it may be negative
    by the meters' tolerance and is detail only."""
    return [whole - sum(unit[at] for unit in units) for at, whole in enumerate(building)]


def _sum(columns: Sequence[Sequence[int]], count: int) -> list[int]:
    if len(columns) == 1:
        return list(columns[0])
    return [sum(column[at] for column in columns) for at in range(count)]
