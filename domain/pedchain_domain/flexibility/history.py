# SPDX-License-Identifier: Apache-2.0
"""What is chosen at notice, site by site: the days of its baseline, and how well such baselines met
days on which nothing was ordered (rules D4, D7, D15).

A placebo day is a like day before the notice; its baseline is made as the order's would have been
on it, from the days before it, not adjusted. So the gate judges the pool alone [our].
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pedchain_domain.calendar import Day, shifted
from pedchain_domain.flexibility import ownday
from pedchain_domain.flexibility.accuracy import LEAST_DAYS
from pedchain_domain.flexibility.adjustment import window
from pedchain_domain.flexibility.baseline import Rule, Source, mean, used
from pedchain_domain.flexibility.likedays import REACH_DAYS, Past, Search, dropped, pool
from pedchain_domain.flexibility.localclock import Profile, place
from pedchain_domain.flexibility.order import check_day
from pedchain_domain.flexibility.quantity import Direction
from pedchain_domain.intervals import MEASURED
from pedchain_domain.reasons import DomainError, Reason

Document = dict[str, Any]
DAYS_BACK = REACH_DAYS + 20
"""How far back shared days are looked at: a baseline's reach before the oldest placebo days."""
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Frame:
    """An order's places on the clock: the event's, the adjustment window's, those in between that
    tell of a load raised after notice, all that a statement shows, and for `mbma` the two hours
    beside the event, as far as they lie in its day."""

    day: Day
    notice: int
    grain: int
    event: Sequence[int]
    window: Sequence[int]
    waiting: Sequence[int]
    shown: Sequence[int]
    beside: Sequence[Sequence[int]] = ()

    @property
    def judged(self) -> list[int]:
        """Places that must have been measured on a day that serves."""
        return sorted(dict.fromkeys((*self.event, *self.window)))

    @property
    def looked_at(self) -> list[int]:
        """Places a past day is looked at."""
        hours = [where for hour in self.beside for where in hour]
        return sorted(dict.fromkeys((*self.judged, *hours)))


