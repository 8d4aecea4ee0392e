# SPDX-License-Identifier: Apache-2.0
"""UTC epoch seconds from calendar text, by our own arithmetic (blueprint 7).

No time zone database and no library parser: those differ between versions and machines. Local
market days are rows of the calendar on the ledger (rules T1).
"""

import re
from functools import lru_cache
from typing import NamedTuple

from pedchain_domain.reasons import DomainError, Reason

DAY = 86_400
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})\Z")
_OCMF = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2}),([0-9]{3})"
    r"([+-])([0-9]{2})([0-9]{2}) ([UISR])\Z"
)


class Stamp(NamedTuple):
    """An OCMF time: epoch seconds (floored) and the clock's state U, I, S or R."""

    instant: int
    state: str


def _days_in_month(year: int, month: int) -> int:
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 29 if month == 2 and leap else _MONTH_DAYS[month - 1]


def days_from_civil(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the proleptic Gregorian calendar."""
    shifted = year - (month <= 2)
    era = shifted // 400
    year_of_era = shifted - era * 400
    month_from_march = (month + 9) % 12
    day_of_year = (153 * month_from_march + 2) // 5 + day - 1
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    return era * 146_097 + day_of_era - 719_468


def civil_from_days(days: int) -> tuple[int, int, int]:
    """Inverse of `days_from_civil`: (year, month, day)."""
    shifted = days + 719_468
    era = shifted // 146_097
    day_of_era = shifted - era * 146_097
    year_of_era = (
        day_of_era - day_of_era // 1_460 + day_of_era // 36_524 - day_of_era // 146_096
    ) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month_from_march = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month_from_march + 2) // 5 + 1
    month = month_from_march + 3 if month_from_march < 10 else month_from_march - 9
    return year_of_era + era * 400 + (month <= 2), month, day


def parse_day(text: str) -> int:
    """Days since 1970-01-01 of `YYYY-MM-DD`; DomainError `malformed-time`."""
    match = _DAY.match(text)
    if match:
        year, month, day = (int(group) for group in match.groups())
        if year >= 1970 and 1 <= month <= 12 and 1 <= day <= _days_in_month(year, month):
            return days_from_civil(year, month, day)
    raise DomainError(Reason.MALFORMED_TIME)


def format_day(days: int) -> str:
    """`YYYY-MM-DD` of days since 1970-01-01."""
    year, month, day = civil_from_days(days)
    return f"{year:04d}-{month:02d}-{day:02d}"


@lru_cache(maxsize=4_096)  # a street's meters are all read at the same instants
def parse_ocmf(text: str) -> Stamp:
    """Epoch seconds and clock state of an OCMF `TM`, such as `2026-11-20T00:15:00,000+0100 S`.

    Fractions of a second are floored; leap seconds and instants before 1970 are refused.
    DomainError `malformed-time`. (OCMF 1.4.1, reading data.)
    """
    match = _OCMF.match(text)
    if match is None:
        raise DomainError(Reason.MALFORMED_TIME)
    day, sign, state = match[1], match[6], match[9]
    hour, minute, second, offset_hours, offset_minutes = (
        int(match[group]) for group in (2, 3, 4, 7, 8)
    )
    if hour > 23 or minute > 59 or second > 59 or offset_hours > 23 or offset_minutes > 59:
        raise DomainError(Reason.MALFORMED_TIME)
    offset = offset_hours * 3600 + offset_minutes * 60
    local = parse_day(day) * DAY + hour * 3600 + minute * 60 + second
    instant = local - offset if sign == "+" else local + offset
    if instant < 0:
        raise DomainError(Reason.MALFORMED_TIME)
    return Stamp(instant, state)


def format_ocmf(instant: int, state: str = "S") -> str:
    """The OCMF `TM` of an epoch second, in UTC."""
    days, second = instant // DAY, instant % DAY
    hour, minute = second // 3600, second // 60 % 60
    return f"{format_day(days)}T{hour:02d}:{minute:02d}:{second % 60:02d},000+0000 {state}"
