# SPDX-License-Identifier: Apache-2.0
"""Green Button: interval blocks of an ESPI Atom feed (NAESB REQ.21, `espi.xsd`).

A feed holds, for each usage point, meter readings with a reading type and interval blocks; which
belong together stand in the entries' links (`self`, `up`). Energies are in the type's unit (`uom`
72 Wh, 38 W, 42 m3) times a power of ten. `flowDirection` 1 is delivered to the customer (1.8.0), 19
is received from it (2.8.0). Qualities valid, raw, validated, verified and of revenue quality are M;
edited, estimated, derived and mixed are S; questionable, projected, normalised ones are not taken.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element

from pedchain_gateway.importing import xml
from pedchain_gateway.importing.mapping import Mapping
from pedchain_gateway.importing.rows import Rejected, Series, TableError, Value
from pedchain_gateway.importing.values import RowError, quantity

OBIS = {"1": "1-0:1.8.0*255", "19": "1-0:2.8.0*255"}
UNITS = {"72": "Wh", "38": "W", "42": "m3"}
# ESPI QualityOfReading.
MARKS = {
    "": "M", "0": "M", "7": "S", "8": "S", "9": "S", "10": "X", "11": "S", "12": "X", "13": "S",
    "14": "M", "15": "X", "16": "X", "17": "M", "18": "M", "19": "M",
}  # fmt: skip


class _Type(NamedTuple):
    obis: str
    unit: str
    power: int
    cumulative: bool


def read(path: Path, style: Mapping) -> Iterator[Value | Rejected]:
    """Values of a feed. Raises `TableError`."""
    types: dict[str, _Type | str] = {}
    related: dict[str, list[str]] = {}
    blocks: list[tuple[str, Element]] = []
    for entry in xml.elements(path):
        if xml.name(entry) != "entry":
            continue
        own, up, others = _links(entry)
        content = next(xml.children(entry, "content"), None)
        for found in () if content is None else content:
            match xml.name(found):
                case "ReadingType":
                    types[own] = _type(found, style)
                case "MeterReading":
                    related[own] = others
                case "IntervalBlock":
                    blocks.append((up, found))
    if not blocks:
        raise TableError("no interval blocks")
    for up, block in blocks:
        yield from _block(up, block, types, related, style)


def _links(entry: Element) -> tuple[str, str, list[str]]:
    """Where the entry stands, what is above it, what it is related to."""
    own = up = ""
    others = []
    for link in xml.children(entry, "link"):
        relation, target = link.get("rel"), link.get("href", "")
        if relation == "self":
            own = target
        elif relation == "up":
            up = target
        elif relation == "related":
            others.append(target)
    return own, up, others


def _type(found: Element, style: Mapping) -> _Type | str:
    """What a reading type says, or why its values cannot be taken."""
    unit = UNITS.get(xml.text(found, "uom"))
    if unit is None:
        return "unknown-unit"
    flow = xml.text(found, "flowDirection")
    obis = style.registers.get(flow, OBIS.get(flow, ""))
    if not obis:
        return "unknown-register"
    power = xml.text(found, "powerOfTenMultiplier") or "0"
    if power.lstrip("-") not in ("0", "3", "6"):
        return "unknown-unit"
    # accumulationBehaviour 3: the cumulative register itself.
    return _Type(obis, unit, int(power), xml.text(found, "accumulationBehaviour") == "3")


def _block(
    up: str,
    block: Element,
    types: dict[str, _Type | str],
    related: dict[str, list[str]],
    style: Mapping,
) -> Iterator[Value | Rejected]:
    reading = up.removesuffix("/IntervalBlock")
    kind: _Type | str = next(
        (types[one] for one in related.get(reading, ()) if one in types), "no-reading-type"
    )
    usage = reading.partition("UsagePoint/")[2].partition("/")[0]
    point = style.points.get(usage, style.point or usage)
    for one in xml.children(block, "IntervalReading"):
        told = f"{usage};{xml.text(one, 'timePeriod', 'start')};{xml.text(one, 'value')}"
        try:
            yield _value(one, point, kind)
        except RowError as error:
            yield Rejected(0, error.reason, told)


def _value(one: Element, point: str, kind: _Type | str) -> Value:
    if isinstance(kind, str):
        raise RowError(kind)
    mark = MARKS.get(xml.text(one, "ReadingQuality", "quality"))
    if mark is None:
        raise RowError("unknown-quality")
    if mark == "X":
        raise RowError("marked-missing")
    start, seconds = xml.text(one, "timePeriod", "start"), xml.text(one, "timePeriod", "duration")
    if not (start.isdecimal() and (seconds.isdecimal() or kind.cumulative)):
        raise RowError("no-time")
    if not point:
        raise RowError("no-point")
    length = 0 if kind.cumulative else int(seconds)
    if not kind.cumulative and not 60 <= length <= 3_600:
        raise RowError("unknown-interval")
    micro, base = quantity(xml.text(one, "value"), kind.unit, ".", length)
    scaled = micro * 10**kind.power if kind.power >= 0 else micro // 10**-kind.power
    series = Series(point, kind.obis, base, "register" if kind.cumulative else "interval")
    return Value(series, int(start), length, scaled, mark)
