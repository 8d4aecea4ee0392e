# SPDX-License-Identifier: Apache-2.0
"""What a site's hour gives rise to: certified generation, storage flows, consumption (rules G).

One issue per generation point and whole UTC hour, from intervals of class M only: the hour is not
certified if any register that decides it was bridged, substituted or missing. Of the generation
G_h the part fed in, min(G_h, E_h), is grid-class; the rest is self-class: charged into the site's
own storage or claimed by the site at once. Plans P4 and P5 get none: their generation cannot be
told from grid energy, or is not metered (rules M3).
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pedchain_domain import registers
from pedchain_domain.calendar import Day
from pedchain_domain.intervals import BRIDGED, MEASURED, SUBSTITUTE
from pedchain_domain.numbers import split
from pedchain_domain.readings import derive_salt

Document = dict[str, Any]
HOUR = 3_600
GENERATING_PLANS = ("P1", "P2", "P3", "P6")
STORING_PLANS = ("P3",)


class Point(NamedTuple):
    """A point of the site: its kind, power, and registers of the day {role: [[Wh], classes]}."""

    id: str
    kind: str
    power_w: int
    registers: Mapping[str, Sequence[Any]]


class Made(NamedTuple):
    """One point's certified hour, Wh: fed into the grid, and kept by the site."""

    point: str
    hour: int
    grid: int
    own: int


class Charge(NamedTuple):
    """One hour of charging, Wh: in all, and of the site's own certified generation."""

    hour: int
    charged: int
    certified: int


class Discharge(NamedTuple):
    """One hour of discharging: Wh in all, Wh of it fed into the grid, whether both are measured;
    `known` is false where the meter was silent."""

    hour: int
    energy: int
    fed: int
    measured: bool
    known: bool


def issue_of(salt: str, point: str, hour: int) -> str:
    """The salted digest by which a certificate names its issue, hex."""
    return derive_salt("issue", [salt, point, str(hour)])


def points_of(site: str, roster: Document, intervals: Document) -> list[Point]:
    """A site's points with what intervals/1 of the cell's day hold; erased points hold nothing."""
    found = []
    for name in sorted(roster["points"]):
        about = roster["points"][name]
        if about["site"] == site:
            held = intervals["points"].get(name, {}).get("registers", {})
            found.append(Point(name, about["kind"], about["p_max_w"], held))
    return found


def hours_of(day: Day) -> list[int]:
    """The whole UTC hours of a market day. An hour that two days share has no certificates."""
    first = -(-day["start"] // HOUR) * HOUR
    return list(range(first, day["end"] - HOUR + 1, HOUR))


def drawn(points: Sequence[Point], day: Day, grain: int, hour: int) -> int | None:
    """Import of the site in an hour, Wh; None unless measured (rules G4)."""
    return _measured(points, "GCP", "I", _positions(day, grain, hour))


def fed(points: Sequence[Point], day: Day, grain: int, hour: int) -> int | None:
    """Export of the site in an hour, Wh; None unless measured (rules P1)."""
    return _measured(points, "GCP", "E", _positions(day, grain, hour))


def made(plan: str, points: Sequence[Point], day: Day, grain: int) -> list[Made]:
    """The site's certified generation by point and hour (rules G1, G2)."""
    if plan not in GENERATING_PLANS:
        return []
    found = []
    for hour in hours_of(day):
        found += _made_in(plan, points, hour, _positions(day, grain, hour))
    return found


def _made_in(plan: str, points: Sequence[Point], hour: int, at: Sequence[int]) -> list[Made]:
    into_grid = _measured(points, "GCP", "E", at)
    if into_grid is None:
        return []
    sources = [p for p in points if p.kind == ("GCP" if plan == "P2" else "GEN")]
    role = "E" if plan == "P2" else "G"
    energies: dict[str, int] = {}
    for point in sources:
        energy = _measured([point], point.kind, role, at)
        if energy is None:
            return []
        energies[point.id] = min(energy, registers.cap(point.power_w, HOUR, HOUR))
    to_grid, _ = split(min(into_grid, sum(energies.values())), energies)
    return [
        Made(name, hour, to_grid[name], energy - to_grid[name])
        for name, energy in energies.items()
        if energy > 0
    ]


def charges(
    points: Sequence[Point], generation: Sequence[Made], day: Day, grain: int
) -> list[Charge] | None:
    """The site's charging by hour; None where some of it is not known at all (rules G3).

    Certified at once is what the site's own generation can have charged. A bridged hour's energy
    is known, its profile is not: it is charged and not certified.
    """
    found = []
    for hour in hours_of(day):
        at = _positions(day, grain, hour)
        energy = _known(points, "STO", "Ch", at)
        if energy is None:
            return None
        own = sum(each.own for each in generation if each.hour == hour)
        measured = _measured(points, "STO", "Ch", at) is not None
        if energy:
            found.append(Charge(hour, energy, min(own, energy) if measured else 0))
    return found


def discharges(points: Sequence[Point], day: Day, grain: int) -> list[Discharge]:
    """The site's discharging by hour. Feed-in beyond generation comes from the storage (G2)."""
    found = []
    for hour in hours_of(day):
        at = _positions(day, grain, hour)
        energy = _known(points, "STO", "D", at)
        made_wh = _measured(points, "GEN", "G", at)
        out_wh = fed(points, day, grain, hour)
        measured = (
            out_wh is not None
            and made_wh is not None
            and _measured(points, "STO", "D", at) is not None
        )
        beyond = max(0, (out_wh or 0) - (made_wh or 0)) if measured else 0
        if energy != 0:
            out = energy or 0
            found.append(Discharge(hour, out, min(beyond, out), measured, energy is not None))
    return found


def _positions(day: Day, grain: int, hour: int) -> range:
    """Intervals of an hour by position in the day; a grain divides the hour."""
    first = (hour - day["start"]) // grain
    return range(first, first + HOUR // grain)


def _measured(points: Sequence[Point], kind: str, role: str, at: Sequence[int]) -> int | None:
    """The sum over the site's points of a kind, if every interval of each is class M."""
    return _sum(points, kind, role, at, (MEASURED,))


def _known(points: Sequence[Point], kind: str, role: str, at: Sequence[int]) -> int | None:
    """The sum where nothing is missing."""
    return _sum(points, kind, role, at, (MEASURED, SUBSTITUTE, BRIDGED))


def _sum(
    points: Sequence[Point], kind: str, role: str, at: Sequence[int], classes: Sequence[str]
) -> int | None:
    series = [p.registers.get(role) for p in points if p.kind == kind]
    if not series:
        return None
    total = 0
    for one in series:
        if one is None or any(one[1][i] not in classes for i in at):
            return None
        total += sum(one[0][i] for i in at)
    return total
