# SPDX-License-Identifier: Apache-2.0
"""A second, slow implementation of the rules, written from their text and nothing else.

It knows no documents, no shards and no steps: homes, registers, one day, exact fractions. The
product never imports it; the properties beside it hold the two against each other.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from math import floor, isqrt

MILLION = 1_000_000


@dataclass
class Home:
    """A site: plan, zone, power of its connection and points, and registers {role: [(t, Wh)]}."""

    plan: str
    zone: str
    power_w: int
    registers: dict[str, list[tuple[int, int]]]
    letters: dict[str, str] = field(default_factory=dict)
    energy: dict[str, list[int]] = field(default_factory=dict)


def share(total: int, weights: list[int]) -> list[int]:
    """N3: floors first, then one unit each to the largest remainders, lower index first."""
    exact = [Fraction(total * weight, sum(weights)) for weight in weights]
    parts = [floor(part) for part in exact]
    order = sorted(range(len(parts)), key=lambda at: (parts[at] - exact[at], at))
    for at in order[: total - sum(parts)]:
        parts[at] += 1
    return parts


def largest_rise(power_w: int, seconds: int, grain: int) -> int:
    """R4 for one interval; over several, the floor of the product and one Wh per interval."""
    whole = Fraction(power_w * seconds * 102, 3600 * 100)
    return floor(whole) + max(1, floor(Fraction(seconds + grain - 1, grain)))


def place(
    readings: list[tuple[int, int]], grain: int
) -> tuple[dict[int, int], list[tuple[int, int]]]:
    """T2: the register at each served boundary, and those between that a gap needs."""
    placed: dict[int, int] = {}
    for boundary in sorted({round(Fraction(t, grain)) * grain for t, _ in readings}):
        near = [(abs(t - boundary), t, wh) for t, wh in readings]
        near = [one for one in near if one[0] * 100 <= grain]
        if near:
            placed[boundary] = min(near)[2]
    loose = []
    for t, wh in readings:
        nearest = round(Fraction(t, grain)) * grain
        below = t - t % grain
        beside = below in placed and below + grain in placed
        if abs(t - nearest) * 100 > grain and not beside:
            loose.append((t, wh))
    return placed, loose


def intervals(
    readings: list[tuple[int, int]], start: int, end: int, grain: int
) -> tuple[list[int], str]:
    """R5 of one device without resets: energies and classes of [start, end)."""
    placed, loose = place(readings, grain)
    count = (end - start) // grain
    energy, seconds, measured = [0] * count, [0] * count, [False] * count
    for (t0, wh0), (t1, wh1) in pairwise(sorted([*placed.items(), *loose])):
        cells = list(range(t0 - t0 % grain, t1, grain))
        overlaps = [min(t1, cell + grain) - max(t0, cell) for cell in cells]
        for cell, overlap, part in zip(cells, overlaps, share(wh1 - wh0, overlaps), strict=True):
            if start <= cell < end:
                at = (cell - start) // grain
                energy[at] += part
                seconds[at] += overlap
                measured[at] = t0 in placed and t1 in placed and t1 - t0 == grain
    letters = ""
    for at in range(count):
        covered = "M" if measured[at] else "G"
        letters += covered if seconds[at] == grain else "X"
    return [0 if letters[at] == "X" else wh for at, wh in enumerate(energy)], letters


NEEDED = {"P0": "I", "P1": "I E G", "P2": "I E", "P3": "I E G Ch D", "P5": "I E", "P6": "I E"}


def consumption(plan: str, v: dict[str, int]) -> int:
    """M3."""
    return {
        "P0": v["I"] - v["E"],
        "P1": v["I"] + v["G"] - v["E"],
        "P2": v["I"],
        "P3": v["I"] + v["G"] + v["D"] - v["E"] - v["Ch"],
        "P5": v["I"] - v["E"],
        "P6": v["I"] + v["G"] - v["E"],
    }[plan]


def settle(home: Home, start: int, end: int, grain: int) -> None:
    """A home's energies and classes, its consumption and residual (M3, M5)."""
    count = (end - start) // grain
    roof = ["G"] if home.plan == "P6" and "G" in home.registers else []
    for role in [*NEEDED[home.plan].split(), *roof]:
        found = intervals(home.registers.get(role, []), start, end, grain)
        home.energy[role], home.letters[role] = found
    for role in ("I", "E", "G", "Ch", "D", "C", "residual"):
        home.energy.setdefault(role, [0] * count)
    if home.plan == "P2":
        home.energy["G"] = list(home.energy["E"])
    for at in range(count):
        now = {role: values[at] for role, values in home.energy.items()}
        raw = consumption(home.plan, now)
        if raw >= 0:
            home.energy["C"][at] = raw
            continue
        allowed = 5 * len(home.letters) + now["G"] // 100
        if raw < -allowed and all(letters[at] in "MS" for letters in home.letters.values()):
            for role in home.energy:
                home.energy[role][at] = 0
            for role, letters in home.letters.items():
                home.letters[role] = letters[:at] + "X" + letters[at + 1 :]
        else:
            home.energy["residual"][at] = raw


