# SPDX-License-Identifier: Apache-2.0
"""What a home will use and make, from what it did: simple methods, said plainly.

Use of a slot: the mean of the same slot on the last four like days (working days, or weekends).
Sun of a slot: the mean of the same slot on the last three days. A slot that was not measured on
any of them is the mean of all that were. A quantile is of the same slot over the last ten days.
"""

from collections.abc import Mapping

DAY_S = 86_400
LIKE_DAYS, LOOKED_BACK, SUN_DAYS, QUANTILE_DAYS = 4, 28, 3, 10
Series = Mapping[int, int]
"""Wh by the slot's begin (UTC epoch seconds)."""


def use(past: Series, start: int, step_s: int, slots: int) -> list[int]:
    """Wh a slot, from like days."""
    return [_mean(past, _like(past, start + at * step_s, start)) for at in range(slots)]


def sun(past: Series, start: int, step_s: int, slots: int) -> list[int]:
    """Wh a slot, as on the last days."""
    return [_mean(past, _days(past, start + at * step_s, start, SUN_DAYS)) for at in range(slots)]


def quantile(past: Series, instant: int, now: int, percent: int) -> int:
    """What was reached or passed on all but `percent` of the last ten days at this time of day; 0
    where nothing is known. It is what may be promised."""
    found = sorted(_days(past, instant, now, QUANTILE_DAYS))
    return found[len(found) * percent // 100] if found else 0


def _like(past: Series, instant: int, now: int) -> list[int]:
    found = []
    for back in range(1, LOOKED_BACK + 1):
        at = instant - back * DAY_S
        if at < now and at in past and _is_weekend(at) == _is_weekend(instant):
            found.append(past[at])
        if len(found) == LIKE_DAYS:
            break
    return found


def _days(past: Series, instant: int, now: int, days: int) -> list[int]:
    first = (instant - now) // DAY_S + 1
    before = (instant - back * DAY_S for back in range(first, first + days))
    return [past[at] for at in before if at in past]


def _mean(past: Series, found: list[int]) -> int:
    if not found:
        return sum(past.values()) // len(past) if past else 0
    return sum(found) // len(found)


def _is_weekend(instant: int) -> bool:
    return (instant // DAY_S + 3) % 7 >= 5
