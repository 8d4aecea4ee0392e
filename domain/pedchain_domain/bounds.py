# SPDX-License-Identifier: Apache-2.0
"""What silence could hide: bounds under which a verdict must still hold (rules V2).

Missing (X): a draw as large as the history of that clock time knows, or as the connection allows;
feed-in and generation 0. Bridged (G): the energy is exact, its profile is not, so import is taken
at the gap's highest carbon intensity and export at its lowest; and a gap that crosses the edge of
a window may hide which side its energy fell on. Inside a window such edges cancel, so each day
carries its two edges apart and a window uses the first day's start and the last day's end.

    bounds {draw: Wh, draw_ghg: ug | null, gap_ghg: ug | null,
            start: [import Wh, export Wh, ug | null], end: [...]}
"""

from collections.abc import Sequence
from typing import Any

from pedchain_domain import limits, registers
from pedchain_domain.calendar import Day
from pedchain_domain.factors import Intensity
from pedchain_domain.intervals import MEASURED, MISSING, SUBSTITUTE, Span

Document = dict[str, Any]
_PER_DAY = 24
# The clocks of the EU change between the third and the fourth hour of the day (T5): on the short
# day that hour has no intervals, on the long day it comes twice.
_CHANGED_HOUR = 2


def empty() -> Document:
    """Nothing hidden."""
    return {"draw": 0, "draw_ghg": 0, "gap_ghg": 0, "start": [0, 0, 0], "end": [0, 0, 0]}


def add(first: Document, second: Document) -> Document:
    """Bounds of two sets of sites together."""
    return {
        "draw": first["draw"] + second["draw"],
        "draw_ghg": plus(first["draw_ghg"], second["draw_ghg"]),
        "gap_ghg": plus(first["gap_ghg"], second["gap_ghg"]),
        "start": [plus(a, b) for a, b in zip(first["start"], second["start"], strict=True)],
        "end": [plus(a, b) for a, b in zip(first["end"], second["end"], strict=True)],
    }


def plus(first: int | None, second: int | None) -> int | None:
    """Sum in which unknown stays unknown."""
    return None if first is None or second is None else first + second


def local_index(position: int, day: Day, grain: int) -> int:
    """The clock index (of 96 or 24) of an interval's position in its day (rules T5)."""
    per_hour = 3600 // grain
    hours = (day["end"] - day["start"]) // 3600
    if hours < _PER_DAY and position >= _CHANGED_HOUR * per_hour:
        return position + per_hour
    if hours > _PER_DAY and position >= (_CHANGED_HOUR + 1) * per_hour:
        return position - per_hour
    return position


def draws_of(values: Sequence[int], letters: str, day: Day, grain: int) -> list[int | None]:
    """A site's measured draws by clock index; on the long day the first of the doubled hour."""
    found: list[int | None] = [None] * (_PER_DAY * 3600 // grain)
    for position, (value, letter) in enumerate(zip(values, letters, strict=True)):
        index = local_index(position, day, grain)
        if letter in (MEASURED, SUBSTITUTE) and found[index] is None:
            found[index] = value
    return found


def missing_draw(
    history: Sequence[Sequence[int | None]], index: int, connection_w: int, grain: int
) -> int:
    """The draw assumed where the import is missing (V2): the highest of the same clock interval in
    the days of `history`, or what the connection allows if fewer than 5 have a value."""
    found = [day[index] for day in history]
    values = [value for value in found if value is not None]
    if len(values) < limits.HISTORY_VALUES:
        return registers.cap(connection_w, grain, grain)
    return max(values)


def of_missing(
    letters: str,
    day: Day,
    grain: int,
    connection_w: int,
    history: Sequence[Sequence[int | None]],
    intensities: Sequence[int | None],
) -> Document:
    """Bound of a site's missing import."""
    bound = empty()
    for at, letter in enumerate(letters):
        if letter != MISSING:
            continue
        index = local_index(at, day, grain)
        wh = missing_draw(history, index, connection_w, grain)
        intensity = intensities[at]
        bound["draw"] += wh
        bound["draw_ghg"] = plus(bound["draw_ghg"], None if intensity is None else wh * intensity)
    return bound


def of_span(
    span: Span,
    *,
    is_import: bool,
    day: Day,
    grain: int,
    power_w: int,
    intensity: Intensity,
    intensities: Sequence[int | None],
) -> Document:
    """Bound of one bridge of a grid connection's import or export."""
    bound = empty()
    extremes = intensity.extremes(span.start, span.end)
    inside = sum(span.inside)
    parts = intensities[span.first : span.first + len(span.inside)]
    worst = None if extremes is None else extremes[1 if is_import else 0]
    if worst is None or any(part is None for part in parts):
        bound["gap_ghg"] = None
    else:
        spread = sum(v * (p or 0) for v, p in zip(span.inside, parts, strict=True))
        bound["gap_ghg"] = inside * worst - spread if is_import else spread - inside * worst
    hidden = _edges(span, inside, is_import, day, grain, power_w)
    for name, wh in zip(("start", "end"), hidden, strict=True):
        bound[name][0 if is_import else 1] = wh
        bound[name][2] = 0 if wh == 0 else (None if worst is None else wh * worst)
    return bound


def _edges(
    span: Span, inside: int, is_import: bool, day: Day, grain: int, power_w: int
) -> tuple[int, int]:
    """Energy that may lie on the other side of the day's start, and of its end."""

    def hidden(given: int, in_seconds: int, out_seconds: int) -> int:
        if is_import:
            most = min(span.energy, registers.cap(power_w, in_seconds, grain))
            return max(0, most - given)
        least = max(0, span.energy - registers.cap(power_w, out_seconds, grain))
        return max(0, given - least)

    start = end = 0
    if span.start < day["start"]:
        start = hidden(
            span.energy - span.before, span.end - day["start"], day["start"] - span.start
        )
    if span.end > day["end"]:
        end = hidden(span.before + inside, day["end"] - span.start, span.end - day["end"])
    return start, end
