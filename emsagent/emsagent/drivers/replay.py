# SPDX-License-Identifier: Apache-2.0
"""A register file repeated without end, so that an agent can be tried on data of the past.

The file's span is laid end to end over all of time; in each repetition the registers go on where
the one before ended, so they never decrease and every interval holds the energy it held in the
file. Sums are exact decimals. Whole days as a span keep the sun at noon.

    driver = { kind = "replay", file = "registers/home-01-grid.csv" }
"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from emsagent.config import DriverConfig
from emsagent.drivers import Register, Sample
from emsagent.drivers.csvfile import RegisterFile
from emsagent.drivers.csvfile import make as make_file
from emsagent.errors import DriverFault

FOREVER = 1 << 40


def make(config: DriverConfig) -> "Replay":
    """The driver `{ kind = "replay", file = "..." }`."""
    return Replay(make_file(config))


class Replay:
    """Repeats a register file over the present."""

    def __init__(self, file: RegisterFile) -> None:
        self._file = file
        self._once: tuple[Sample, ...] | None = None

    def samples(self, after: int | None, until: int) -> Iterator[Sample]:
        """Samples with `after` < instant <= `until`; without `after`, the newest one only.

        A meter tells no past it was not asked for: a fresh agent begins now.
        """
        once = self._samples()
        first, span = once[0].instant, once[-1].instant - once[0].instant
        if after is None:
            newest = max(self._between(once, until - span - 1, until), key=_instant)
            yield newest
            return
        yield from self._between(once, max(after, first), until)

    def _between(self, once: tuple[Sample, ...], after: int, until: int) -> Iterator[Sample]:
        first, span = once[0].instant, once[-1].instant - once[0].instant
        for turn in range((after - first) // span, (until - first) // span + 1):
            # The first sample of a turn is the last of the one before.
            for sample in once[1:]:
                instant = sample.instant + turn * span
                if after < instant <= until:
                    yield _carried(sample, once, turn, instant)

    def _samples(self) -> tuple[Sample, ...]:
        if self._once is None:
            once = tuple(self._file.samples(None, FOREVER))
            names = {tuple(register.obis for register in sample.registers) for sample in once}
            read_by_clock = not any(sample.reason for sample in once)
            if len(once) < 2 or len(names) != 1 or not read_by_clock:
                text = "the file needs two lines, each all registers, and no transactions"
                raise DriverFault("replay", text)
            self._once = once
        return self._once


def _instant(sample: Sample) -> int:
    return sample.instant


def _carried(sample: Sample, once: tuple[Sample, ...], turn: int, instant: int) -> Sample:
    """The sample in a later (or earlier) turn: as much more as the turns before have counted."""
    registers = []
    for register, start, end in zip(
        sample.registers, once[0].registers, once[-1].registers, strict=True
    ):
        value = Decimal(register.text) + turn * (Decimal(end.text) - Decimal(start.text))
        if value < 0:
            raise DriverFault("replay", "the time is before the file's by more than it counts")
        registers.append(Register(register.obis, f"{value:f}", register.unit))
    return replace(sample, instant=instant, registers=tuple(registers))
