# SPDX-License-Identifier: Apache-2.0
"""Charge and discharge records of a site's storage: first in, first out, with losses (rules G3).

    storage/1 {schema, salt, site, entries: [[hour, charged Wh, certified Wh]], pending: [day]}

Every charged Wh stands in the queue, certified or not, so that grid energy charged without
certificates yields none when it comes out. A discharge takes from the front what it must have cost
to put in (energy x 10^6 / efficiency); of what it took, the certified share comes out certified,
less the same losses. The queue never holds more than the battery can: what is in front of that
leaked or was metered away, and its certificates with it.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from pedchain_domain import limits
from pedchain_domain.numbers import PPM
from pedchain_domain.origin import Charge, Discharge
from pedchain_domain.reasons import DomainError, Reason

Document = dict[str, Any]
EFFICIENCY_PPM = 850_000
EFFICIENCY = "storage_efficiency_ppm"
"""The factor in a factors/1 document's `reference` that sets another efficiency."""


class Out(NamedTuple):
    """What an hour's discharge is worth, Wh: certified into the grid, and for the site itself."""

    hour: int
    grid: int
    own: int


def empty() -> Document:
    """A storage nothing was charged into yet."""
    return {"schema": "storage/1", "entries": [], "pending": []}


def efficiency(factors: Document) -> int:
    """The round-trip efficiency in force, ppm."""
    found = factors["reference"].get(EFFICIENCY)
    return EFFICIENCY_PPM if found is None else min(int(found), PPM)


def charged(storage: Document, day: str, rows: Sequence[Charge] | None) -> Document:
    """The storage with a day's charging. A day whose charging is not all known empties the
    certified share of what is in it: nobody can say any more what comes out."""
    entries = [list(entry) for entry in storage["entries"]]
    if rows is None:
        entries = [[hour, whole, 0] for hour, whole, _ in entries]
    entries += [list(row) for row in rows or ()]
    pending = [*storage["pending"], day][-limits.STORAGE_DAYS_PENDING :]
    return {**storage, "entries": entries, "pending": pending}


def certify(storage: Document, hour: int, energy: int) -> Document:
    """The storage with `energy` Wh of an hour's charging certified by certificates given up.

    DomainError `beyond-charge` where so much was not charged uncertified in that hour, or is not
    in the storage any more.
    """
    entries = [list(entry) for entry in storage["entries"]]
    for entry in entries:
        if entry[0] == hour and entry[2] + energy <= entry[1]:
            entry[2] += energy
            return {**storage, "entries": entries}
    raise DomainError(Reason.BEYOND_CHARGE)


def discharged(
    storage: Document, day: str, rows: Sequence[Discharge], ppm: int, battery_wh: int
) -> tuple[Document, list[Out]]:
    """A day's discharging taken out: the storage after it, and what each hour certifies.

    Days are settled in order; DomainError `wrong-state` for any other. `battery_wh` of 0 says the
    capacity is not registered, and nothing is trimmed.
    """
    if storage["pending"][:1] != [day]:
        raise DomainError(Reason.WRONG_STATE)
    entries = [list(entry) for entry in storage["entries"]]
    found = []
    for row in rows:
        if not row.known:
            entries = []
            continue
        _trim([entry for entry in entries if entry[0] <= row.hour], battery_wh, ppm)
        certified = _take(entries, row.hour, -(-row.energy * PPM // ppm)) * ppm // PPM
        if row.measured and row.energy:
            grid = certified * row.fed // row.energy
            found.append(Out(row.hour, grid, certified - grid))
    left = [entry for entry in entries if entry[1]]
    return {**storage, "entries": left, "pending": storage["pending"][1:]}, found


def _take(entries: Sequence[list[int]], until: int, energy: int) -> int:
    """Take `energy` Wh charged up to an hour from the front; the certified Wh among it."""
    certified = 0
    for entry in entries:
        if energy == 0 or entry[0] > until:
            break
        taken = min(energy, entry[1])
        share = entry[2] * taken // entry[1] if entry[1] else 0
        entry[1] -= taken
        entry[2] -= share
        certified += share
        energy -= taken
    return certified


def _trim(entries: Sequence[list[int]], battery_wh: int, ppm: int) -> None:
    """Let go of the oldest beyond what the battery can hold, measured where it was charged."""
    if battery_wh == 0:
        return
    over = sum(entry[1] for entry in entries) - battery_wh * PPM // ppm
    if over > 0:
        _take(entries, entries[-1][0], over)
