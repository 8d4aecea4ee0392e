# SPDX-License-Identifier: Apache-2.0
"""Replay of a register file: the cumulative registers of one meter, one line per instant.

    instant,1-0:1.8.0*255/Wh,1-0:2.8.0*255/Wh
    1774738800,120500,0
    1774739700,120612,35

Units are Wh and kWh, and of other carriers MJ, GJ, m3, dm3, m and km (rules M2).
The first column is the instant in UTC epoch seconds, ascending; the others are registers, named
`OBIS/unit` in the first line. Values are decimal text and pass through unchanged. An empty value
is a register the meter did not give; a missing line is a gap. A column named `sync` holds OCMF's
time status (else `S`); one named `reason` makes it the file of a charger, each line a register of a
transaction with OCMF's `TX` (B, C, E).

Files of many years are read from the middle: lines ascend, so an instant is found by bisection.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from emsagent import limits
from emsagent.config import DriverConfig
from emsagent.drivers import Register, Sample
from emsagent.errors import ConfigError, DriverFault
from emsagent.toml import Table

_INSTANT = re.compile(r"[0-9]{1,12}")
_VALUE = re.compile(r"[0-9]{1,15}(\.[0-9]{1,6})?")
_COLUMN = re.compile(r"([0-9A-F]{1,3}-[0-9A-F]{1,3}:[0-9A-F.*]{5,20})/(Wh|kWh|MJ|GJ|m3|dm3|m|km)")
_SYNC = ("S", "R", "I", "U")
_REASONS = ("", "B", "C", "X", "T", "S", "E", "L", "R", "A", "P")
_TEXTS = ("sync", "reason")


def make(config: DriverConfig) -> "RegisterFile":
    """The driver `{ kind = "csv", file = "..." }`."""
    table = Table(config.settings, config.where)
    path = config.base / table.text("file")
    table.done()
    if not path.is_file():
        raise ConfigError(table.path("file"), f"{path} is not a file")
    return RegisterFile(path)


class RegisterFile:
    """A register file on disk, opened for each use."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def samples(self, after: int | None, until: int) -> Iterator[Sample]:
        """The lines with `after` < instant <= `until`. Raises `DriverFault` on a wrong line."""
        with self._path.open("rb") as file:
            columns = self._columns(file)
            if after is not None:
                self._seek(file, after)
            last = -1
            while line := file.readline(limits.REGISTER_LINE_BYTES_MAX):
                sample = self._sample(line, columns)
                if sample.instant <= last:
                    raise self._fault("order", f"{sample.instant} follows {last}")
                last = sample.instant
                if sample.instant > until:
                    return
                if after is None or sample.instant > after:
                    yield sample

    def _columns(self, file: BinaryIO) -> list[tuple[str, str]]:
        names = self._cells(file.readline(limits.REGISTER_LINE_BYTES_MAX))
        if names[0] != "instant" or not 2 <= len(names) <= limits.REGISTER_COLUMNS_MAX:
            raise self._fault("header", "the first line must be instant,<OBIS>/<unit>,...")
        columns = []
        for name in names[1:]:
            match = _COLUMN.fullmatch(name)
            if match is None and name not in _TEXTS:
                raise self._fault("header", f"{name!r} is no <OBIS>/<unit>, sync or reason")
            columns.append((match[1], match[2]) if match else (name, ""))
        return columns

    def _seek(self, file: BinaryIO, after: int) -> None:
        """Move to the last line not past `after`, or to the first line."""
        low = file.tell()
        high = file.seek(0, 2)
        while high - low > 1:
            middle = (low + high) // 2
            file.seek(middle)
            file.readline(limits.REGISTER_LINE_BYTES_MAX)
            start = file.tell()
            line = file.readline(limits.REGISTER_LINE_BYTES_MAX)
            if line and start < high and self._instant(self._cells(line)[0]) <= after:
                low = start
            else:
                high = middle
        file.seek(low)

    def _sample(self, line: bytes, columns: list[tuple[str, str]]) -> Sample:
        cells = self._cells(line)
        if len(cells) != len(columns) + 1:
            raise self._fault("columns", f"{len(cells)} instead of {len(columns) + 1}")
        sync, reason, registers = "S", "", []
        for (name, unit), text in zip(columns, cells[1:], strict=True):
            if name == "sync":
                if text not in _SYNC:
                    raise self._fault("sync", repr(text))
                sync = text
            elif name == "reason":
                if text not in _REASONS:
                    raise self._fault("reason", repr(text))
                reason = text
            elif text:
                if not _VALUE.fullmatch(text):
                    raise self._fault("value", f"{text!r} is not a register value")
                registers.append(Register(name, text, unit))
        return Sample(self._instant(cells[0]), sync, tuple(registers), reason)

    def _cells(self, line: bytes) -> list[str]:
        try:
            return line.decode("ascii").rstrip("\r\n").split(",")
        except UnicodeDecodeError as error:
            raise self._fault("bytes", "not ASCII") from error

    def _instant(self, text: str) -> int:
        if not _INSTANT.fullmatch(text):
            raise self._fault("instant", f"{text!r} is not UTC epoch seconds")
        return int(text)

    def _fault(self, reason: str, detail: str) -> DriverFault:
        return DriverFault(reason, f"{self._path.name}: {detail}")
