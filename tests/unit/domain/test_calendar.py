# SPDX-License-Identifier: Apache-2.0
import pytest

from pedchain_domain import bounds, calendar
from pedchain_domain.calendar import Day
from pedchain_domain.reasons import DomainError, Reason
from tests.unit.domain import homes

# Europe/Rome (rules T1): the day before, and the short and the long day of 2026.
SPRING: list[Day] = [
    {"day": "2026-03-28", "start": 1774652400, "end": 1774738800, "type": "saturday"},
    {"day": "2026-03-29", "start": 1774738800, "end": 1774821600, "type": "sunday_or_holiday"},
]
AUTUMN: Day = {
    "day": "2026-10-25",
    "start": 1792879200,
    "end": 1792969200,
    "type": "sunday_or_holiday",
}


def test_local_days_have_92_96_or_100_quarter_hours() -> None:
    calendar.check(SPRING)
    calendar.check([AUTUMN])
    counts = [len(calendar.boundaries(day, 900)) - 1 for day in (*SPRING, AUTUMN)]
    assert counts == [96, 92, 100]


def test_a_day_needs_its_closing_boundary() -> None:
    assert calendar.boundaries(SPRING[0], 900)[-1] == SPRING[1]["start"]


def test_days_are_found_by_name_and_instant() -> None:
    assert calendar.find(SPRING, "2026-03-29") is SPRING[1]
    assert calendar.day_at(SPRING, 1774738800) is SPRING[1]
    assert calendar.day_at(SPRING, 1774738799) is SPRING[0]
    assert calendar.day_at(SPRING, 1774821600) is None
    assert calendar.day_at(SPRING, 1) is None
    with pytest.raises(DomainError) as caught:
        calendar.find(SPRING, "2026-03-30")
    assert caught.value.reason == Reason.UNKNOWN_DAY


def test_a_register_at_midnight_closes_one_day_and_opens_the_next() -> None:
    assert calendar.touched(SPRING, 1774738800 - 9, 1774738800 + 9) == SPRING
    assert calendar.touched(SPRING, 1774738791 - 9, 1774738791 + 9) == SPRING
    assert calendar.touched(SPRING, 1774738809 - 9, 1774738809 + 9) == SPRING
    assert calendar.touched(SPRING, 1774738790 - 9, 1774738790 + 9) == SPRING[:1]
    assert calendar.touched(SPRING, 1774738810 - 9, 1774738810 + 9) == SPRING[1:]
    assert calendar.touched(SPRING, 1774821600 - 9, 1774821600 + 9) == SPRING[1:]


def test_like_intervals_of_the_short_and_the_long_day_share_a_clock_index() -> None:
    short, long = SPRING[1], AUTUMN
    assert [bounds.local_index(at, short, 900) for at in (0, 7, 8, 91)] == [0, 7, 12, 95]
    assert [bounds.local_index(at, long, 900) for at in (7, 8, 11, 12, 15, 16, 99)] == [
        7, 8, 11, 8, 11, 12, 95,
    ]  # fmt: skip
    assert [bounds.local_index(at, SPRING[0], 3600) for at in (0, 23)] == [0, 23]


def test_the_doubled_hour_keeps_its_first_occurrence_as_history() -> None:
    values = list(range(100))
    found = bounds.draws_of(values, "M" * 100, AUTUMN, 900)
    assert found[8:12] == [8, 9, 10, 11]
    assert found[12] == 16
    short = bounds.draws_of(values[:92], "M" * 92, SPRING[1], 900)
    assert short[8:12] == [None] * 4


def test_days_are_named_by_arithmetic() -> None:
    assert calendar.shifted("2026-02-28", 1) == "2026-03-01"
    assert calendar.shifted("2026-01-01", -365) == "2025-01-01"
    assert len(homes.days(3)) == 3


def test_the_tolerance_is_a_hundredth_of_the_interval() -> None:
    assert (calendar.tolerance(900), calendar.tolerance(3600)) == (9, 36)
