# SPDX-License-Identifier: Apache-2.0
"""Rows of an operator's table as values of series, each taken or rejected for one reason."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from pedchain_domain.limits import ID_LENGTH
from pedchain_domain.text import is_id
from pedchain_gateway.importing.mapping import Mapping as Style
from pedchain_gateway.importing.values import Clock, RowError, quantity

MEASURED, SUBSTITUTE, MISSING = "M", "S", "X"
EVENTS = ("B", "C", "E")


class Series(NamedTuple):
    """What a value is of: point (or meter), register, base unit, `interval` or `register`."""

    point: str
    obis: str
    unit: str
    kind: str


class Value(NamedTuple):
    """A row that was read. `instant` is an interval's start or when the register was read; `micro`
    are millionths of the base unit; `event` of a charger's row is B, C or E (rules R7)."""

    series: Series
    instant: int
    seconds: int
    micro: int
    mark: str
    event: str = ""
    line: int = 0


class Rejected(NamedTuple):
    """A row that was not taken: its line in the file, why, and what stands there."""

    line: int
    reason: str
    text: str


Line = tuple[int, Sequence[str]]


class TableError(Exception):
    """The file as a whole cannot be read: nothing of it is taken."""


def read(lines: Iterable[Line], style: Style) -> Iterator[Value | Rejected]:
    """Values of a table whose first line is its header. Raises `TableError`."""
    source = iter(lines)
    header = next((cells for _, cells in source), None)
    if header is None:
        raise TableError("empty")
    reader = _Reader(style, [cell.strip() for cell in header])
    for number, cells in source:
        if any(cells):
            yield from reader.row(number, cells)


_About = tuple[Series, str, str, str]
"""Series, unit, class, event."""
QUANTITIES = 200_000
"""Texts of values whose meaning is remembered."""


class _Reader:
    def __init__(self, style: Style, header: Sequence[str]) -> None:
        self._style, self._clock = style, Clock(style)
        self._at = {name: place for place, name in reversed(list(enumerate(header)))}
        columns = style.columns
        self._point = self._place(columns.point)
        self._time, self._clocks = self._place(columns.time), self._place(columns.clock)
        self._register = self._place(columns.obis)
        self._unit, self._quality = self._place(columns.unit), self._place(columns.quality)
        self._event = self._place(columns.event)
        named = style.values or {columns.value or "": ""}
        self._values = [(self._place(name) or 0, obis) for name, obis in named.items()]
        telling = (self._point, self._register, self._unit, self._quality, self._event)
        self._telling = [place for place in telling if place is not None]
        self._width = len(header)
        self._seconds = style.interval_s if style.kind == "interval" else 0
        self._ends = style.kind == "interval" and style.stamp == "end"
        self._last: dict[Series, int] = {}
        self._known: dict[tuple[tuple[str, ...], str], _About] = {}
        self._quantities: dict[tuple[str, str], int] = {}

    def _place(self, name: str | None) -> int | None:
        if name is None:
            return None
        if name not in self._at:
            raise TableError(f"no column {name}")
        return self._at[name]

    def row(self, line: int, cells: Sequence[str]) -> Iterator[Value | Rejected]:
        if len(cells) < self._width:
            yield Rejected(line, "too-few-cells", ";".join(cells))
            return
        for place, obis in self._values:
            text = cells[place]
            if obis and not text.strip():
                continue  # of a wide row, a register this point has not
            try:
                yield self._value(line, cells, text, obis)
            except RowError as error:
                yield Rejected(line, error.reason, ";".join(cells))

    def _value(self, line: int, cells: Sequence[str], text: str, obis: str) -> Value:
        said = tuple(cells[place] for place in self._telling)
        about = self._known.get((said, obis))
        if about is None:
            about = self._known[said, obis] = self._about(cells, obis)
        series, unit, mark, event = about
        seconds = self._seconds
        found = self._quantities.get((text, unit))
        if found is None:
            found = quantity(text, unit, self._style.decimal, seconds)[0]
            if len(self._quantities) < QUANTITIES:
                self._quantities[text, unit] = found
        return Value(series, self._instant(cells, series), seconds, found, mark, event, line)

    def _about(self, cells: Sequence[str], obis: str) -> "_About":
        """What a row's other cells say; mostly the same as another's."""
        style = self._style
        point = _translated(self._cell(cells, self._point, style.point), style.points)
        if not is_id(point, ID_LENGTH):
            raise RowError("no-point")
        register = _translated(obis or self._cell(cells, self._register, style.obis),
                               style.registers)  # fmt: skip
        mark = marked(self._cell(cells, self._quality, None), style)
        unit = self._cell(cells, self._unit, style.unit)
        _, base = quantity("0", unit, ".", self._seconds)
        event = self._cell(cells, self._event, None)
        if event and event not in EVENTS:
            raise RowError("unknown-event")
        return Series(point, register, base, style.kind), unit, mark, event

    def _instant(self, cells: Sequence[str], series: Series) -> int:
        text = self._cell(cells, self._time, None)
        if self._clocks is not None:
            text = f"{text} {cells[self._clocks].strip()}"
        instant = self._last[series] = self._clock.instant(text, self._last.get(series))
        return instant - self._style.interval_s if self._ends else instant

    def _cell(self, cells: Sequence[str], place: int | None, default: str | None) -> str:
        return (default or "") if place is None else cells[place].strip()


def _translated(code: str, table: Mapping[str, str]) -> str:
    return table.get(code, code)


def marked(quality: str, style: Style) -> str:
    """The class of an operator's mark (rules R5). RowError `unknown-quality`, `marked-missing`."""
    if not style.quality:
        return MEASURED
    mark = style.quality.get(quality, style.unknown_quality)
    if mark is None:
        raise RowError("unknown-quality")
    if mark == MISSING:
        raise RowError("marked-missing")
    return mark
