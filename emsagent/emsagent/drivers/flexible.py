# SPDX-License-Identifier: Apache-2.0
"""A simulated home that follows setpoints: its grid meter's register file, and what events change.

    { kind = "flexible", file = "registers/home-18-grid.csv", setpoints = "setpoints/home-18.csv" }

The home has one load that can wait (hot water, a heat pump) and can be brought forward. Told to
draw less, it draws as much less as it can: nothing is fed in for it. Told to draw more, it does;
what it would have fed in goes first. Of what was not drawn, 30 % is drawn in the two hours after.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from emsagent import limits
from emsagent.config import DriverConfig
from emsagent.drivers import Sample
from emsagent.drivers.csvfile import RegisterFile
from emsagent.drivers.csvfile import make as register_file
from emsagent.errors import DriverFault
from emsagent.toml import Table

IMPORT, EXPORT = "1-0:1.8.0*255", "1-0:2.8.0*255"
RECOVERED_PERCENT, RECOVERY_S = 30, 2 * 3_600
Setpoint = tuple[int, int, int]
"""From, to (UTC epoch seconds), W."""
Shift = tuple[int, int]
"""Wh more of import and export by now."""


def make(config: DriverConfig) -> "FlexibleMeter":
    """The driver `{ kind = "flexible", file = "...", setpoints = "..." }`."""
    settings = dict(config.settings)
    table = Table({"setpoints": settings.pop("setpoints", None)}, config.where)
    path = config.base / table.text("setpoints")
    return FlexibleMeter(register_file(replace(config, settings=settings)), path)


class FlexibleMeter:
    """A register file whose readings follow setpoints."""

    def __init__(self, registers: RegisterFile, setpoints: Path) -> None:
        self._registers, self._path = registers, setpoints

    def samples(self, after: int | None, until: int) -> Iterator[Sample]:
        """The file's samples as the home's setpoints made them. Raises `DriverFault`."""
        shifts = self._shifts(until)
        for sample in self._registers.samples(after, until):
            done = [shift for instant, shift in shifts if instant <= sample.instant]
            yield _shifted(sample, (sum(one[0] for one in done), sum(one[1] for one in done)))

    def _shifts(self, until: int) -> list[tuple[int, Shift]]:
        """What events changed in each interval, at the interval's end; one after the other, for
        what one order recovers may fall into the next."""
        changed: dict[int, Shift] = {}
        for start, end, watts in self._setpoints():
            if start >= until:
                continue
            saved = 0
            for one, next_ in self._steps(start, end):
                wh = watts * (next_.instant - one.instant) // 3_600
                saved -= min(0, _follow(changed, one, next_, wh))
            back = saved * RECOVERED_PERCENT // 100
            for one, next_ in self._steps(end, end + RECOVERY_S):
                _follow(changed, one, next_, back * (next_.instant - one.instant) // RECOVERY_S)
        return sorted(changed.items())

    def _steps(self, start: int, end: int) -> Iterator[tuple[Sample, Sample]]:
        """Neighbouring samples of [start, end]."""
        return pairwise(self._registers.samples(start - 1, end))

    def _setpoints(self) -> list[Setpoint]:
        if not self._path.exists():
            return []
        with self._path.open() as file:
            text = file.read(limits.PLAN_BYTES_MAX)
        try:
            rows = [line.split(",") for line in text.splitlines()[1:]]
            return [(int(start), int(end), int(watts)) for start, end, watts in rows]
        except ValueError as error:
            raise DriverFault("setpoints", f"{self._path.name} cannot be read") from error


def _follow(changed: dict[int, Shift], one: Sample, next_: Sample, wh: int) -> int:
    """Draw so much more, or less, between two samples, beside what was changed there already; the
    change of import."""
    before, after = _registers(one), _registers(next_)
    more, given = changed.get(next_.instant, (0, 0))
    drawn = after[IMPORT] - before[IMPORT] + more
    fed_in = after.get(EXPORT, 0) - before.get(EXPORT, 0) + given
    kept = min(wh, fed_in) if wh > 0 else 0
    taken = max(wh, -drawn) - kept
    changed[next_.instant] = (more + taken, given - kept)
    return taken


def _registers(sample: Sample) -> dict[str, int]:
    try:
        return {one.obis: int(one.text) for one in sample.registers if one.unit == "Wh"}
    except ValueError as error:
        raise DriverFault("value", "a flexible home's registers are whole Wh") from error


def _shifted(sample: Sample, shift: Shift) -> Sample:
    by = {IMPORT: shift[0], EXPORT: shift[1]}
    registers = tuple(
        replace(one, text=str(int(one.text) + by[one.obis])) if by.get(one.obis) else one
        for one in sample.registers
    )
    return replace(sample, registers=registers)
