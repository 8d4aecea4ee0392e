# SPDX-License-Identifier: Apache-2.0
"""What an `up` tells while it works: one line per step, with the seconds since its start."""

import time
from collections.abc import Callable


class Progress:
    """Counts from its creation; `say` takes finished lines."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._began = time.monotonic()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began

    def step(self, text: str) -> None:
        """A step is done, or a fact worth knowing."""
        self._say(f"{self.elapsed_s:7.2f} s  {text}")