def district(
    homes: list[Home], start: int, end: int, grain: int, ci: list[int]
) -> dict[str, int | None]:
    """I1 to I9 of one day, R9 and the missing draws of V2 by the connection's power."""
    for home in homes:
        settle(home, start, end, grain)
    count, per_hour = (end - start) // grain, 3600 // grain
    total = {
        role: [sum(home.energy[role][at] for home in homes) for at in range(count)]
        for role in ("I", "E", "G", "C", "Ch", "D", "residual")
    }
    shared = [0] * count
    for zone in sorted({home.zone for home in homes}):
        for at in range(count):
            drawn, given = (
                sum(home.energy[role][at] for home in homes if home.zone == zone) for role in "IE"
            )
            shared[at] += min(drawn, given)
    x = [i - s for i, s in zip(total["I"], shared, strict=True)]
    y = [e - s for e, s in zip(total["E"], shared, strict=True)]
    sums = {role: sum(values) for role, values in total.items()}
    demand = sums["C"] + sums["Ch"] - sums["D"]
    covered = sums["C"] - sum(x)
    hours = range(0, count, per_hour)
    hourly = [[sum(series[at : at + per_hour]) for at in hours] for series in (total["C"], x, y)]
    ratios = [Fraction(a, c) for c, a in zip(hourly[0], hourly[1], strict=True) if c > 0]
    net = [b - a for a, b in zip(hourly[1], hourly[2], strict=True)]
    letters = "".join(text for home in homes for text in home.letters.values())
    by_interval = [ci[at // per_hour] for at in range(count)]
    return {
        **sums,
        "shared": sum(shared),
        "X": sum(x),
        "Y": sum(y),
        "oer": ratio(sums["G"], demand),
        "sc": ratio(covered, sums["G"]),
        "ss": ratio(covered, sums["C"]),
        "sc_site": ratio(sums["C"] - sums["I"], sums["G"]),
        "amr": sum(floor(r * MILLION) for r in ratios) // len(ratios) if ratios else None,
        "gii": interaction(net),
        "energy_coverage": ratio(len(letters) - letters.count("X"), len(letters)),
        "profile_coverage": ratio(letters.count("M"), len(letters)),
        "avoided": sum((c - a) * f for c, a, f in zip(total["C"], x, by_interval, strict=True)),
        "ghg": sum(
            (i - e) * f for i, e, f in zip(total["I"], total["E"], by_interval, strict=True)
        ),
        "draw": sum(
            home.letters["I"].count("X") * largest_rise(home.power_w, grain, grain)
            for home in homes
        ),
    }


def ratio(numerator: int, denominator: int) -> int | None:
    """N2."""
    return None if denominator == 0 else floor(Fraction(numerator * MILLION, denominator))


def interaction(net: list[int]) -> int | None:
    """I6: the standard deviation over the hours, as a fraction of the largest magnitude."""
    n, largest = len(net), max(abs(value) for value in net)
    if largest == 0:
        return None
    mean = Fraction(sum(net), n)
    variance = sum((value - mean) ** 2 for value in net) / n
    return isqrt(floor(variance * MILLION * MILLION / largest**2))


def charged(knots: list[tuple[int, int]], start: int, end: int, grain: int) -> list[int]:
    """R7: a transaction's energy on the intervals of [start, end), each part by its seconds."""
    energy = [0] * ((end - start) // grain)
    for (t0, wh0), (t1, wh1) in pairwise(knots):
        if t1 == t0:
            continue
        cells = list(range(t0 - t0 % grain, t1, grain))
        overlaps = [min(t1, cell + grain) - max(t0, cell) for cell in cells]
        for cell, part in zip(cells, share(wh1 - wh0, overlaps), strict=True):
            if start <= cell < end:
                energy[(cell - start) // grain] += part
    return energy


def greenhouse(
    net: list[int], ci: list[int], heat_wh: int, heat_ug: int, metres: int, metre_ug: int
) -> int:
    """I9: electricity across the boundary, heat of a network, declared combustion mileage."""
    electricity = sum(wh * factor for wh, factor in zip(net, ci, strict=True))
    return electricity + heat_wh * heat_ug + metres * metre_ug


def common(
    building: Home, units: list[list[tuple[int, int]]], start: int, end: int, grain: int
) -> tuple[int, int]:
    """P6: what a building uses beside its units, and in how many intervals that is not known."""
    settle(building, start, end, grain)
    flats = [intervals(readings, start, end, grain) for readings in units]
    beside = unknown = 0
    for at in range((end - start) // grain):
        letters = [found[at] for found in building.letters.values()]
        letters += [found[at] for _, found in flats]
        if "X" in letters:
            unknown += 1
        else:
            beside += building.energy["C"][at] - sum(energy[at] for energy, _ in flats)
    return beside, unknown


def feeder(
    homes: list[Home], lines: list[tuple[int, int]], others: int, power_w: int, seconds: int
) -> tuple[int, bool]:
    """What the DSO's meter saw beyond the settled members, (import, export) per interval in
    `lines`, and whether losses of 6 % and others' connections explain it."""
    drawn, given = sum(i for i, _ in lines), sum(e for _, e in lines)
    members = sum(sum(home.energy["I"]) - sum(home.energy["E"]) for home in homes)
    left = drawn - given - members
    losses = floor(Fraction(6 * (drawn + given), 100)) + 5
    silent = sum(
        home.letters["I"].count("X") * largest_rise(home.power_w, 3600, 3600) for home in homes
    )
    unknown = any("X" in letters for home in homes for letters in home.letters.values())
    allowed = losses + (others * power_w * seconds // 3600 + silent if others or unknown else 0)
    return left, abs(left) <= allowed


Share = tuple[int, int, int]
"""Contributing sites, the largest one's part, the number."""


def telling(days: list[Share], sites: int, percent: int) -> bool:
    """C2 of a stretch of days, bounded from above: at most these sites, at least this much one."""
    most = max(day[0] for day in days)
    one = sum(day[1] for day in days)
    return (most == 0 or most >= sites) and 100 * one <= percent * sum(day[2] for day in days)


def blocks(
    days: list[Share], sites: int, percent: int, former: list[tuple[int, int]] | None = None
) -> list[tuple[int, int]]:
    """ADR 18: first and last day of each stretch that is told in one sum only; one that is not
    closed yet ends after the last day. A later run hides at least what the `former` run hid, and
    ends on no day that the former's went on over."""
    found: list[tuple[int, int]] = []
    at = 0
    while at < len(days):
        was_hidden = any(first <= at <= last for first, last in former or [])
        if telling(days[at : at + 1], sites, percent) and not was_hidden:
            at += 1
            continue
        last = at + 1
        while last < len(days):
            goes_on = any(first <= last < end for first, end in former or [])
            if telling(days[at : last + 1], sites, percent) and not goes_on:
                break
            last += 1
        found.append((at, last))
        at = last + 1
    return found


def tellable(found: list[tuple[int, int]], first: int, last: int) -> bool:
    """Whether the sum of days [first, last] may be printed: it cuts through no block."""
    return not any((begin <= last < end) or (begin < first <= end) for begin, end in found)
