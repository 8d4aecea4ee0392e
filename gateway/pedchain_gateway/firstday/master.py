# SPDX-License-Identifier: Apache-2.0
"""Master data from spreadsheets: sites.csv, points.csv and participations.csv become documents.

    sites.csv    id, plan, connection_w, feeder, substation, zone, heating, vehicles, from and,
                 where it has them, to, heat_network, battery_wh, unmetered_generation_w,
                 combustion_m_per_day
    participations.csv (if there is one)  site, district, ppm, from and, where it ends, to
    points.csv   id, site, kind, p_max_w and, where it has them, parent, registers, resolution_wh

Each point gets the device by which the DSO speaks for it, with the usual registers of its kind, or
those that `registers` names: `OBIS=role`, separated by blanks. A header is a field's name.
"""

import csv
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pedchain_domain import documents
from pedchain_domain.reasons import DomainError
from pedchain_gateway.importing.telling import device_of

Document = dict[str, Any]
SITES, POINTS, SHARES = "sites.csv", "points.csv", "participations.csv"
_DRAWN, _GIVEN = "1-0:1.8.0*255", "1-0:2.8.0*255"
_HEAT, _DISTANCE, _GAS = "6-0:1.0.0*255", "1-0:99.0.0*255", "7-0:3.0.0*255"
REGISTERS: Mapping[str, Mapping[str, str]] = {
    "GCP": {_DRAWN: "I", _GIVEN: "E"},
    "FEEDER": {_DRAWN: "I", _GIVEN: "E"},
    "UNIT": {_DRAWN: "I"},
    "GEN": {_GIVEN: "G"},
    "STO": {_DRAWN: "Ch", _GIVEN: "D"},
    "HYB": {_DRAWN: "in", _GIVEN: "out"},
    "EVSE": {_DRAWN: "Ch"},
    "HP": {_DRAWN: "I"},
    "HEAT_IN": {_HEAT: "Q"},
    "HEAT_OUT": {_HEAT: "Q"},
    "HEAT_GEN": {_HEAT: "Q"},
    "GAS": {_GAS: "V"},
    "MOB": {_DISTANCE: "m"},
}
_NUMBERS = (
    "connection_w", "p_max_w", "battery_wh", "unmetered_generation_w", "combustion_m_per_day",
)  # fmt: skip
_OWN = ("registers", "resolution_wh")


class MasterError(Exception):
    """A row that makes no document; the text says which and why."""


def load(folder: Path, spki: str, since: int) -> list[Document]:
    """Documents of all sites and points; `spki` (hex) is the DSO's import key, `since` (epoch
    seconds) from when its devices count. Raises `MasterError`."""
    sites = [_site(row, where) for where, row in _rows(folder / SITES)]
    begins = {site["id"]: site["from"] for site in sites}
    found = list(sites)
    for where, row in _rows(folder / POINTS):
        point = _checked({"schema": "point/1", **_typed(row, where, _OWN)}, where)
        if point["site"] not in begins:
            raise MasterError(f"{where}: no site {point['site']} in {SITES}")
        begin = min(since, begins[point["site"]])
        found += [point, _checked(_device(row, where, spki, begin), where)]
    return found


def participations(folder: Path) -> list[Document]:
    """participation/1 of each row; none where there is no such file. Raises `MasterError`."""
    if not (folder / SHARES).exists():
        return []
    found = []
    for where, row in _rows(folder / SHARES):
        ppm, end = row.get("ppm", ""), row.get("to", "")
        if not ppm.isdecimal():
            raise MasterError(f"{where}: ppm must be a whole number")
        document = {
            "schema": "participation/1",
            "site": row.get("site", ""),
            "district": row.get("district", ""),
            "ppm": int(ppm),
            "from": instant(row.get("from", ""), where),
            "to": instant(end, where) if end else None,
        }
        found.append(_checked(document, where))
    return found


def _rows(path: Path) -> list[tuple[str, dict[str, str]]]:
    """(where it stands, cells by header) of each row."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            sample = file.readline()
            file.seek(0)
            delimiter = ";" if sample.count(";") > sample.count(",") else ","
            reader = csv.DictReader(file, delimiter=delimiter, strict=True)
            return [
                (f"{path.name} line {reader.line_num}", _cells(row, path, reader.line_num))
                for row in reader
            ]
    except (OSError, UnicodeError, csv.Error) as error:
        raise MasterError(f"{path}: {error}") from error


def _cells(row: Mapping[str | None, Any], path: Path, line: int) -> dict[str, str]:
    if None in row or None in row.values():
        raise MasterError(f"{path.name} line {line}: not as many cells as headers")
    return {str(name).strip(): text.strip() for name, text in row.items()}


def _site(row: Mapping[str, str], where: str) -> Document:
    typed = _typed(row, where, ())
    for name in ("from", "to"):
        if name in typed:
            typed[name] = instant(typed[name], where)
    typed.setdefault("heating", "unknown")
    typed.setdefault("vehicles", "unknown")
    return _checked({"schema": "site/1", **typed}, where)


def _typed(row: Mapping[str, str], where: str, others: Sequence[str]) -> Document:
    """Cells that say something; numbers as numbers."""
    found: Document = {}
    for name, text in row.items():
        if not text or name in others:
            continue
        if name in _NUMBERS:
            if not text.isdecimal():
                raise MasterError(f"{where}: {name} must be a whole number")
            found[name] = int(text)
        else:
            found[name] = text
    if "kind" in found:
        found.setdefault("parent", None)
    return found


def instant(text: str, where: str) -> int:
    """Epoch seconds of a day's midnight UTC, or of a time with its offset. Raises
    `MasterError`."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise MasterError(f"{where}: {text} is no date") from error
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())


def _device(row: Mapping[str, str], where: str, spki: str, since: int) -> Document:
    named = row.get("registers", "")
    if named:
        pairs = [part.partition("=") for part in named.split()]
        registers: Document = {obis: {"role": role} for obis, _, role in pairs}
    else:
        registers = {obis: {"role": role} for obis, role in REGISTERS[row["kind"]].items()}
    resolution = row.get("resolution_wh", "")
    if resolution:
        if not resolution.isdecimal():
            raise MasterError(f"{where}: resolution_wh must be a whole number")
        for register in registers.values():
            register["resolution_wh"] = int(resolution)
    return {
        "schema": "device/1",
        "id": device_of(row["id"]),
        "point": row["id"],
        "key": {"alg": "ES256", "spki": spki},
        "registers": registers,
        "from": since,
        "to": None,
        "first_counter": 1,
        "authority": "dso",
    }


def _checked(document: Document, where: str) -> Document:
    try:
        return documents.check(document)
    except DomainError as error:
        raise MasterError(f"{where}: {error}") from error
