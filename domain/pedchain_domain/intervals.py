# SPDX-License-Identifier: Apache-2.0
"""Cumulative registers to interval energies and their classes (rules T2, R4, R5, R6, R10).

Class of (register, interval): M measured (both boundaries certified), S the same with a register
the DSO substituted, G bridged (registers before and after are known: the energy is exact, its
profile is not), X missing. A reading is an instant; it serves a boundary within the tolerance, the
nearest wins. Registers that no pair of neighbours explains break the series: energy is never made
from a spike, a reset or a gap's edge.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from pedchain_domain import calendar, instants, limits, registers
from pedchain_domain.numbers import split_list
from pedchain_domain.reasons import Reason

MEASURED, SUBSTITUTE, BRIDGED, MISSING = "M", "S", "G", "X"
EXCHANGED = "E"


class Knot(NamedTuple):
    """A known register: instant, whole units, kind `M`, `S` (substitute) or `E` (read by the DSO
    when a meter was exchanged)."""

    instant: int
    value: int
    kind: str = MEASURED


class Span(NamedTuple):
    """Bridged energy [start, end): exact in sum. `inside` are the day's parts from interval
    index `first` on; `before` went to earlier days, the rest of `energy` to later ones."""

    start: int
    end: int
    energy: int
    before: int
    first: int
    inside: list[int]


class Series(NamedTuple):
    """A day of one register: energies, classes (one letter per interval), the spans that were
    bridged, and findings as (reason, instant)."""

    values: list[int]
    classes: str
    spans: list[Span]
    findings: list[tuple[Reason, int]]


class Register(NamedTuple):
    """What is known of a register beforehand: its point's power, modulus and resolution."""

    power_w: int
    modulus: int | None = None
    resolution: int = 1


def missing(count: int) -> Series:
    """A day of which nothing is known."""
    return Series([0] * count, MISSING * count, [], [])


def of_register(
    devices: Sequence[Sequence[Knot]], start: int, end: int, grain: int, register: Register
) -> Series:
    """The day [start, end) of a point's register from its knots in time order.

    One sequence of knots per device: where a meter was exchanged, the old one's ends and the new
    one's begins with the knot `E` the DSO signed, at one instant (R6). Knots may lie before and
    after the day; they bridge its edges. Of two knots of a device at one instant the first stands.
    """
    if len(devices) == 1:
        whole = _measured_day(devices[0], start, end, grain, register)
        if whole is not None:
            return whole
    day = _Day(start, end, grain)
    findings: list[tuple[Reason, int]] = []
    for knots in devices:
        runs, found = _runs(knots, grain, register)
        findings += [finding for finding in found if start <= finding[1] <= end]
        for run in runs:
            for before, after in pairwise(_served(run, grain)):
                day.join(before, after, register)
    return day.series(findings)


def _measured_day(
    knots: Sequence[Knot], start: int, end: int, grain: int, register: Register
) -> Series | None:
    """The usual day, all registers at their boundaries and plausible, without the long way."""
    inside = [knot for knot in knots if start <= knot.instant <= end]
    if [knot.instant for knot in inside] != list(range(start, end + 1, grain)):
        return None
    if any(knot.kind != MEASURED for knot in inside):
        return None
    return of_boundaries([knot.value for knot in inside], grain, register)


def of_boundaries(values: Sequence[int | None], grain: int, register: Register) -> Series | None:
    """The day of a register measured at each of its boundaries, if all rises are plausible."""
    known = [value for value in values if value is not None]
    if len(known) != len(values):
        return None
    energies = [after - before for before, after in pairwise(known)]
    if min(energies) < 0 or max(energies) > registers.cap(register.power_w, grain, grain):
        return None
    letter = BRIDGED if _coarse(grain, register) else MEASURED
    return Series(energies, letter * len(energies), [], [])


def _coarse(grain: int, register: Register) -> bool:
    """A register in steps of more than 10 Wh has no quarter-hours, only days (rules R10)."""
    return grain == 900 and register.resolution > 10


def _energy(before: Knot, after: Knot, grain: int, register: Register) -> int | Reason:
    seconds = after.instant - before.instant
    delta = after.value - before.value
    if 0 <= delta <= register.power_w * seconds // 3600:
        return delta  # well below any cap
    most = registers.cap(register.power_w, seconds, grain)
    return registers.rise(before.value, after.value, most, register.modulus)


def _runs(
    knots: Sequence[Knot], grain: int, register: Register
) -> tuple[list[list[Knot]], list[tuple[Reason, int]]]:
    """Stretches whose neighbours explain each other. A single knot that contradicts both its
    neighbours, while these agree, is set aside; else the series breaks there."""
    findings: list[tuple[Reason, int]] = []
    runs: list[list[Knot]] = [[]]
    left = _distinct(knots)
    for at, knot in enumerate(left):
        run = runs[-1]
        if not run:
            run.append(knot)
            continue
        energy = _energy(run[-1], knot, grain, register)
        if not isinstance(energy, Reason):
            if knot.value < run[-1].value:
                findings.append((Reason.ROLLOVER, knot.instant))
            run.append(knot)
            continue
        findings.append((energy, knot.instant))
        following = left[at + 1] if at + 1 < len(left) else None
        if following is not None and _outlier(run[-1], knot, following, grain, register):
            continue
        runs.append([knot])
    return runs, findings


