# SPDX-License-Identifier: Apache-2.0
"""The table of baselines, and those from like days: which days count, and their mean (rules D4).

    10of10    mean of all, ratio            CAISO tariff 4.13.4
    high5of10 the five highest, ratio       NYISO day-ahead demand response
    high4of5  the four highest, difference  PJM manual 11
    mid8of10  without highest and lowest    ERCOT
    mean10    mean of all, not adjusted
    mbma      the hours beside the event, and `declared`: a schedule; see `ownday`

Highest and lowest go by the energy in the event's window, the newer first where equal. A rule that
takes the highest days is refused for an increase, where it would favour who pays.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from pedchain_domain.calendar import Day
from pedchain_domain.flexibility.likedays import Past, is_working
from pedchain_domain.flexibility.ownday import DECLARED, METER
from pedchain_domain.flexibility.quantity import Direction
from pedchain_domain.reasons import DomainError, Reason

DEFAULT = "10of10"
BOTH = (Direction.DOWN, Direction.UP)


class Adjusted(StrEnum):
    """How a baseline is brought to the level of the event's own day (rules D5)."""

    RATIO = "ratio"
    DIFFERENCE = "difference"
    NOT = "not"


class Source(StrEnum):
    """What a baseline is made of."""

    LIKE_DAYS = "like-days"
    HOURS = "hours"
    SCHEDULE = "schedule"


class Rule(NamedTuple):
    """A row of the table: days of the pool and the least of them (on working days; on others),
    how many of the highest and of the lowest are left out, adjustment, directions, and what it is
    made of if not of like days."""

    pool: int
    pool_off: int
    least: int
    least_off: int
    without_highest: int
    without_lowest: int
    adjusted: Adjusted
    directions: Sequence[Direction]
    source: Source = Source.LIKE_DAYS

    def most(self, event: Day) -> int:
        """Days in the pool for an event on this day."""
        return self.pool if is_working(event) else self.pool_off

    def minimum(self, event: Day) -> int:
        """The fewest days that make a baseline."""
        return self.least if is_working(event) else self.least_off


RULES = {
    "10of10": Rule(10, 4, 5, 4, 0, 0, Adjusted.RATIO, BOTH),
    "high5of10": Rule(10, 10, 10, 10, 0, 5, Adjusted.RATIO, (Direction.DOWN,)),
    "high4of5": Rule(5, 5, 5, 5, 0, 1, Adjusted.DIFFERENCE, (Direction.DOWN,)),
    "mid8of10": Rule(10, 10, 10, 10, 1, 1, Adjusted.RATIO, BOTH),
    "mean10": Rule(10, 4, 5, 4, 0, 0, Adjusted.NOT, BOTH),
    METER: Rule(0, 0, 0, 0, 0, 0, Adjusted.NOT, BOTH, Source.HOURS),
    DECLARED: Rule(0, 0, 0, 0, 0, 0, Adjusted.NOT, BOTH, Source.SCHEDULE),
}


def rule(name: str, direction: Direction) -> Rule:
    """The rule of that name; DomainError `unknown-baseline`, `direction-refused`."""
    found = RULES.get(name)
    if found is None:
        raise DomainError(Reason.UNKNOWN_BASELINE)
    if direction not in found.directions:
        raise DomainError(Reason.DIRECTION_REFUSED)
    return found


def used(found: Rule, event: Day, pool: Sequence[Past], places: Sequence[int]) -> list[Past]:
    """The days of the pool (newest first) that count; DomainError `too-few-days`."""
    if len(pool) < found.minimum(event):
        raise DomainError(Reason.TOO_FEW_DAYS)
    ranked = sorted(pool, key=lambda past: -energy(past, places))  # stable: newer first
    return ranked[found.without_highest : len(ranked) - found.without_lowest]


def energy(past: Past, places: Sequence[int]) -> int:
    """What the site used at these places of the day, Wh."""
    return sum(past.values.get(place) or 0 for place in places)


def mean(days: Sequence[Past], places: Sequence[int]) -> list[int]:
    """The mean of the days at each place, Wh, floored."""
    return [sum(past.values.get(place) or 0 for past in days) // len(days) for place in places]
