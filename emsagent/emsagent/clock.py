# SPDX-License-Identifier: Apache-2.0
"""How far this machine's clock can be trusted, as OCMF's time status of a reading.

`S` where the kernel says that something disciplines the clock (an NTP daemon does; setting the
clock by hand takes that away), else `U`. Where the kernel cannot be asked, `trust = "always"` takes
the clock as right until it jumps: against the time since boot, by more than two seconds. It is
trusted again when it is back where it was, or after a restart.
"""

import ctypes
import time
from collections.abc import Callable

SYNCHRONISED, UNKNOWN = "S", "U"
KERNEL, ALWAYS = "kernel", "always"
JUMP_S = 2.0
_TIME_ERROR = 5
"""What the kernel answers while nothing disciplines its clock (adjtimex(2))."""
_TIMEX_BYTES = 512
"""More than any kernel's `struct timex`; all zeros only asks."""


def kernel_synchronised() -> bool:
    """Whether the kernel's clock is disciplined; False where it cannot be asked."""
    try:
        answer = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):
        return False
    return 0 <= int(answer) < _TIME_ERROR


class Clock:
    """The wall clock, watched. `steady` counts on through whatever happens to `wall`."""

    def __init__(
        self,
        trust: str = KERNEL,
        kernel: Callable[[], bool] = kernel_synchronised,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = lambda: time.clock_gettime(time.CLOCK_BOOTTIME),
    ) -> None:
        self._trust, self._kernel, self._wall, self._steady = trust, kernel, wall, steady
        self._offset = wall() - steady()

    def now(self) -> float:
        """UTC epoch seconds."""
        return self._wall()

    def steady(self) -> float:
        """Seconds since boot, through whatever happens to the wall clock."""
        return self._steady()

    def status(self) -> str:
        """OCMF's time status now: `S` or `U`."""
        if self._trust == KERNEL:
            return SYNCHRONISED if self._kernel() else UNKNOWN
        offset = self._wall() - self._steady()
        if abs(offset - self._offset) > JUMP_S:
            return UNKNOWN
        self._offset = offset  # slow drift is how an undisciplined clock is right
        return SYNCHRONISED