def _outlier(before: Knot, knot: Knot, after: Knot, grain: int, register: Register) -> bool:
    return isinstance(_energy(knot, after, grain, register), Reason) and not isinstance(
        _energy(before, after, grain, register), Reason
    )


def _distinct(knots: Sequence[Knot]) -> list[Knot]:
    left: list[Knot] = []
    for knot in knots:
        if not left or knot.instant > left[-1].instant:
            left.append(knot)
    return left


class _Placed(NamedTuple):
    """A knot where it counts: at the boundary it serves, or at its own instant."""

    instant: int
    knot: Knot
    serves: bool


def _served(run: Sequence[Knot], grain: int) -> list[_Placed]:
    """The run's knots placed in time: the nearest within tolerance at each boundary (T2), and
    those between boundaries that are needed because a boundary beside them has none."""
    best: dict[int, Knot] = {}
    between: list[Knot] = []
    for knot in run:
        boundary = (knot.instant + grain // 2) // grain * grain
        off = abs(knot.instant - boundary)
        if off > calendar.tolerance(grain):
            between.append(knot)
        elif boundary not in best or off < abs(best[boundary].instant - boundary):
            best[boundary] = knot
    placed = [_Placed(boundary, knot, True) for boundary, knot in best.items()]
    for knot in between:
        floor = knot.instant // grain * grain
        if floor not in best or floor + grain not in best:
            placed.append(_Placed(knot.instant, knot, False))
    return sorted(placed, key=lambda place: place.instant)


class _Day:
    """Collects the joined pairs of a day."""

    def __init__(self, start: int, end: int, grain: int) -> None:
        count = (end - start) // grain
        self.start, self.end, self.grain = start, end, grain
        self.values, self.seconds = [0] * count, [0] * count
        self.letters: list[str] = [MISSING] * count
        self.spans: list[Span] = []

    def join(self, before: _Placed, after: _Placed, register: Register) -> None:
        """Add the energy between two neighbours: measured if they are a whole interval, else
        spread over the seconds between them (R5, N3)."""
        if after.instant <= self.start or before.instant >= self.end:
            return
        energy = _energy(before.knot, after.knot, self.grain, register)
        if isinstance(energy, Reason):
            # A knot that lay between them was not needed; without it the pair is over its cap.
            return
        kinds = (before.knot.kind, after.knot.kind)
        seconds = after.instant - before.instant
        whole = before.serves and after.serves and seconds == self.grain
        if whole and EXCHANGED not in kinds:
            self._measure((before.instant - self.start) // self.grain, energy, kinds, register)
        elif seconds <= limits.BRIDGE_DAYS * instants.DAY:
            self._bridge(before.instant, after.instant, energy)

    def _measure(self, at: int, energy: int, kinds: tuple[str, str], register: Register) -> None:
        letter = SUBSTITUTE if SUBSTITUTE in kinds else MEASURED
        self.values[at], self.seconds[at] = energy, self.grain
        self.letters[at] = BRIDGED if _coarse(self.grain, register) else letter

    def _bridge(self, start: int, end: int, energy: int) -> None:
        first = start // self.grain
        last = -(-end // self.grain)
        overlaps = [
            min(end, (at + 1) * self.grain) - max(start, at * self.grain)
            for at in range(first, last)
        ]
        parts, _ = split_list(energy, overlaps)
        offset = self.start // self.grain
        low = max(first, offset)
        high = min(last, offset + len(self.values))
        for at in range(low, high):
            if self.letters[at - offset] == MISSING:
                self.values[at - offset] += parts[at - first]
                self.seconds[at - offset] += overlaps[at - first]
        inside = parts[low - first : high - first]
        self.spans.append(Span(start, end, energy, sum(parts[: low - first]), low - offset, inside))

    def series(self, findings: list[tuple[Reason, int]]) -> Series:
        """What was collected; an interval known only in part is missing."""
        for at, seconds in enumerate(self.seconds):
            if self.letters[at] == MISSING and seconds == self.grain:
                self.letters[at] = BRIDGED
        values = [
            0 if letter == MISSING else value
            for value, letter in zip(self.values, self.letters, strict=True)
        ]
        return Series(values, "".join(self.letters), self.spans, findings)


def transaction(start: int, end: int, energy: int, grain: int) -> dict[int, int]:
    """A charging transaction's energy over the intervals it overlaps, by seconds (rules R7).

    >>> transaction(65250, 67950, 9_001, 900)
    {64800: 1500, 65700: 3001, 66600: 3000, 67500: 1500}
    """
    starts = range(start // grain * grain, end, grain)
    overlaps = [min(end, at + grain) - max(start, at) for at in starts]
    return dict(zip(starts, split_list(energy, overlaps)[0], strict=True))
