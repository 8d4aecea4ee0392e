# SPDX-License-Identifier: Apache-2.0
"""Plots of the report as data for its template: bars and points in a box of 640 by 160."""

from collections.abc import Sequence
from typing import NamedTuple

from pedchain_audit.course import Certified, Lap

WIDTH, HEIGHT = 640, 160
#: Bars of one plot; a longer ledger is drawn in groups of blocks.
BARS_MAX = 160


class Bar(NamedTuple):
    """A bar from the bottom, and its part without effect; `title` says what it is."""

    x: float
    width: float
    height: float
    bad: float
    title: str


class Point(NamedTuple):
    """A point of a line."""

    x: float
    y: float
    title: str


def bars(laps: Sequence[Lap]) -> list[Bar]:
    """Transactions by block, or by groups of as many blocks as it takes."""
    group = max(1, -(-len(laps) // BARS_MAX))
    groups = [laps[at : at + group] for at in range(0, len(laps), group)]
    sums = [(sum(e.transactions for e in g), sum(e.without_effect for e in g)) for g in groups]
    most = max((total for total, _ in sums), default=0) or 1
    width = WIDTH / max(len(groups), 1)
    return [
        Bar(
            round(at * width, 2),
            round(max(width - 1, 0.5), 2),
            round(total * HEIGHT / most, 2),
            round(bad * HEIGHT / most, 2),
            f"blocks {held[0].number} to {held[-1].number}: {total} transactions, "
            f"{bad} without effect",
        )
        for at, (held, (total, bad)) in enumerate(zip(groups, sums, strict=True))
    ]


def newest(certificates: Sequence[Certified]) -> list[Certified]:
    """The last version of each district's days."""
    found = {(each.district, each.document["day"]): each for each in certificates}
    return [found[place] for place in sorted(found)]


def ratios(certificates: Sequence[Certified], district: str) -> list[Point]:
    """A district's on-site energy ratio by day, 2 at the top; days without one are left out."""
    held = [each.document for each in certificates if each.district == district]
    step = WIDTH / max(len(held), 1)
    return [
        Point(
            round((at + 0.5) * step, 2),
            round(HEIGHT - min(ppm, 2_000_000) * HEIGHT / 2_000_000, 2),
            f"{document['day']}: {ppm / 1_000_000:.2f}",
        )
        for at, document in enumerate(held)
        if (ppm := document["indicators"]["oer_ppm"]) is not None
    ]
