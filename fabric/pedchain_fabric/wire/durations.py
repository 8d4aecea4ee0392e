# SPDX-License-Identifier: Apache-2.0
"""Durations as Go writes them, such as `10ms` or `3m0s`."""

import re

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_LONGEST_S = (2**63 - 1) / 1e9  # Go counts nanoseconds in 64 bits
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
        if total > _LONGEST_S:
            break
        position = part.end()
    if position == 0 or position != len(text) or total > _LONGEST_S:
        raise ValueError(f'invalid duration "{text}"')
    return total


def milliseconds(text: str) -> int:
    """The duration in whole milliseconds. Raises ValueError."""
    return round(seconds(text) * 1000)


def duration(ms: int) -> str:
    """Milliseconds as Go prints a duration (`10ms`, `1.5s`, `3m0s`, `1h0m0s`)."""
    if ms < 1000:
        return f"{ms}ms" if ms else "0s"
    minutes, rest = divmod(ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    whole, fraction = divmod(rest, 1000)
    text = f"{whole}.{fraction:03d}".rstrip("0").rstrip(".") + "s"
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text
