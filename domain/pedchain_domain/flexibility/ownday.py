# SPDX-License-Identifier: Apache-2.0
"""Baselines from the event's own day: meter before and after, and a declared schedule (rules D4).

`mbma` serves orders at short notice: the last full hour before and the first an hour after the
event, whichever of them pays less, or the one that was measured. `declared` is the schedule a site
committed to before notice. It is believed unless a month's schedules missed on intervals without
events: then not for 30 days after that month.
"""

from collections.abc import Sequence

from pedchain_domain.calendar import shifted
from pedchain_domain.flexibility.quantity import Direction
from pedchain_domain.reasons import DomainError, Reason

METER, DECLARED = "mbma", "declared"
MOST_NOTICE_S = 900
"""The longest notice for which hours before it are free of any reaction to it."""
DISTRUST_DAYS = 30
MOST_WH = 10**9
_FAULT_PERCENT = 20


def hours(notice: int, start: int, end: int) -> tuple[int, int]:
    """Starts of the two hours; DomainError `notice-too-long`."""
    if start - notice > MOST_NOTICE_S:
        raise DomainError(Reason.NOTICE_TOO_LONG)
    before = min(notice, start) // 3_600 * 3_600 - 3_600
    return before, -(-(end + 3_600) // 3_600) * 3_600


def level(direction: Direction, before: Sequence[int], after: Sequence[int]) -> int:
    """The flat baseline of every interval, Wh: of the two hours' means, the one that pays less.

    An hour without values was not measured; DomainError `too-few-days` if neither was.
    """
    means = [sum(hour) // len(hour) for hour in (before, after) if hour]
    if not means:
        raise DomainError(Reason.TOO_FEW_DAYS, "an hour beside the event")
    return min(means) if direction is Direction.DOWN else max(means)


def is_trusted(declared: Sequence[int], measured: Sequence[int]) -> bool:
    """Whether the schedules of a month came true on intervals without events: deviations of at
    most a fifth of what was measured. If not, the site may declare none for `DISTRUST_DAYS`."""
    missed = sum(abs(plan - wh) for plan, wh in zip(declared, measured, strict=True))
    return missed * 100 <= sum(measured) * _FAULT_PERCENT


def judged_month(notice_day: str) -> str | None:
    """The month, as `2026-01`, whose schedules decide whether the site's are believed; None once it
    ended more than `DISTRUST_DAYS` ago."""
    last = shifted(f"{notice_day[:7]}-01", -1)
    return last[:7] if shifted(last, DISTRUST_DAYS) >= notice_day else None
