# SPDX-License-Identifier: Apache-2.0
"""Meters that are kept in touch with: what they say in the background waits here to be signed.

One reading per interval: the first at or within nine seconds after its end, which is near enough
for a quarter-hour and so for every grain (rules T2). What comes later is no reading of that end,
and an interval without one is the fault `stale`. What no meter can say is held back and flagged
(`screening`). Setting of every live driver: `power_max_w`, the most its connection carries.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from emsagent import limits, logs
from emsagent.backoff import wait_s
from emsagent.clock import Clock
from emsagent.config import DriverConfig
from emsagent.drivers import Register, Sample
from emsagent.errors import DriverFault
from emsagent.screening import Screen
from emsagent.toml import Table

LATE_S = 9


def late_s(interval_s: int) -> int:
    """How long after an interval's end a reading still is one of it."""
    return min(LATE_S, max(1, interval_s // 4))


class Live(ABC):
    """A driver with a device at its other end. `serve` runs beside the agent."""

    def __init__(self, config: DriverConfig, table: Table, clock: Clock | None = None) -> None:
        self.clock = clock or Clock(config.clock)
        self.interval_s = config.interval_s
        self._where = config.where
        self._screen = Screen(table.number("power_max_w", 100_000, 1, limits.POWER_MAX_W))
        self._held: deque[Sample] = deque(maxlen=limits.SAMPLES_HELD_MAX)
        self._served, self._since = -1, int(self.clock.now())
        self._fault: DriverFault | None = DriverFault("silent", "nothing was read yet")
        self._flags: list[str] = []
        self.seen_at = 0.0
        self._level: tuple[float, int] | None = None

    # what the agent asks

    def samples(self, after: int | None, until: int) -> Iterator[Sample]:
        """What waits to be stored, in order of arrival; it waits on until `stored`. Raises
        `DriverFault` where the last interval's end has no reading."""
        waiting = [sample for sample in self._held if sample.instant <= until or sample.sync != "S"]
        yield from waiting
        end = until - late_s(self.interval_s) - 1
        due = end - end % self.interval_s
        if not waiting and self._served < due and due >= self._since:
            raise self._fault or DriverFault("stale", "no value at the interval's end")

    def stored(self, samples: Iterable[Sample]) -> None:
        """These are on the disk."""
        for sample in samples:
            if sample in self._held:
                self._held.remove(sample)

    def flagged(self) -> list[str]:
        """What was held back since the last time this was asked."""
        flags, self._flags = self._flags, []
        return flags

    def level_ppm(self) -> int:
        """How full the device is, for one that holds energy. Raises `DriverFault` where it did not
        say so lately."""
        if self._level is None:
            raise DriverFault("level", "the device does not say how full it is")
        if self.clock.steady() - self._level[0] > limits.LEVEL_AGE_S:
            raise DriverFault("stale", "how full the device is was said too long ago")
        return self._level[1]

    # what a driver says

    def offer_level(self, percent: Decimal) -> None:
        """The device says how full it is. Raises `DriverFault` for what cannot be."""
        if not 0 <= percent <= 100:
            raise DriverFault("level", "no share of a hundred")
        self._level = (self.clock.steady(), int(percent * 10_000))

    def offer(self, instant: int, registers: Sequence[Register]) -> None:
        """The device said this at an instant. Raises `DriverFault` for what it cannot have."""
        try:
            self._screen.check(self.clock.steady(), registers)
        except DriverFault as error:
            self._flags.append(str(error))
            logs.alarm("held-back", device=self._where, reason=error.reason)
            raise
        self.seen()
        end = instant - instant % self.interval_s
        if end != self._served and instant - end <= late_s(self.interval_s):
            self._served = end
            self._held.append(Sample(instant, self.clock.status(), tuple(registers)))

    def seen(self) -> None:
        """The device said something that can be trusted."""
        self._fault, self.seen_at = None, self.clock.now()

    def fail(self, fault: DriverFault) -> None:
        """The device said nothing that can be trusted."""
        self._fault = fault
        logs.event("driver-fault", device=self._where, reason=fault.reason, detail=str(fault))

    async def serve(self) -> None:
        """Keep in touch until cancelled; a lost device is found again, ever more patiently."""
        failures = 0
        while True:
            before = self.seen_at
            try:
                await self.watch()
            except DriverFault as error:
                self.fail(error)
            except (OSError, EOFError) as error:
                self.fail(DriverFault("unreachable", type(error).__name__))
            failures = 1 if self.seen_at > before else failures + 1
            await asyncio.sleep(min(wait_s(failures), limits.DEVICE_RETRY_MAX_S))

    @abstractmethod
    async def watch(self) -> None:
        """Connect and `offer` what the device says, until it is lost (`DriverFault`, OSError)."""


class Polled(Live):
    """A device that answers when asked: at each interval's end."""

    async def watch(self) -> None:
        """Ask at once, then at every interval's end."""
        await self.connect()
        try:
            await self._ask()
            while True:
                now = self.clock.now()
                await asyncio.sleep(self.interval_s - now % self.interval_s)
                await self._ask()
        finally:
            await self.close()

    async def _ask(self) -> None:
        try:
            async with asyncio.timeout(late_s(self.interval_s)):
                registers = await self.read()
        except TimeoutError as error:
            raise DriverFault("timeout", "no answer in time") from error
        self.offer(int(self.clock.now()), registers)

    @abstractmethod
    async def connect(self) -> None:
        """Reach the device. Raises `DriverFault`, OSError."""

    @abstractmethod
    async def read(self) -> Sequence[Register]:
        """Its registers now. Raises `DriverFault`, OSError."""

    async def close(self) -> None:
        """Let the device go."""
