# SPDX-License-Identifier: Apache-2.0
"""One site's account of one order (rules D4 to D10, D14, D17), from which portfolios are summed.

    {dispatched, baseline, measured, letters, shown: {event, baseline, measured}, days, ratio,
     difference, kept, flags, contributed, rebound: [Wh, ppm]}

Wh by interval of the event; `shown` is the hours around it, which it begins in at place `event`.
`kept` says why the baseline was not adjusted. A site that is flagged as not payable neither earns
nor helps the portfolio.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pedchain_domain.flexibility import adjustment, gaming
from pedchain_domain.flexibility.adjustment import Kept, Level
from pedchain_domain.flexibility.baseline import Adjusted, Rule, mean, used
from pedchain_domain.flexibility.figure import period_at
from pedchain_domain.flexibility.history import Frame, indices
from pedchain_domain.flexibility.likedays import Past
from pedchain_domain.flexibility.quantity import Direction, assumed
from pedchain_domain.flexibility.rebound import rebound
from pedchain_domain.flexibility.remuneration import contribution
from pedchain_domain.intervals import MEASURED, MISSING

Document = dict[str, Any]


class Flag(StrEnum):
    """Why a site is treated differently."""

    LOADED = "load-after-notice"
    GENERATION_OFF = "generation-off"
    TOO_FEW_DAYS = "too-few-days"


NOT_PAYABLE = (Flag.GENERATION_OFF, Flag.TOO_FEW_DAYS)


@dataclass(frozen=True, slots=True)
class Asked:
    """What all sites of an order are measured by: its direction, rule and places, the filing period
    that was open at notice."""

    direction: Direction
    rule: Rule
    framed: Frame
    period: int


def statement(
    asked: Asked,
    site: Document,
    days: Sequence[Past],
    dispatched: int,
    neighbours: Mapping[str, tuple[int, int]],
) -> Document:
    """The statement of a site from its shared day; `days` are the frozen ones as they stand,
    `dispatched` Wh over the event, `neighbours` generation and W of others in the window."""
    framed, at = asked.framed, indices(asked.framed.day, asked.framed.grain)
    left = [one for one in days if all(one.values.get(where) is not None for where in framed.event)]
    flags = _flags(asked, site, left, neighbours)
    measured = [_known(site, at, where) for where in framed.shown]
    if Flag.TOO_FEW_DAYS in flags:
        base, level = [wh or 0 for wh in measured], Level()
        pool: list[Past] = []
    else:
        pool = used(asked.rule, framed.day, left, framed.event)
        level = level_of(asked, site, pool)
        base = level.applied(mean(pool, framed.shown))
    first = framed.shown.index(framed.event[0])
    event = slice(first, first + len(framed.event))
    pairs = _pairs(asked, base[event], measured[event], pool)
    if any(flag in NOT_PAYABLE for flag in flags):
        pairs = [_never_helps(asked.direction, *pair) for pair in pairs]
    payable = not any(flag in NOT_PAYABLE for flag in flags)
    beside = [(b, wh) for b, wh in zip(base, measured, strict=True)][event.stop :]
    known = [(b, wh) for b, wh in beside if wh is not None]
    return {
        "dispatched": dispatched,
        "baseline": [b for b, _ in pairs],
        "measured": [wh for _, wh in pairs],
        "letters": "".join(_letter(site, at, where) for where in framed.event),
        "shown": {"event": first, "baseline": base, "measured": measured},
        "days": sorted((one.day["day"] for one in pool), reverse=True),
        "ratio": level.ratio,
        "difference": level.difference,
        "kept": None if level.kept is None else str(level.kept),
        "flags": [str(flag) for flag in flags],
        "contributed": contribution(asked.direction, pairs, dispatched) if payable else 0,
        "rebound": list(rebound([wh for _, wh in known], [b for b, _ in known])),
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
    if kept is None and _loaded(asked, site, pool):
        kept = Kept.LOADED_AFTER_NOTICE
    if kept is not None:
        return Level(kept=kept)
    known = [wh or 0 for wh in actual]
    base = mean(pool, framed.window)
    if rule.adjusted is Adjusted.RATIO:
        return adjustment.by_ratio(known, base)
    return adjustment.by_difference(known, base, mean(pool, framed.event))


def generation(site: Document, framed: Frame) -> tuple[int, int]:
    """Wh a site generated in the adjustment window, and its installed W."""
    at = indices(framed.day, framed.grain)
    made = site["g"]
    return (sum(made[at[where]] for where in framed.window) if made else 0, site["gw"])


def _flags(
    asked: Asked, site: Document, left: Sequence[Past], neighbours: Mapping[str, tuple[int, int]]
) -> list[Flag]:
    found = []
    if len(left) < asked.rule.minimum(asked.framed.day):
        return [Flag.TOO_FEW_DAYS]
    if _loaded(asked, site, used(asked.rule, asked.framed.day, left, asked.framed.event)):
        found.append(Flag.LOADED)
    if gaming.generation_off(*generation(site, asked.framed), neighbours):
        found.append(Flag.GENERATION_OFF)
    return found


def _loaded(asked: Asked, site: Document, pool: Sequence[Past]) -> bool:
    at = indices(asked.framed.day, asked.framed.grain)
    waiting = asked.framed.waiting
    measured = [_known(site, at, where) for where in waiting]
    return gaming.loaded_after_notice([wh or 0 for wh in measured], mean(pool, waiting))


def _before_notice(asked: Asked, site: Document, where: int) -> int | None:
    """A measured value of the window that was filed before the notice."""
    at = indices(asked.framed.day, asked.framed.grain)[where]
    period = period_at(site["p"], at)
    known = period is not None and period < asked.period
    return site["f"][at] if known and site["c"][at] == MEASURED else None


def _pairs(
    asked: Asked, base: Sequence[int], measured: Sequence[int | None], pool: Sequence[Past]
) -> list[tuple[int, int]]:
    """Baseline and measured Wh of the event; what nobody measured is assumed (rules D9)."""
    found = []
    for where, b, wh in zip(asked.framed.event, base, measured, strict=True):
        values = [one.values.get(where) or 0 for one in pool]
        found.append((b, assumed(asked.direction, b, values) if wh is None else wh))
    return found


def _never_helps(direction: Direction, baseline: int, measured: int) -> tuple[int, int]:
    moved = direction.moved(baseline, measured)
    return (measured, measured) if moved > 0 else (baseline, measured)


def _letter(site: Document, at: Mapping[int, int], where: int) -> str:
    letter: str = site["c"][at[where]]
    return letter


def _known(site: Document, at: Mapping[int, int], where: int) -> int | None:
    return None if _letter(site, at, where) == MISSING else int(site["f"][at[where]])
