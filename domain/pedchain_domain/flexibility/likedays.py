# SPDX-License-Identifier: Apache-2.0
"""The days a baseline is made of: the newest like days before the notice (rules D4).

Working days are like each other, and so are all others. The list is frozen at notice with the
reason for every day that was passed over, so that nobody can choose it afterwards.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pedchain_domain.calendar import Day, shifted
from pedchain_domain.flexibility.localclock import Profile

REACH_DAYS = 45
"""How far before the notice day a day may lie."""


class Dropped(StrEnum):
    """Why a day is not in the pool."""

    OTHER_TYPE = "other-day-type"
    OUT_OF_REACH = "out-of-reach"
    BEFORE_TERM = "before-occupancy-or-plan"
    ORDERED = "ordered"
    ABSENT = "declared-absence"
    NOT_MEASURED = "not-measured"


@dataclass(frozen=True, slots=True)
class Past:
    """One past day of a site."""

    day: Day
    values: Profile
    is_ordered: bool = False
    is_absent: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """What the days are wanted for: the event's day, the notice day, the first day of occupancy
    and meter plan, and the places of event and adjustment window that must be measured."""

    event: Day
    notice: str
    since: str
    places: Sequence[int]


def is_working(day: Day) -> bool:
    """Whether it is an ordinary working day; Saturdays, Sundays and holidays are not."""
    return day["type"] == "working"


def dropped(past: Past, search: Search) -> Dropped | None:
    """Why the day is passed over; None if it may serve."""
    name = past.day["day"]
    if not shifted(search.notice, -REACH_DAYS) <= name < search.notice:
        return Dropped.OUT_OF_REACH
    if is_working(past.day) != is_working(search.event):
        return Dropped.OTHER_TYPE
    if name < search.since:
        return Dropped.BEFORE_TERM
    if past.is_ordered:
        return Dropped.ORDERED
    if past.is_absent:
        return Dropped.ABSENT
    if any(past.values.get(place) is None for place in search.places):
        return Dropped.NOT_MEASURED
    return None


def pool(history: Iterable[Past], search: Search, most: int) -> list[Past]:
    """At most `most` days that may serve, newest first."""
    usable = [past for past in history if dropped(past, search) is None]
    return sorted(usable, key=lambda past: past.day["day"], reverse=True)[:most]
