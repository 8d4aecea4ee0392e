# SPDX-License-Identifier: Apache-2.0
"""Bringing a baseline to the level of the event's own day (rules D5).

The window is the three hours that end one hour before notice or start, whichever comes first: what
a site does once it knows of the event cannot raise its baseline. Where the window says too little
the baseline stays as it is, and the reason stands on the statement.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from pedchain_domain.calendar import Day
from pedchain_domain.numbers import PPM

LOWEST, HIGHEST = 800_000, 1_200_000
"""Bounds of the ratio, ppm."""
MOST_LEAD_S = 6 * 3_600
"""With more time than this between window and start the window says nothing of the event."""
LITTLE_WH = 50
"""Mean baseline per interval of the window below which a ratio is chance."""
_FROM_S, _TO_S = 4 * 3_600, 3_600


class Kept(StrEnum):
    """Why a baseline is not adjusted."""

    EARLY_NOTICE = "notice-too-early"
    OTHER_DAY = "window-before-midnight"
    NOT_MEASURED = "window-not-measured-before-notice"
    LITTLE_LOAD = "little-load"
    LOADED_AFTER_NOTICE = "load-after-notice"
    NO_ADJUSTMENT = "rule-without-adjustment"


class Level(NamedTuple):
    """How a baseline is adjusted: times `ratio` ppm plus `difference` Wh, and why not."""

    ratio: int = PPM
    difference: int = 0
    kept: Kept | None = None

    def applied(self, base: Sequence[int]) -> list[int]:
        """The baseline at the level of the day, Wh."""
        return [wh * self.ratio // PPM + self.difference for wh in base]


def window(notice: int, start: int, grain: int) -> list[int]:
    """The whole intervals between four and one hours before notice or start."""
    anchor = min(notice, start)
    first = -(-(anchor - _FROM_S) // grain) * grain
    return list(range(first, (anchor - _TO_S) // grain * grain, grain))


def reason_to_keep(
    day: Day, notice: int, start: int, intervals: Sequence[int], actual: Sequence[int | None]
) -> Kept | None:
    """Whether the window may speak at all; `actual` holds None where no reading of class M was
    committed before the notice."""
    if start - min(notice, start) > MOST_LEAD_S:
        return Kept.EARLY_NOTICE
    if not intervals or intervals[0] < day["start"]:
        return Kept.OTHER_DAY
    if any(wh is None for wh in actual):
        return Kept.NOT_MEASURED
    return None


def by_ratio(actual: Sequence[int], base: Sequence[int]) -> Level:
    """Times what the day used over what the baseline says, between 0.8 and 1.2."""
    if sum(base) < LITTLE_WH * len(base):
        return Level(kept=Kept.LITTLE_LOAD)
    return Level(ratio=min(HIGHEST, max(LOWEST, sum(actual) * PPM // sum(base))))


def by_difference(actual: Sequence[int], base: Sequence[int], event: Sequence[int]) -> Level:
    """Plus the mean difference, within a fifth of the event's mean baseline."""
    most = abs(sum(event)) // len(event) * (HIGHEST - PPM) // PPM
    moved = (sum(actual) - sum(base)) // len(base)
    return Level(difference=min(most, max(-most, moved)))
