# SPDX-License-Identifier: Apache-2.0
"""Progress for people: one line per stage with the seconds since the start."""

import time


class Progress:
    """Prints as it goes; `elapsed_s` is what the last line of the demo says."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self._start

    def __call__(self, text: str) -> None:
        print(f"{self.elapsed_s:6.1f} s  {text}", flush=True)
