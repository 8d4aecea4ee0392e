# SPDX-License-Identifier: Apache-2.0
"""A simulated battery that is told its power: its counters, its level, its limits.

    driver = { kind = "battery", capacity_wh = 8000, level_wh = 2000, in_w = 3000, out_w = 3000 }

It loses nothing, and rests when it was told nothing for as long as a device remembers.
"""

import time
from collections.abc import Callable, Iterator

from emsagent import limits
from emsagent.config import DriverConfig
from emsagent.drivers import Register, Sample
from emsagent.toml import Table

IMPORT, EXPORT = "1-0:1.8.0*255", "1-0:2.8.0*255"
PPM = 1_000_000


def make(config: DriverConfig) -> "Battery":
    """The driver `{ kind = "battery", capacity_wh = ..., level_wh = ... }`."""
    table = Table(config.settings, config.where)
    capacity = table.number("capacity_wh", None, 1, limits.STORE_WH_MAX)
    made = Battery(
        config.interval_s,
        capacity,
        table.number("level_wh", capacity // 2, 0, capacity),
        table.number("in_w", 3_000, 1, limits.POWER_MAX_W),
        table.number("out_w", 3_000, 0, limits.POWER_MAX_W),
    )
    table.done()
    return made


class Battery:
    """A battery of its own time: `clock` is where that comes from."""

    def __init__(
        self,
        interval_s: int,
        capacity_wh: int,
        level_wh: int,
        in_w: int,
        out_w: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._interval_s, self._clock = interval_s, clock
        self._capacity, self._level = capacity_wh, float(level_wh)
        self._in_w, self._out_w = in_w, out_w
        self._counted = {IMPORT: 0.0, EXPORT: 0.0}
        self._watts, self._told_at, self._at = 0, clock(), clock()

    def samples(self, after: int | None, until: int) -> Iterator[Sample]:
        """Its counters at the last interval's end."""
        end = until - until % self._interval_s
        if after is not None and end <= after:
            return
        self._go_on()
        registers = tuple(Register(obis, str(int(wh)), "Wh") for obis, wh in self._counted.items())
        yield Sample(end, "S", registers)

    def level_ppm(self) -> int:
        """How full it is."""
        self._go_on()
        return int(self._level) * PPM // self._capacity

    async def command(self, watts: int | None) -> None:
        """Draw so many W, or give them back."""
        self._go_on()
        self._watts = max(-self._out_w, min(self._in_w, watts or 0))
        self._told_at = self._clock()

    def _go_on(self) -> None:
        now = min(self._clock(), self._told_at + limits.COMMAND_S)
        wh = self._watts * max(0.0, now - self._at) / 3_600
        wh = max(-self._level, min(self._capacity - self._level, wh))
        self._level += wh
        self._counted[IMPORT if wh > 0 else EXPORT] += abs(wh)
        self._at = self._clock()
