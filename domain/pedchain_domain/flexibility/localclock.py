# SPDX-License-Identifier: Apache-2.0
"""Intervals of a local day by the clock on the wall, to compare days with each other (rules T5).

On a day of 23 hours the skipped hour's places stay empty; on one of 25 the repeated hour's two
occurrences share their places, and as history the first one speaks. Clocks in the European Union
change at 01:00 UTC (Directive 2000/84/EC, article 3), which is all that is known of time zones.
"""

from collections.abc import Mapping

from pedchain_domain.calendar import Day
from pedchain_domain.instants import DAY

_CHANGE = 3_600
"""Seconds after midnight UTC at which clocks change."""

Profile = Mapping[int, int | None]
"""Wh by place on the clock; None, or no entry, where nothing was measured."""


def place(day: Day, instant: int, grain: int) -> int:
    """The place of the interval at `instant`, counted from local midnight in steps of `grain`."""
    hours = (day["end"] - day["start"]) // 3_600
    change = day["start"] + (_CHANGE - day["start"]) % DAY
    skipped = 24 - hours if instant >= change else 0
    return (instant - day["start"] + skipped * 3_600) // grain


def by_clock(day: Day, values: Mapping[int, int | None], grain: int) -> Profile:
    """The day's values by place; `values` is Wh by instant of the interval's start."""
    found: dict[int, int | None] = {}
    for instant in sorted(values):
        found.setdefault(place(day, instant, grain), values[instant])
    return found
