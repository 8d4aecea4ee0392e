# SPDX-License-Identifier: Apache-2.0
"""Taking a file: every row into the store, or rejected for a reason; the file whole or not at all.

The same value again is a repetition. Another value for what an earlier file said is a correction;
within one file it contradicts, and the first stands.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from pedchain_domain.instants import DAY
from pedchain_gateway.importing import cim, espi, rows, tables
from pedchain_gateway.importing.mapping import Mapping
from pedchain_gateway.importing.rows import Rejected, Series, TableError, Value
from pedchain_gateway.importing.store import Held, Store, Taken

BUFFERED = 1_000_000
"""Values of a file kept in memory before they go to the store."""
_BLOCK = 1024 * 1024
Report = Callable[[Rejected], None]


def take(store: Store, path: Path, style: Mapping, reject: Report, *, keep: bool = True) -> Taken:
    """Take a file; a file taken before is only told of. Raises `TableError`: nothing was taken."""
    with store.whole(keep=keep):
        digest = _digest(path)
        known = store.taken(digest)
        if known is not None:
            return known
        taking = _Taking(store, store.files())
        for found in parsed(path, style):
            reason = found.reason if isinstance(found, Rejected) else taking.value(found)
            if reason is not None:
                taking.rejected += 1
                reject(found if isinstance(found, Rejected) else _about(found, reason))
        for told in taking.end():
            taking.rejected += 1
            reject(told)
        done = Taken(path.name, taking.taken, taking.repeated, taking.corrected, taking.rejected)
        store.note(digest, done)
        return done


def parsed(path: Path, style: Mapping) -> Iterator[Value | Rejected]:
    """What stands in a file. Raises `TableError`."""
    if style.format == "espi":
        return espi.read(path, style)
    if style.format == "cim":
        return cim.read(path, style)
    return rows.read(tables.lines(path, style), style)


def _about(value: Value, reason: str) -> Rejected:
    series = value.series
    return Rejected(value.line, reason, f"{series.point};{series.obis};{value.instant}")


def _digest(path: Path) -> bytes:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    except OSError as error:
        raise TableError(error.strerror or str(error)) from error
    return digest.digest()


class _Taking:
    """One file on its way into the store."""

    def __init__(self, store: Store, file: int) -> None:
        self._store, self._file = store, file
        self._numbers: dict[tuple[Series, int], int | None] = {}
        self._days: dict[tuple[int, int], Held] = {}
        self._waiting = 0
        self._open: dict[str, list[list[object]]] = {}
        self._lines: dict[str, int] = {}
        self.taken = self.repeated = self.corrected = self.rejected = 0
        self._late: list[Rejected] = []

    def value(self, value: Value) -> str | None:
        """Take a value; why it cannot be taken."""
        if value.seconds and value.instant % value.seconds:
            return "off-grid"
        name = (value.series, value.seconds)
        if name not in self._numbers:
            self._numbers[name] = self._store.series(*name)
        number = self._numbers[name]
        if number is None:
            return "other-kind"
        if value.event:
            return self._session(value)
        held = self._days.setdefault((number, value.instant // DAY), {})
        before = held.get(value.instant)
        if before is not None:
            if before[1] != value.micro:
                return "contradicts"
            self.repeated += 1
            return None
        held[value.instant] = (value.seconds, value.micro, value.mark)
        self._waiting += 1
        if self._waiting >= BUFFERED:
            self._flush()
        return None

    def end(self) -> Iterable[Rejected]:
        """The last values go to the store; what turned out not to be taken after all."""
        self._flush()
        for point, line in self._lines.items():
            if point in self._open:
                yield Rejected(line, "session-not-ended", point)
        yield from self._late

    def _flush(self) -> None:
        for (number, day), fresh in self._days.items():
            held, file = self._store.held(number, day)
            changed = False
            for instant, (seconds, micro, mark) in fresh.items():
                before = held.get(instant)
                if before is None:
                    self.taken += 1
                elif before[1] == micro:
                    self.repeated += 1
                    continue
                elif file == self._file:
                    self._late.append(Rejected(0, "contradicts", f"series {number};{instant}"))
                    continue
                else:
                    self.corrected += 1
                held[instant] = (seconds, micro, mark)
                changed = True
            if changed:
                self._store.hold(number, day, held, self._file)
        self._days.clear()
        self._waiting = 0

    def _session(self, value: Value) -> str | None:
        """Rows of a charger from B to E are one transaction (rules R7)."""
        point = value.series.point
        knot = [value.instant, value.series.obis, value.micro, value.series.unit]
        if value.event == "B":
            if point in self._open:
                self._late.append(Rejected(self._lines[point], "session-not-ended", point))
            self._open[point], self._lines[point] = [knot], value.line
            return None
        if point not in self._open:
            return "session-not-begun"
        self._open[point].append(knot)
        if value.event == "C":
            return None
        held = self._open.pop(point)
        fresh = self._store.session(point, held)
        if fresh is None:
            return "contradicts"
        if fresh:
            self.taken += len(held)
        else:
            self.repeated += len(held)
        return None
