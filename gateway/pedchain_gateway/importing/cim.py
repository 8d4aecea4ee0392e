# SPDX-License-Identifier: Apache-2.0
"""Metered data in CIM market documents: `TimeSeries` with periods of points (IEC 62325-451).

ENTSO-E's `MeasurementData`/`GL` documents and national metered-data messages share the shape: a
domain or metering point, a unit, a direction, periods with a start, a resolution, and points by
position. A position that is left out repeats the one before where `curveType` is A03, and is
missing else. Qualities: A04 as provided and A01 adjusted are M, A03 estimated and A06 calculated S;
A02 not available and A05 incomplete are not taken.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from xml.etree.ElementTree import Element

from pedchain_gateway.importing import xml
from pedchain_gateway.importing.mapping import Mapping
from pedchain_gateway.importing.rows import Rejected, Series, TableError, Value
from pedchain_gateway.importing.values import RowError, quantity

UNITS = {"KWH": "kWh", "MWH": "MWh", "WH": "Wh", "KWT": "kW", "MAW": "MW", "WTT": "W"}
OBIS = {"A01": "1-0:2.8.0*255", "A02": "1-0:1.8.0*255"}
"""A01 up: given into the grid; A02 down: drawn from it."""
MARKS = {"": "M", "A01": "M", "A02": "X", "A03": "S", "A04": "M", "A05": "X", "A06": "S"}
RESOLUTIONS = {"PT5M": 300, "PT10M": 600, "PT15M": 900, "PT30M": 1800, "PT60M": 3600, "PT1H": 3600}
POINTS = ("marketEvaluationPoint.mRID", "MarketEvaluationPoint.mRID", "registeredResource.mRID")
_VARIABLE = "A03"
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9:]{5,6})\Z")


def read(path: Path, style: Mapping) -> Iterator[Value | Rejected]:
    """Values of a document. Raises `TableError`."""
    found = False
    for element in xml.elements(path):
        if xml.name(element) == "TimeSeries":
            found = True
            yield from _series(element, style)
            element.clear()
    if not found:
        raise TableError("no time series")


def _series(element: Element, style: Mapping) -> Iterator[Value | Rejected]:
    code = next((text for name in POINTS if (text := xml.text(element, name))), "")
    point = style.points.get(code, style.point or code)
    unit = next(
        (
            text
            for name in ("quantity_Measure_Unit.name", "quantity_Measurement_Unit.name",
                         "measurement_Unit.name")
            if (text := xml.text(element, name))
        ),
        "",
    )  # fmt: skip
    flow = xml.text(element, "flowDirection.direction")
    obis = style.registers.get(flow, OBIS.get(flow, style.obis or ""))
    variable = xml.text(element, "curveType") == _VARIABLE
    for period in xml.children(element, "Period"):
        try:
            begin, end, step = _grid(period)
        except RowError as error:
            yield Rejected(0, error.reason, f"{code};{xml.text(period, 'timeInterval', 'start')}")
            continue
        for place, one in _placed(period, (end - begin) // step, variable=variable):
            told = f"{code};{begin + place * step};{xml.text(one, 'quantity')}"
            if not begin <= begin + place * step < end:
                yield Rejected(0, "off-grid", told)
                continue
            try:
                yield _value(one, (point, obis, UNITS.get(unit, unit)), begin + place * step, step)
            except RowError as error:
                yield Rejected(0, error.reason, told)


def _grid(period: Element) -> tuple[int, int, int]:
    step = RESOLUTIONS.get(xml.text(period, "resolution"))
    if step is None:
        raise RowError("unknown-interval")
    ends = [xml.text(period, "timeInterval", name) for name in ("start", "end")]
    if not all(map(_TIME.match, ends)):
        raise RowError("no-time")
    begin, end = (int(datetime.fromisoformat(one).timestamp()) for one in ends)
    if begin % step or end % step or not 0 < end - begin <= 400 * 86_400:
        raise RowError("off-grid")
    return begin, end, step


def _placed(period: Element, count: int, *, variable: bool) -> Iterator[tuple[int, Element]]:
    """(place, point), those that A03 leaves out repeated."""
    last: tuple[int, Element] | None = None
    for one in xml.children(period, "Point"):
        position = xml.text(one, "position")
        place = int(position) - 1 if position.isdecimal() else -1
        if not 0 <= place < count:
            yield place, one
            continue
        if variable and last is not None:
            yield from ((between, last[1]) for between in range(last[0] + 1, place))
        yield place, one
        last = (place, one)
    if variable and last is not None:
        yield from ((between, last[1]) for between in range(last[0] + 1, count))


def _value(one: Element, about: tuple[str, str, str], instant: int, step: int) -> Value:
    point, obis, unit = about
    if not point:
        raise RowError("no-point")
    if not obis:
        raise RowError("unknown-register")
    mark = MARKS.get(xml.text(one, "quality"))
    if mark is None:
        raise RowError("unknown-quality")
    if mark == "X":
        raise RowError("marked-missing")
    micro, base = quantity(xml.text(one, "quantity"), unit, ".", step)
    return Value(Series(point, obis, base, "interval"), instant, step, micro, mark)
