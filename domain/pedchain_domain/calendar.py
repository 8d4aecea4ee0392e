# SPDX-License-Identifier: Apache-2.0
"""Local market days as rows `{day, start, end, type}` written to the ledger ahead (rules T1, T3).

A day has 92, 96 or 100 quarter-hours; `start` and `end` are epoch seconds, end exclusive. Rows of
a calendar are consecutive: each starts where the one before ends.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import TypedDict

from pedchain_domain import instants
from pedchain_domain.reasons import DomainError, Reason

TYPES = ("working", "saturday", "sunday_or_holiday")
_LENGTHS = (23 * 3600, 24 * 3600, 25 * 3600)


class Day(TypedDict):
    """One local market day."""

    day: str
    start: int
    end: int
    type: str


def tolerance(grain: int) -> int:
    """How far from a boundary a register may be read and still serve it, seconds (rules T2)."""
    return grain // 100


def find(rows: Sequence[Day], day: str) -> Day:
    """The row of a day; DomainError `unknown-day`."""
    for row in rows:
        if row["day"] == day:
            return row
    raise DomainError(Reason.UNKNOWN_DAY)


def day_at(rows: Sequence[Day], instant: int) -> Day | None:
    """The row whose [start, end) holds the instant, or None; rows in ascending order."""
    at = bisect_right(rows, instant, key=lambda row: row["start"]) - 1
    return rows[at] if at >= 0 and instant < rows[at]["end"] else None


def touched(rows: Sequence[Day], first: int, last: int) -> list[Day]:
    """Rows whose closed span [start, end] meets [first, last]; rows in ascending order."""
    at = bisect_left(rows, first, key=lambda row: row["end"])
    found = []
    while at < len(rows) and rows[at]["start"] <= last:
        found.append(rows[at])
        at += 1
    return found


def boundaries(row: Day, grain: int) -> list[int]:
    """All boundaries of a day, the closing one included (rules T3)."""
    return list(range(row["start"], row["end"] + 1, grain))


def shifted(day: str, days: int) -> str:
    """The name of the day so many days later (or earlier)."""
    return instants.format_day(instants.parse_day(day) + days)


def check(rows: Sequence[Day], grain: int = 900) -> None:
    """Refuse rows that are not consecutive local days on the grain; DomainError."""
    for row, after in pairwise(rows):
        if row["end"] != after["start"] or shifted(row["day"], 1) != after["day"]:
            raise DomainError(Reason.MALFORMED_DOCUMENT, "rows are not consecutive")
    for row in rows:
        instants.parse_day(row["day"])
        if (
            row["end"] - row["start"] not in _LENGTHS
            or row["start"] % grain
            or row["type"] not in TYPES
        ):
            raise DomainError(Reason.MALFORMED_DOCUMENT, "row")
