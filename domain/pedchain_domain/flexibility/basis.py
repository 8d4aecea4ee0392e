# SPDX-License-Identifier: Apache-2.0
"""A site's baseline over the hours a statement shows, by whichever rule the order names (rules D4
to D6)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pedchain_domain.flexibility import adjustment, gaming
from pedchain_domain.flexibility.adjustment import Kept, Level
from pedchain_domain.flexibility.baseline import Adjusted, Rule, Source, mean, used
from pedchain_domain.flexibility.figure import period_at
from pedchain_domain.flexibility.history import Frame, hourly, indices, scheduled
from pedchain_domain.flexibility.likedays import Past
from pedchain_domain.flexibility.quantity import Direction
from pedchain_domain.intervals import MEASURED, MISSING
from pedchain_domain.numbers import split_list

Document = dict[str, Any]
_HOUR = 3_600


@dataclass(frozen=True, slots=True)
class Asked:
    """What all sites of an order are measured by: its direction, rule and places, the filing period
    that was open at notice."""

    direction: Direction
    rule: Rule
    framed: Frame
    period: int


class Basis(NamedTuple):
    """The baseline of the places shown, Wh, how it was brought to the level of the day, and the
    days it is made of."""

    base: list[int]
    level: Level
    pool: Sequence[Past]


def basis(
    asked: Asked, site: Document, days: Sequence[Past], schedule: Sequence[int] | None
) -> Basis | None:
    """The baseline of a site from its shared day, the frozen days as they stand, or the frozen
    schedule; None where too little of them is left."""
    framed = asked.framed
    if asked.rule.source is Source.LIKE_DAYS:
        if len(days) < asked.rule.minimum(framed.day):
            return None
        pool = used(asked.rule, framed.day, days, framed.event)
        level = level_of(asked, site, pool)
        return Basis(level.applied(mean(pool, framed.shown)), level, pool)
    if asked.rule.source is Source.SCHEDULE:
        base = scheduled(schedule, framed.day, framed, framed.shown)
    else:
        flat = hourly(asked.direction, framed, _hours(asked, site))
        base = None if flat is None else [flat[0]] * len(framed.shown)
    return None if base is None else Basis(base, Level(kept=Kept.NO_ADJUSTMENT), ())


def _hours(asked: Asked, site: Document) -> Mapping[int, int | None]:
    at = indices(asked.framed.day, asked.framed.grain)
    places = [where for hour in asked.framed.beside for where in hour]
    return {
        where: site["f"][at[where]] if _is_measured(site, at[where]) else None for where in places
    }


def level_of(asked: Asked, site: Document, pool: Sequence[Past]) -> Level:
    """How the baseline is brought to the level of the day."""
    framed, rule = asked.framed, asked.rule
    if rule.adjusted is Adjusted.NOT:
        return Level(kept=Kept.NO_ADJUSTMENT)
    day, grain = framed.day, framed.grain
    start = day["start"] + indices(day, grain)[framed.event[0]] * grain
    wanted = adjustment.window(framed.notice, start, grain)
    actual = [_before_notice(asked, site, where) for where in framed.window]
    kept = adjustment.reason_to_keep(day, framed.notice, start, wanted, actual)
    if kept is None and is_loaded(asked, site, pool):
        kept = Kept.LOADED_AFTER_NOTICE
    if kept is not None:
        return Level(kept=kept)
    known = [wh or 0 for wh in actual]
    base = mean(pool, framed.window)
    if rule.adjusted is Adjusted.RATIO:
        return adjustment.by_ratio(known, base)
    return adjustment.by_difference(known, base, mean(pool, framed.event))


def is_loaded(asked: Asked, site: Document, pool: Sequence[Past]) -> bool:
    """Whether the load rose between notice and start; a rule without days has nothing to raise."""
    if not pool:
        return False
    at = indices(asked.framed.day, asked.framed.grain)
    waiting = asked.framed.waiting
    measured = [known(site, at, where) for where in waiting]
    return gaming.loaded_after_notice([wh or 0 for wh in measured], mean(pool, waiting))


def _before_notice(asked: Asked, site: Document, where: int) -> int | None:
    """A measured value of the window that was filed before the notice."""
    at = indices(asked.framed.day, asked.framed.grain)[where]
    period = period_at(site["p"], at)
    is_known = period is not None and period < asked.period
    return site["f"][at] if is_known and _is_measured(site, at) else None


def _is_measured(site: Document, at: int) -> bool:
    return bool(site["c"][at] == MEASURED)


def known(site: Document, at: Mapping[int, int], where: int) -> int | None:
    """What a site used at a place, measured or bridged, Wh."""
    return None if site["c"][at[where]] == MISSING else int(site["f"][at[where]])


def traded(framed: Frame, sold: Mapping[int, int]) -> list[int]:
    """What a storage site sold to its peers in each interval of the event, Wh; `sold` is by the
    hour's start (UTC s), divided evenly over all of the hour (rules D6)."""
    at = indices(framed.day, framed.grain)
    found = []
    for where in framed.event:
        instant = framed.day["start"] + at[where] * framed.grain
        hour = instant // _HOUR * _HOUR
        parts = split_list(sold.get(hour, 0), [1] * (_HOUR // framed.grain))[0]
        found.append(parts[(instant - hour) // framed.grain])
    return found
