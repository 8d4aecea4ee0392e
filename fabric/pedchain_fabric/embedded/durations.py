# SPDX-License-Identifier: Apache-2.0
"""Durations as Go writes them, such as `10ms` or `3m0s`."""

import re

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|ms|s|m|h)")


def seconds(text: str) -> float:
    """The duration in seconds. Raises ValueError for what Go's time.ParseDuration refuses.

    Negative durations are refused too: none of our settings may be negative.
    """
    if text == "0":
        return 0.0
    total, position = 0.0, 0
    while position < len(text):
        part = _PART.match(text, position)
        if part is None:
            break
        total += float(part[1]) * _UNITS[part[2]]
        position = part.end()
    if position == 0 or position != len(text):
        raise ValueError(f'invalid duration "{text}"')
    return total
