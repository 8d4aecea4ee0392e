# SPDX-License-Identifier: Apache-2.0
"""An import's values in the formats that import reads, and the mapping each is read by.

Writing and reading again gives the same values, millionth by millionth; ESPI's integers hold whole
Wh, so it takes values of whole Wh alone.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from xml.sax.saxutils import escape

from pedchain_gateway.importing.rows import Series
from pedchain_gateway.importing.store import Store
from pedchain_gateway.importing.telling import text
from pedchain_gateway.importing.values import MICRO, WH

Format = Literal["csv", "xlsx", "espi", "cim"]
Kind = Literal["interval", "register"]
EVENT = "event"
HEADER = ("point", "register", "time", "value", "unit", "quality")
SUFFIX = {"csv": "csv", "xlsx": "xlsx", "espi": "xml", "cim": "xml"}
_FLOWS = {"1-0:1.8.0*255": ("1", "A02"), "1-0:2.8.0*255": ("19", "A01")}
_QUALITIES = {"M": ("17", "A04"), "S": ("8", "A03")}


class NotExpressibleError(ValueError):
    """The format cannot say what a series holds; the text says which and why."""


Row = tuple[Series, int, int, int, str]
"""Series, instant, seconds, millionths, class."""


def rows(store: Store, kind: Kind) -> Iterator[Row]:
    """The values of a kind, series by series, in order of time."""
    for number, (series, _) in sorted(store.described().items()):
        if series.kind == kind:
            for day in store.days():
                held, _ = store.held(number, day)
                for instant in sorted(held):
                    yield series, instant, *held[instant]


def write(store: Store, folder: Path, form: Format) -> list[Path]:
    """Write all values into `folder`, a file and a mapping for each kind there is; charging
    sessions, with their events, as a kind of their own."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    kinds: tuple[Kind, ...] = ("interval", "register")
    for kind in kinds:
        lengths = {s for one, s in store.described().values() if one.kind == kind}
        for seconds in sorted(lengths):
            name = f"{kind}-{seconds}" if seconds else kind
            found = [row for row in rows(store, kind) if row[2] == seconds]
            if not found:
                continue
            path = folder / f"{name}.{SUFFIX[form]}"
            _WRITERS[form](path, found)
            (folder / f"{name}.toml").write_text(mapping(form, kind, seconds))
            written.append(path)
    sessions = list(_sessions(store))
    if sessions:
        if form not in _TABLES:
            raise NotExpressibleError("charging sessions have no place in this format")
        path = folder / f"session.{SUFFIX[form]}"
        _TABLES[form](path, [(*HEADER, EVENT), *sessions])
        (folder / "session.toml").write_text(mapping(form, "register", 0, events=True))
        written.append(path)
    return written


def _sessions(store: Store) -> Iterator[tuple[str, ...]]:
    """Rows of every session, from B over C to E (rules R7)."""
    for point, held in store.sessions():
        first, last = held[0], held[-1]
        for knot in held:
            instant, obis, micro, unit = knot
            event = "B" if knot is first else "E" if knot is last else "C"
            yield point, obis, _iso(instant), text(micro), unit, "M", event


def mapping(form: Format, kind: Kind, seconds: int, *, events: bool = False) -> str:
    """The mapping by which import reads what `write` wrote."""
    if form in ("espi", "cim"):
        return f'format = "{form}"\n'
    columns = "\n".join(
        f'{field} = "{name}"'
        for field, name in zip(("point", "obis", *HEADER[2:]), HEADER, strict=True)
    )
    columns += f'\nevent = "{EVENT}"' if events else ""
    length = f"interval_s = {seconds}\n" if seconds else ""
    marks = '[quality]\nM = "M"\nS = "S"\n'
    return f'format = "{form}"\nkind = "{kind}"\n{length}[columns]\n{columns}\n{marks}'


def _cells(found: list[Row]) -> Iterator[tuple[str, ...]]:
    yield HEADER
    for series, instant, _, micro, mark in found:
        yield series.point, series.obis, _iso(instant), text(micro), series.unit, mark


Cells = Iterable[Sequence[str]]


def _csv(path: Path, cells: Cells) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(cells)


def _xlsx(path: Path, cells: Cells) -> None:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("values")
    for row in cells:
        sheet.append(list(row))
    book.save(path)