def frame(order: Mapping[str, Any], notice: int, day: Day) -> Frame:
    """The places of an order; whatever lies outside its day is left out. DomainError `outside-day`
    for an event that is not in the day, or in an hour the clock shows a second time [our];
    `notice-too-long` for hours beside an event that was known of before."""
    check_day(order, day)
    grain, start = order["grain"], order["start"]
    end = start + order["count"] * grain
    known = indices(day, grain)
    if any(
        known[place(day, at, grain)] != (at - day["start"]) // grain
        for at in range(start, end, grain)
    ):
        raise DomainError(Reason.OUTSIDE_DAY, "the repeated hour")
    before = [at for at in window(notice, start, grain) if day["start"] <= at]
    first = max(day["start"], min([start - 2 * 3_600, *before]))
    after = -(-max(notice, day["start"]) // grain) * grain

    def places(begin: int, until: int) -> list[int]:
        return [place(day, at, grain) for at in range(begin, min(until, day["end"]), grain)]

    hours = ownday.hours(notice, start, end) if order.get("rule") == ownday.METER else ()
    return Frame(
        day,
        notice,
        grain,
        places(start, end),
        [place(day, at, grain) for at in before],
        places(after, start),
        places(first, end + 2 * 3_600),
        [places(max(at, day["start"]), at + 3_600) for at in hours],
    )


def past(
    row: Day,
    site: Document,
    places: Sequence[int],
    grain: int,
    *,
    ordered: bool,
    absent: bool = False,
) -> Past:
    """A shared day of a site, as far as these places; what was not measured is None."""
    values, letters = site["f"], site["c"]
    at = indices(row, grain)
    found = {
        one: values[at[one]] if one in at and letters[at[one]] == MEASURED else None
        for one in places
    }
    return Past(row, found, is_ordered=ordered, is_absent=absent)


def indices(day: Day, grain: int) -> Mapping[int, int]:
    """Interval of a day by its place on the clock; of a repeated hour the first."""
    count = (day["end"] - day["start"]) // grain
    if day["end"] - day["start"] == _DAY:
        return dict(zip(range(count), range(count), strict=True))
    found: dict[int, int] = {}
    for at in range(count):
        found.setdefault(place(day, day["start"] + at * grain, grain), at)
    return found


def chosen(
    rule: Rule, framed: Frame, notice_day: str, since: str, days: Sequence[Past]
) -> list[Past]:
    """The pool of a site's baseline, newest first; DomainError `too-few-days`."""
    search = Search(framed.day, notice_day, since, framed.judged)
    found = pool(days, search, rule.most(framed.day))
    used(rule, framed.day, found, framed.event)
    return found


def placebos(
    rule: Rule,
    framed: Frame,
    notice_day: str,
    since: str,
    days: Sequence[Past],
    own: Mapping[str, Sequence[int]] | None = None,
) -> dict[str, list[tuple[int, int]]]:
    """Baseline and measured Wh at the event's places on the newest like days before the notice, as
    many as have a baseline, at most `LEAST_DAYS` and two. `own` holds the days' baselines where a
    rule makes them of the day itself."""
    wide = Search(framed.day, notice_day, since, framed.judged)
    whole = [one for one in days if one.day["day"] < notice_day]
    like = [
        one
        for one in whole
        if dropped(one, replace(wide, notice=shifted(one.day["day"], 1))) is None
    ]
    like.sort(key=lambda one: one.day["day"], reverse=True)
    found: dict[str, list[tuple[int, int]]] = {}
    for at, one in enumerate(like):
        name = one.day["day"]
        base = _placebo(rule, framed, like, at) if own is None else own.get(name)
        if len(found) == LEAST_DAYS + 2:
            break
        if base is None:
            continue
        measured = [one.values.get(where) or 0 for where in framed.event]
        found[name] = list(zip(base, measured, strict=True))
    return found


def _placebo(rule: Rule, framed: Frame, like: Sequence[Past], at: int) -> list[int] | None:
    """The baseline of a like day from those before it."""
    oldest = shifted(like[at].day["day"], -REACH_DAYS)
    before = [other for other in like[at + 1 :] if other.day["day"] >= oldest]
    before = before[: rule.most(framed.day)]
    if len(before) < rule.minimum(framed.day):
        return None
    return mean(used(rule, framed.day, before, framed.event), framed.event)


def own_bases(
    rule: Rule,
    direction: Direction,
    framed: Frame,
    days: Sequence[Past],
    schedules: Mapping[str, Sequence[int]],
) -> dict[str, list[int]] | None:
    """Baselines of days by a rule that makes them of the day itself, as far as there are any; None
    for a rule of like days."""
    if rule.source is Source.LIKE_DAYS:
        return None
    found: dict[str, list[int]] = {}
    for one in days:
        name = one.day["day"]
        base = (
            scheduled(schedules.get(name), one.day, framed, framed.event)
            if rule.source is Source.SCHEDULE
            else hourly(direction, framed, one.values)
        )
        if base is not None:
            found[name] = base
    return found


def hourly(direction: Direction, framed: Frame, values: Profile) -> list[int] | None:
    """The flat baseline of an event from the hours beside it; None where neither was measured."""
    hours = [[values.get(where) for where in hour] for hour in framed.beside]
    whole = 3_600 // framed.grain
    known = [
        [wh for wh in hour if wh is not None] if len(hour) == whole and None not in hour else []
        for hour in hours
    ]
    try:
        return [ownday.level(direction, *known)] * len(framed.event)
    except DomainError:
        return None


def scheduled(
    schedule: Sequence[int] | None, day: Day, framed: Frame, places: Sequence[int]
) -> list[int] | None:
    """A day's schedule at places of the clock; None where there is none of them."""
    at = indices(day, framed.grain)
    if schedule is None or any(where not in at for where in places):
        return None
    return [schedule[at[where]] for where in places]
