# SPDX-License-Identifier: Apache-2.0
"""What a command tells while it works: one line per step, with the seconds since its start."""

import json
import time
from collections.abc import Callable


def plain(after_s: float, text: str) -> str:
    """For people."""
    return f"{after_s:7.2f} s  {text}"


def document(after_s: float, text: str) -> str:
    """For machines: one JSON document a line."""
    return json.dumps({"after_s": round(after_s, 2), "step": text})


class Progress:
    """Counts from its creation; `say` takes lines finished by `form`."""

    def __init__(
        self, say: Callable[[str], None], form: Callable[[float, str], str] = plain
    ) -> None:
        self._say = say
        self._form = form
        self._began = time.monotonic()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began

    def step(self, text: str) -> None:
        """A step is done, or a fact worth knowing."""
        self._say(self._form(self.elapsed_s, text))
