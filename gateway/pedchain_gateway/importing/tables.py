# SPDX-License-Identifier: Apache-2.0
"""CSV and XLSX files as lines of text cells."""

import csv
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zipfile import BadZipFile

from pedchain_gateway.importing.mapping import Mapping
from pedchain_gateway.importing.rows import Line, TableError


def lines(path: Path, style: Mapping) -> Iterator[Line]:
    """The file's lines with their numbers, from its header on. Raises `TableError`."""
    found = _csv(path, style) if style.format == "csv" else _xlsx(path, style)
    for number, cells in found:
        if number > style.skip:
            yield number, cells


def _csv(path: Path, style: Mapping) -> Iterator[Line]:
    try:
        with path.open(encoding=style.encoding, newline="") as file:
            reader = csv.reader(file, delimiter=style.delimiter, strict=True)
            for cells in reader:
                yield reader.line_num, cells
    except (OSError, UnicodeError, LookupError, csv.Error) as error:
        raise TableError(str(error)) from error


def _xlsx(path: Path, style: Mapping) -> Iterator[Line]:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (OSError, BadZipFile, InvalidFileException, KeyError, ValueError) as error:
        raise TableError(f"no spreadsheet: {error}") from error
    try:
        if style.sheet is not None and style.sheet not in book.sheetnames:
            raise TableError(f"no sheet {style.sheet}")
        sheet = book[style.sheet or book.sheetnames[0]]
        rows = sheet.iter_rows(values_only=True)
        for number, cells in enumerate(rows, start=1):
            yield number, [_text(cell, style) for cell in cells]
    finally:
        book.close()


def _text(cell: object, style: Mapping) -> str:
    """A cell as a CSV of the same style would say it. Spreadsheets keep times as fractions of a
    day: what is off a whole second by less than one is that second."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        second = (cell + timedelta(microseconds=500_000)).replace(microsecond=0)
        return second.isoformat() if style.time == "iso" else second.strftime(style.time)
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, float):
        # What a spreadsheet shows: 15 digits; the rest is its own rounding.
        text = format(cell, ".15g")
        plain = text if "e" not in text else format(cell, ".12f").rstrip("0")
        return plain.replace(".", style.decimal)
    return str(cell)
