# SPDX-License-Identifier: Apache-2.0
"""The cleared curve of a session as a plot, SVG: what was asked and bid for, by price."""

from collections.abc import Sequence
from typing import Any

from pedchain_gateway.market.orderlines import price as told
from pedchain_gateway.plot import HEIGHT, MARGIN, WIDTH, curve, framed, words

_COLOURS = {"ask": "#b45309", "bid": "#1d4ed8"}
_NAMES = {"ask": "offers", "bid": "bids"}
Steps = Sequence[Sequence[int]]


class NoCurveError(ValueError):
    """A session that published no curve; the text says why that may be."""


def svg(session: dict[str, Any]) -> str:
    """The plot of a cleared session's curves. Raises `NoCurveError` where there is none to show."""
    curves: dict[str, Steps] = {
        side: steps for side, steps in (session["curves"] or {}).items() if steps
    }
    if not curves:
        raise NoCurveError("no curve is published: too few accounts are behind it, or not cleared")
    widest = max(sum(wh for _, wh in steps) for steps in curves.values())
    dearest = max(limit for steps in curves.values() for limit, _ in steps) or 1
    lines = [
        curve(_path(steps, widest, dearest), _COLOURS[side], _NAMES[side])
        for side, steps in sorted(curves.items())
    ]
    if session["price"] is not None:
        level = _y(session["price"], dearest)
        lines.append(f'<path d="M{MARGIN} {level}H{WIDTH - MARGIN}" stroke="#444"/>')
        lines.append(words(WIDTH - MARGIN, level - 5, told(session["price"]), anchor="end"))
    lines += [
        words(MARGIN, MARGIN - 10, f"price per kWh, up to {told(dearest)}"),
        words(WIDTH - MARGIN, HEIGHT - MARGIN + 20, f"{widest} Wh", anchor="end"),
        *(
            words(MARGIN + 90 * at, HEIGHT - 8, _NAMES[side], _COLOURS[side])
            for at, side in enumerate(sorted(curves))
        ),
    ]
    return framed(lines)


def _path(steps: Steps, widest: int, dearest: int) -> str:
    at, parts = 0, [f"M{MARGIN} {_y(steps[0][0], dearest)}"]
    for limit, wh in steps:
        at += wh
        x = MARGIN + at * (WIDTH - 2 * MARGIN) // widest
        parts.append(f"V{_y(limit, dearest)}H{x}")
    return "".join(parts)


def _y(limit: int, dearest: int) -> int:
    return HEIGHT - MARGIN - limit * (HEIGHT - 2 * MARGIN) // dearest