def _espi(path: Path, found: list[Row]) -> None:
    """A feed of a usage point, reading type and block for each series."""
    entries = []
    for at, (series, mine) in enumerate(_by_series(found).items()):
        flow = _flow(series)[0]
        usage, kind = f"UsagePoint/{series.point}", f"ReadingType/{at}"
        meter = f"{usage}/MeterReading/{at}"
        behaviour = "3" if series.kind == "register" else "4"
        values = "".join(_reading(*row[1:]) for row in mine)
        entries += [
            _entry(meter, '<MeterReading xmlns="http://naesb.org/espi"/>', related=kind),
            _entry(
                kind,
                '<ReadingType xmlns="http://naesb.org/espi">'
                f"<accumulationBehaviour>{behaviour}</accumulationBehaviour>"
                f"<flowDirection>{flow}</flowDirection>"
                "<powerOfTenMultiplier>0</powerOfTenMultiplier><uom>72</uom></ReadingType>",
            ),
            _entry(
                f"{meter}/IntervalBlock/1",
                f'<IntervalBlock xmlns="http://naesb.org/espi">{values}</IntervalBlock>',
                up=f"{meter}/IntervalBlock",
            ),
        ]
    head = '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom">'
    path.write_text(f"{head}{''.join(entries)}</feed>\n", encoding="utf-8")


def _reading(instant: int, seconds: int, micro: int, mark: str) -> str:
    if micro % MICRO:
        raise NotExpressibleError("Green Button holds whole Wh")
    return (
        f"<IntervalReading><ReadingQuality><quality>{_QUALITIES[mark][0]}</quality>"
        f"</ReadingQuality><timePeriod><duration>{seconds}</duration><start>{instant}</start>"
        f"</timePeriod><value>{micro // MICRO}</value></IntervalReading>"
    )


def _entry(own: str, content: str, *, up: str = "", related: str = "") -> str:
    links = "".join(
        f'<link rel="{relation}" href="{escape(target)}"/>'
        for relation, target in (("self", own), ("up", up), ("related", related))
        if target
    )
    return f"<entry>{links}<content>{content}</content></entry>"


def _cim(path: Path, found: list[Row]) -> None:
    """A document of a time series for each series; a period for each stretch without a gap."""
    parts = []
    for at, (series, mine) in enumerate(_by_series(found).items()):
        if series.kind == "register":
            raise NotExpressibleError("CIM documents hold intervals, not registers")
        parts.append(
            f"<TimeSeries><mRID>{at}</mRID>"
            f"<flowDirection.direction>{_flow(series)[1]}</flowDirection.direction>"
            "<quantity_Measure_Unit.name>WH</quantity_Measure_Unit.name><curveType>A01</curveType>"
            f"<marketEvaluationPoint.mRID>{escape(series.point)}</marketEvaluationPoint.mRID>"
            f"{''.join(_periods(mine))}</TimeSeries>"
        )
    space = "urn:iec62325.351:tc57wg16:451-n:measurementdata:1:0"
    head = f'<?xml version="1.0" encoding="utf-8"?><MeasurementData_MarketDocument xmlns="{space}">'
    path.write_text(f"{head}{''.join(parts)}</MeasurementData_MarketDocument>\n", encoding="utf-8")


def _periods(mine: list[Row]) -> Iterator[str]:
    stretch: list[Row] = []
    for row in [*mine, None]:
        if row is None or (stretch and stretch[-1][1] + stretch[-1][2] != row[1]):
            yield _period(stretch)
            stretch = []
        if row is not None:
            stretch.append(row)


def _period(stretch: list[Row]) -> str:
    start, seconds = stretch[0][1], stretch[0][2]
    points = "".join(
        f"<Point><position>{at}</position><quantity>{text(micro)}</quantity>"
        f"<quality>{_QUALITIES[mark][1]}</quality></Point>"
        for at, (_, _, _, micro, mark) in enumerate(stretch, start=1)
    )
    ends = f"<start>{_iso(start)}</start><end>{_iso(start + seconds * len(stretch))}</end>"
    return (
        f"<Period><timeInterval>{ends}</timeInterval>"
        f"<resolution>PT{seconds // 60}M</resolution>{points}</Period>"
    )


def _by_series(found: list[Row]) -> Mapping[Series, list[Row]]:
    series: dict[Series, list[Row]] = {}
    for row in found:
        series.setdefault(row[0], []).append(row)
    return series


def _flow(series: Series) -> tuple[str, str]:
    if series.unit != WH or series.obis not in _FLOWS:
        raise NotExpressibleError(f"{series.point} {series.obis}: no such flow in this format")
    return _FLOWS[series.obis]


def _iso(instant: int) -> str:
    return f"{datetime.fromtimestamp(instant, UTC):%Y-%m-%dT%H:%M:%SZ}"


_TABLES = {"csv": _csv, "xlsx": _xlsx}
_WRITERS: Mapping[str, Callable[[Path, list[Row]], None]] = {
    "csv": lambda path, found: _csv(path, _cells(found)),
    "xlsx": lambda path, found: _xlsx(path, _cells(found)),
    "espi": _espi,
    "cim": _cim,
}
