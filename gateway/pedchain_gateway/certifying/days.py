# SPDX-License-Identifier: Apache-2.0
"""Which days of a district are due for which run (rules C1). Pure.

A day is closed three times: preliminary when it has ended, F on the tenth day after it, FINAL on
the sixtieth. Days are rows of the ledger's calendar, so no time zone is needed here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import dropwhile

RUNS = ("P", "F", "FINAL")
_DAYS_AFTER_END = {"P": 0, "F": 9, "FINAL": 59}
LOOK_BACK_DAYS = 64
"""Older days are FINAL, or need a person."""


@dataclass(frozen=True, slots=True, order=True)
class Day:
    """A row of a calendar: name, first second, first second after it (UTC epoch seconds)."""

    start: int
    end: int
    day: str


@dataclass(frozen=True, slots=True)
class Due:
    """A day that can be closed by a run."""

    day: str
    run: str


def rows(calendars: Iterable[Mapping[str, object]]) -> list[Day]:
    """The days of a district's calendars, in order of time. ValueError for another shape."""
    found: set[Day] = set()
    for calendar in calendars:
        listed = calendar.get("rows")
        if not isinstance(listed, list):
            raise ValueError("a calendar has no rows")
        found.update(Day(int(row["start"]), int(row["end"]), str(row["day"])) for row in listed)
    return sorted(found)


def ended(days: Sequence[Day], now: float) -> list[Day]:
    """The days that are over."""
    return [day for day in days if day.end <= now]


def due(
    days: Sequence[Day], held: Mapping[str, str], now: float, first: str | None = None
) -> list[Due]:
    """What can be closed now, in the order in which it must be.

    `held` is the run in force by day. Without any, closing begins with `first`, else with the
    last day that has ended: the days before may never have been metered.
    """
    over = ended(days, now)
    if not over:
        return []
    begin = min(held, default=first or over[-1].day)
    candidates = list(dropwhile(lambda one: one.day < begin, over))
    former = dict(zip(RUNS, (None, *RUNS), strict=False))
    return [
        Due(day.day, run)
        for run in RUNS
        for day in candidates
        if held.get(day.day) == former[run] and day.end + _DAYS_AFTER_END[run] * 86_400 <= now
    ]
