# SPDX-License-Identifier: Apache-2.0
"""Setpoints carried out: the device that acts for a home is told its power, again and again.

A device forgets what it was told after `limits.COMMAND_S`, so that it goes on alone when this agent
is gone; here it is told again well before. Without an order it is left to its own rule.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from emsagent import limits, logs
from emsagent.drivers import Controllable
from emsagent.errors import DriverFault

Clock = Callable[[], float]
"""The time the home lives in, UTC s."""


class Wanting(Protocol):
    """Who says what a device should do."""

    def setpoint(self, now: int) -> int | None:
        """W to draw now (minus: less, or given back), or None: the device's own rule."""
        ...


class Actor:
    """One device that acts for a home's orders."""

    def __init__(
        self, name: str, device: Controllable, wanting: Wanting, clock: Clock = time.time
    ) -> None:
        self._name, self._device, self._wanting = name, device, wanting
        self._clock = clock
        self._told: int | None = None
        self._told_at = float("-inf")

    async def turn(self, now: int, steady_s: float) -> None:
        """Tell it what holds now, if that is news to it. Never raises for what the device does."""
        wanted = self._wanting.setpoint(now)
        again = wanted is not None and steady_s - self._told_at > limits.COMMAND_S / 3
        if wanted == self._told and not again:
            return
        try:
            await self._device.command(wanted)
        except DriverFault as error:
            logs.alarm(error.code, device=self._name, reason=error.reason, detail=str(error))
            return
        if wanted != self._told:
            logs.event("told", device=self._name, watts=wanted)
        self._told, self._told_at = wanted, steady_s

    async def serve(self) -> None:
        """Act until cancelled; then the device is left to itself."""
        try:
            while True:
                await self.turn(int(self._clock()), time.monotonic())
                await asyncio.sleep(limits.ACT_S)
        finally:
            if self._told is not None:
                async with asyncio.timeout(limits.CONNECT_S):
                    await self._device.command(None)
