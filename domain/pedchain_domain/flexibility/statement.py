# SPDX-License-Identifier: Apache-2.0
"""One site's account of one order (rules D4 to D10, D14, D17), from which portfolios are summed.

    {dispatched, baseline, measured, letters, shown: {event, baseline, measured}, days, ratio,
     difference, kept, sold, flags, contributed, rebound: [Wh, ppm]}

Wh by interval of the event; `shown` is the hours around it, which it begins in at place `event`.
`kept` says why the baseline was not adjusted; `sold` is what the site sold to its peers out of a
storage during the event, Wh, which the baseline is lowered by. A site that is flagged as not
payable neither earns nor helps the portfolio.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from pedchain_domain.flexibility import gaming
from pedchain_domain.flexibility.adjustment import Level
from pedchain_domain.flexibility.basis import Asked, Basis, basis, is_loaded, known, traded
from pedchain_domain.flexibility.history import Frame, indices
from pedchain_domain.flexibility.likedays import Past
from pedchain_domain.flexibility.quantity import Direction, assumed
from pedchain_domain.flexibility.rebound import rebound
from pedchain_domain.flexibility.remuneration import contribution
from pedchain_domain.intervals import MISSING

Document = dict[str, Any]


class Flag(StrEnum):
    """Why a site is treated differently."""

    LOADED = "load-after-notice"
    GENERATION_OFF = "generation-off"
    TOO_FEW_DAYS = "too-few-days"


NOT_PAYABLE = (Flag.GENERATION_OFF, Flag.TOO_FEW_DAYS)


def statement(
    asked: Asked,
    site: Document,
    days: Sequence[Past],
    dispatched: int,
    neighbours: Mapping[str, tuple[int, int]],
    *,
    schedule: Sequence[int] | None = None,
    sold: Mapping[int, int] | None = None,
) -> Document:
    """The statement of a site from its shared day; `days` are the frozen ones as they stand,
    `schedule` the frozen one of a declared baseline, `dispatched` Wh over the event, `neighbours`
    generation and W of others in the window, `sold` Wh by hour of a site with storage."""
    framed, at = asked.framed, indices(asked.framed.day, asked.framed.grain)
    left = [one for one in days if all(one.values.get(where) is not None for where in framed.event)]
    measured = [known(site, at, where) for where in framed.shown]
    made = basis(asked, site, left, schedule)
    flags = _flags(asked, site, made, neighbours)
    base, level, pool = made or Basis([wh or 0 for wh in measured], Level(), ())
    first = framed.shown.index(framed.event[0])
    event = slice(first, first + len(framed.event))
    lowered = traded(framed, sold or {})
    base = list(base)
    base[event] = [b - wh for b, wh in zip(base[event], lowered, strict=True)]
    pairs = _pairs(asked, base[event], measured[event], pool)
    payable = not any(flag in NOT_PAYABLE for flag in flags)
    if not payable:
        pairs = [_never_helps(asked.direction, *pair) for pair in pairs]
    beside = [(b, wh) for b, wh in zip(base, measured, strict=True)][event.stop :]
    after = [(b, wh) for b, wh in beside if wh is not None]
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
        "sold": sum(lowered),
        "flags": [str(flag) for flag in flags],
        "contributed": contribution(asked.direction, pairs, dispatched) if payable else 0,
        "rebound": list(rebound([wh for _, wh in after], [b for b, _ in after])),
    }


def corrected(asked: Asked, before: Document, site: Document) -> Document:
    """What run FINAL makes of a statement: measured energy is what `site` says now, as far as it is
    known; the baseline stays, and so do flags and what was assumed (rules D7, D9)."""
    framed, at = asked.framed, indices(asked.framed.day, asked.framed.grain)
    shown, first = before["shown"], before["shown"]["event"]
    event = slice(first, first + len(framed.event))
    base = shown["baseline"]
    fresh = [known(site, at, where) for where in framed.shown]
    measured = [old if wh is None else wh for old, wh in zip(shown["measured"], fresh, strict=True)]
    stood = zip(measured[event], before["measured"], strict=True)
    now = [old if wh is None else wh for wh, old in stood]
    pairs = list(zip(base[event], now, strict=True))
    payable = not any(flag in before["flags"] for flag in NOT_PAYABLE)
    if not payable:
        pairs = [_never_helps(asked.direction, *pair) for pair in pairs]
    letters = [_letter(site, at, where) for where in framed.event]
    after = [
        (b, wh) for b, wh in list(zip(base, measured, strict=True))[event.stop :] if wh is not None
    ]
    return {
        **before,
        "baseline": [b for b, _ in pairs],
        "measured": [wh for _, wh in pairs],
        "letters": "".join(
            old if new == MISSING else new
            for old, new in zip(before["letters"], letters, strict=True)
        ),
        "shown": {"event": first, "baseline": base, "measured": measured},
        "contributed": (
            contribution(asked.direction, pairs, before["dispatched"]) if payable else 0
        ),
        "rebound": list(rebound([wh for _, wh in after], [b for b, _ in after])),
    }


def generation(site: Document, framed: Frame) -> tuple[int, int]:
    """Wh a site generated in the adjustment window, and its installed W."""
    at = indices(framed.day, framed.grain)
    made = site["g"]
    return (sum(made[at[where]] for where in framed.window) if made else 0, site["gw"])


def _flags(
    asked: Asked, site: Document, made: Basis | None, neighbours: Mapping[str, tuple[int, int]]
) -> list[Flag]:
    if made is None:
        return [Flag.TOO_FEW_DAYS]
    found = []
    if is_loaded(asked, site, made.pool):
        found.append(Flag.LOADED)
    if gaming.generation_off(*generation(site, asked.framed), neighbours):
        found.append(Flag.GENERATION_OFF)
    return found


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
