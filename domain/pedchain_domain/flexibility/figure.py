# SPDX-License-Identifier: Apache-2.0
"""A site's day as demand response sees it: F by interval, from its registers (rules D1).

    {f: [Wh], c: letters, g: [Wh], gw: W, p: [[period, intervals]]}

`c` has each interval's class: M where all registers F is made of were measured, G where some were
bridged, X where one is missing or is the operator's own substitute: the operator is who pays. `g`
and `gw` are the site's generation and its installed power; `p` says in which filing period the
interval's last register came in, so that what was known at notice can be told.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pedchain_domain.intervals import BRIDGED, MEASURED, MISSING
from pedchain_domain.plan import NEEDS

Document = dict[str, Any]
Register = tuple[Sequence[int], str]
SIGNS = {
    ("GCP", "I"): 1,
    ("GCP", "E"): -1,
    ("GEN", "G"): 1,
    ("HYB", "out"): 1,
    ("HYB", "in"): -1,
}
"""What F is made of; a battery on the AC side needs no register of its own."""


def figure(
    plan: str, registers: Mapping[tuple[str, str], Sequence[Register]], count: int
) -> Document:
    """F, its classes and the generation of a site, by its plan; registers by (kind, role)."""
    wanted = [key for key in SIGNS if key in NEEDS[plan] or key in registers]
    if plan == "P2":  # what such a plant feeds in is what it generates
        wanted = [("GCP", "I")]
    missing: Register = ([0] * count, MISSING * count)
    found = [(SIGNS[key], one) for key in wanted for one in registers.get(key) or [missing]]
    values = [sum(sign * one[0][at] for sign, one in found) for at in range(count)]
    letters = [_worst([one[1][at] for _, one in found]) for at in range(count)]
    made = [one[0] for one in registers.get(("GEN", "G"), [])]
    generated = [sum(column[at] for column in made) for at in range(count)] if made else []
    return {"f": values, "c": "".join(letters), "g": generated}


def _worst(letters: Sequence[str]) -> str:
    if all(letter == MEASURED for letter in letters):
        return MEASURED
    return BRIDGED if all(letter in (MEASURED, BRIDGED) for letter in letters) else MISSING


def filed(periods: Sequence[int]) -> list[list[int]]:
    """Periods by interval as runs [period, intervals]."""
    runs: list[list[int]] = []
    for period in periods:
        if runs and runs[-1][0] == period:
            runs[-1][1] += 1
        else:
            runs.append([period, 1])
    return runs


def period_at(runs: Sequence[Sequence[int]], at: int) -> int | None:
    """In which period an interval was filed; None if that is not known."""
    for period, length in runs:
        if at < length:
            return period
        at -= length
    return None
