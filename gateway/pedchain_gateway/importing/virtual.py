# SPDX-License-Identifier: Apache-2.0
"""A virtual register that counts an operator's interval values. Pure.

The ledger takes registers, never energies (rules R3). Intervals that follow each other without a
gap are one run, and a run counts up from its beginning. Where a value is missing the register
leaps, by more than any point can rise in that time: the interval is class X and no energy is made
up for it. A run that ends where a later one begins counts towards it, so that filing history after
the present changes nothing that stands.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pedchain_gateway.importing.values import MICRO

LEAP_PER_S = 100_000 * MICRO
"""What a run's beginning gains a second over one that began a second earlier, in millionths: 100
kWh, far above what flows through one point (360 MW), and below the ledger's bound (10^15 Wh)."""


class Interval(NamedTuple):
    """The energy (millionths) of [start, start + seconds), its class."""

    start: int
    seconds: int
    micro: int
    mark: str

    @property
    def end(self) -> int:
        return self.start + self.seconds


class Knot(NamedTuple):
    """What the register stands at, in millionths."""

    instant: int
    micro: int
    mark: str


def runs(intervals: Sequence[Interval]) -> list[list[Interval]]:
    """Stretches without a gap, of intervals in order of time."""
    found: list[list[Interval]] = []
    for one in intervals:
        if found and found[-1][-1].end == one.start:
            found[-1].append(one)
        else:
            found.append([one])
    return found


def beginning(instant: int) -> int:
    """What a run begins with that joins no other."""
    return instant * LEAP_PER_S


def count(run: Sequence[Interval], begin: int) -> list[Knot]:
    """The register at each end of the run's intervals, and first at its beginning."""
    knots = [Knot(run[0].start, begin, run[0].mark)]
    for one in run:
        begin += one.micro
        knots.append(Knot(one.end, begin, one.mark))
    return knots


def news(knots: Sequence[Knot], stands: Mapping[int, int]) -> list[Knot]:
    """What has to be told beyond what stands. What stands otherwise is corrected, and only a
    substitute does that (rules R5, R8)."""
    return [
        knot if knot.instant not in stands else knot._replace(mark="S")
        for knot in knots
        if stands.get(knot.instant) != knot.micro
    ]
