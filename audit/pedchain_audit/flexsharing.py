# SPDX-License-Identifier: Apache-2.0
"""Step 10, shared days: what the aggregator reads of a site is what its registers measured, as the
audit's own closing has them (rules D1, Y)."""

from typing import Any

from pedchain_audit.days import Days
from pedchain_audit.flexchoice import same
from pedchain_domain.calendar import tolerance

Document = dict[str, Any]
SIGNS = {"GCP I": 1, "GCP E": -1, "GEN G": 1, "HYB out": 1, "HYB in": -1}
NEEDED = {  # by meter plan: what F cannot do without
    "P0": ("GCP I",),
    "P1": ("GCP I", "GCP E", "GEN G"),
    "P2": ("GCP I",),
    "P3": ("GCP I", "GCP E", "GEN G"),
    "P4": ("GCP I", "GCP E", "HYB out", "HYB in"),
    "P6": ("GCP I", "GCP E"),
}
NEVER = 1 << 53


def redo(days: Days, roster: Document, shared: Document) -> int:
    """Compares a shared day of a cell; how many sites. Raises `FlexibilityError`, and KeyError
    where the audit has not closed that day."""
    row, cell = shared["day"], roster["shard"]
    run, closed = days.newest[cell, row["day"]]
    same(run, shared["run"], "the run of a shared day")
    count = (row["end"] - row["start"]) // shared["grain"]
    filed = _filed(days, roster, cell, row, shared["grain"])
    for site, figure in shared["sites"].items():
        made = _figure(site, roster, closed, count, filed)
        same(made, figure, f"what is shared of {site} on {row['day']}")
    return len(shared["sites"])


def _figure(
    site: str, roster: Document, closed: Document, count: int, filed: dict[str, list[int]]
) -> Document:
    columns: dict[str, list[Any]] = {}
    power, last = 0, [0] * count
    for point, about in roster["points"].items():
        if about["site"] != site or about["kind"] not in ("GCP", "GEN", "HYB"):
            continue
        for role, register in closed["points"].get(point, {}).get("registers", {}).items():
            columns.setdefault(f"{about['kind']} {role}", []).append(register)
        power += about["p_max_w"] * (about["kind"] == "GEN")
        ends = filed.get(point, [NEVER] * (count + 1))
        last = [max(last[at], ends[at], ends[at + 1]) for at in range(count)]
    plan = roster["sites"][site]["plan"]
    wanted = [name for name in SIGNS if name in NEEDED[plan] or name in columns]
    wanted = ["GCP I"] if plan == "P2" else wanted
    nothing = [([0] * count, "X" * count)]
    used = [(SIGNS[name], *one) for name in wanted for one in columns.get(name, nothing)]
    made = [values for values, _ in columns.get("GEN G", [])]
    return {
        "f": [sum(sign * values[at] for sign, values, _ in used) for at in range(count)],
        "c": "".join(_worst({classes[at] for _, _, classes in used}) for at in range(count)),
        "g": [sum(values[at] for values in made) for at in range(count)] if made else [],
        "gw": power,
        "p": _runs(last),
    }


def _worst(classes: set[str]) -> str:
    if classes == {"M"}:
        return "M"
    return "G" if classes <= {"M", "G"} else "X"


def _runs(periods: list[int]) -> list[list[int]]:
    found: list[list[int]] = []
    for period in periods:
        if not found or found[-1][0] != period:
            found.append([period, 0])
        found[-1][1] += 1
    return found


def _filed(
    days: Days, roster: Document, cell: int, row: Document, grain: int
) -> dict[str, list[int]]:
    """By point, the first period in which each boundary of the day was filed."""
    count, near = (row["end"] - row["start"]) // grain, tolerance(grain)
    found: dict[str, list[int]] = {}
    for period, fold in sorted(days.filing.folds.get((cell, row["day"]), []), key=lambda f: f[0]):
        for device, columns in fold["series"].items():
            if device not in roster["devices"]:
                continue
            point = roster["devices"][device]["point"]
            ends = found.setdefault(point, [NEVER] * (count + 1))
            for instant in columns["t"]:
                at = (instant - row["start"] + near) // grain
                is_near = abs(instant - row["start"] - at * grain) <= near
                if is_near and 0 <= at <= count:
                    ends[at] = min(ends[at], period)
    return found
