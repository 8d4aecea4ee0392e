# SPDX-License-Identifier: Apache-2.0
"""What an import holds between runs: values taken, registers told, records on their way.

SQLite beside the DSO's key. A file is taken whole or not at all; what became of each file and of
each record can be asked. Values stand by series and UTC day, packed.
"""

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from pedchain_gateway import database
from pedchain_gateway.importing.rows import Series

VERSION = 1
RECORDED, REJECTED, FOLDED = "recorded", "rejected", "folded"
"""States of a record beyond `waiting`; what is recorded is folded with its period."""
_SCHEMA = """
CREATE TABLE file (digest BLOB PRIMARY KEY, name TEXT NOT NULL, taken INTEGER NOT NULL,
    repeated INTEGER NOT NULL, corrected INTEGER NOT NULL, rejected INTEGER NOT NULL) STRICT;
CREATE TABLE series (id INTEGER PRIMARY KEY, point TEXT NOT NULL, obis TEXT NOT NULL,
    unit TEXT NOT NULL, kind TEXT NOT NULL, seconds INTEGER NOT NULL,
    registered INTEGER NOT NULL DEFAULT 0, UNIQUE (point, obis)) STRICT;
CREATE TABLE day (series INTEGER NOT NULL, day INTEGER NOT NULL, held BLOB NOT NULL,
    told BLOB, news BLOB, file INTEGER NOT NULL, dirty INTEGER NOT NULL,
    PRIMARY KEY (series, day)) STRICT, WITHOUT ROWID;
CREATE INDEX day_dirty ON day (series) WHERE dirty;
CREATE INDEX day_news ON day (day) WHERE news IS NOT NULL;
CREATE TABLE session (point TEXT NOT NULL, begun INTEGER NOT NULL, held BLOB NOT NULL,
    sent INTEGER NOT NULL, PRIMARY KEY (point, begun)) STRICT, WITHOUT ROWID;
CREATE TABLE counter (point TEXT NOT NULL, context TEXT NOT NULL, next INTEGER NOT NULL,
    PRIMARY KEY (point, context)) STRICT, WITHOUT ROWID;
CREATE TABLE record (id INTEGER PRIMARY KEY, point TEXT NOT NULL, day INTEGER NOT NULL,
    content BLOB, readings INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,
    tx TEXT) STRICT;
CREATE INDEX record_waiting ON record (id) WHERE state = 'waiting';
"""
_NEWS = "FROM day JOIN series ON series.id = day.series WHERE news IS NOT NULL AND registered"
_NEWS_OF = f"SELECT series, news {_NEWS} AND day = ? ORDER BY point LIMIT ?"
_SESSIONS = (
    "FROM session WHERE NOT sent AND EXISTS "
    "(SELECT 1 FROM series WHERE series.point = session.point AND registered)"
)
_SESSIONS_OF = f"SELECT point, begun, held {_SESSIONS} AND begun / 86400 = ? ORDER BY begun, point"
_NEWS_DAYS = f"SELECT day {_NEWS} UNION SELECT begun / 86400 {_SESSIONS} ORDER BY 1"
Held = dict[int, tuple[int, int, str]]
"""Seconds, millionths and class by instant."""


class Taken(NamedTuple):
    """How a file's rows went: new, repeated, correcting, not taken."""

    name: str
    taken: int
    repeated: int
    corrected: int
    rejected: int


class Row(NamedTuple):
    """A record on its way."""

    id: int
    point: str
    day: int
    content: bytes
    readings: int
    tx: str | None


class Store:
    """The import's memory on disk (or, path None, in memory)."""

    def __init__(self, path: Path | None) -> None:
        self._db = database.opened(path, _SCHEMA, VERSION)
        self._series = {
            (point, obis): (number, unit, kind, seconds)
            for number, point, obis, unit, kind, seconds in self._db.execute(
                "SELECT id, point, obis, unit, kind, seconds FROM series"
            )
        }

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def whole(self, *, keep: bool = True) -> Iterator[None]:
        """All of it, or nothing where an error ends it; never anything without `keep`."""
        known = dict(self._series)
        self._db.execute("BEGIN IMMEDIATE")
        done = False
        try:
            yield
            done = keep
        finally:
            self._db.execute("COMMIT" if done else "ROLLBACK")
            if not done:
                self._series = known

    # -- files ------------------------------------------------------------------------------

    def taken(self, digest: bytes) -> Taken | None:
        """How a file went that was taken before."""
        row = self._db.execute(
            "SELECT name, taken, repeated, corrected, rejected FROM file WHERE digest = ?",
            (digest,),
        ).fetchone()
        return Taken(*row) if row else None

    def files(self) -> int:
        """How many files were taken."""
        return int(self._db.execute("SELECT count(*) FROM file").fetchone()[0])

    def note(self, digest: bytes, file: Taken) -> None:
        """A file was taken."""
        self._db.execute("INSERT INTO file VALUES (?, ?, ?, ?, ?, ?)", (digest, *file))

    # -- values -----------------------------------------------------------------------------

    def series(self, series: Series, seconds: int) -> int | None:
        """The number of a series; None where the point's register came otherwise before."""
        known = self._series.get((series.point, series.obis))
        if known is None:
            row = (series.point, series.obis, series.unit, series.kind, seconds)
            made = self._db.execute(
                "INSERT INTO series (point, obis, unit, kind, seconds) VALUES (?, ?, ?, ?, ?)", row
            ).lastrowid
            assert made is not None
            known = self._series[row[:2]] = (made, *row[2:])
        return known[0] if known[1:] == (series.unit, series.kind, seconds) else None

    def described(self) -> dict[int, tuple[Series, int]]:
        """Every series with the seconds of its intervals, by number."""
        return {
            number: (Series(point, obis, unit, kind), seconds)
            for (point, obis), (number, unit, kind, seconds) in self._series.items()
        }

    def unregistered(self) -> dict[str, list[str]]:
        """Registers by point that the ledger was not known to have."""
        found: dict[str, list[str]] = {}
        for point, obis in self._db.execute(
            "SELECT point, obis FROM series WHERE NOT registered ORDER BY point, obis"
        ):
            found.setdefault(point, []).append(obis)
        return found

    def registered(self, point: str, registers: Sequence[str]) -> None:
        """The ledger has these registers of a point."""
        self._db.executemany(
            "UPDATE series SET registered = 1 WHERE point = ? AND obis = ?",
            [(point, obis) for obis in registers],
        )

    def held(self, series: int, day: int) -> tuple[Held, int]:
        """A day's values, and the file that was last taken with some of them."""
        row = self._db.execute(
            "SELECT held, file FROM day WHERE series = ? AND day = ?", (series, day)
        ).fetchone()
        return (_held(row[0]), row[1]) if row else ({}, -1)

    def hold(self, series: int, day: int, held: Held, file: int) -> None:
        """A day's values, of which some are new."""
        self._db.execute(
            "INSERT INTO day VALUES (?, ?, ?, NULL, NULL, ?, 1) ON CONFLICT DO UPDATE SET "
            "held = excluded.held, file = excluded.file, dirty = 1",
            (series, day, _packed([[at, *held[at]] for at in sorted(held)]), file),
        )

    def dirty(self, series: int) -> list[int]:
        """Days whose values changed since their registers were told."""
        rows = self._db.execute(
            "SELECT day FROM day WHERE series = ? AND dirty ORDER BY day", (series,)
        )
        return [row[0] for row in rows]

    def told(self, series: int, day: int) -> dict[int, int]:
        """A day's registers that were told, by instant."""
        row = self._db.execute(
            "SELECT told FROM day WHERE series = ? AND day = ?", (series, day)
        ).fetchone()
        return dict(_unpacked(row[0])) if row and row[0] else {}

    def tell(
        self, series: int, day: int, told: Mapping[int, int], news: Sequence[tuple[int, int, str]]
    ) -> None:
        """A day's registers, and which of them have to be filed."""
        waiting = self._db.execute(
            "SELECT news FROM day WHERE series = ? AND day = ?", (series, day)
        ).fetchone()[0]
        merged = {at: [at, *rest] for at, *rest in (_unpacked(waiting) if waiting else ())}
        merged |= {at: [at, micro, mark] for at, micro, mark in news}
        self._db.execute(
            "UPDATE day SET told = ?, news = ?, dirty = 0 WHERE series = ? AND day = ?",
            (
                _packed(sorted(told.items())),
                _packed([merged[at] for at in sorted(merged)]) if merged else None,
                series,
                day,
            ),
        )

    def days(self) -> list[int]:
        """Every day with values, ascending."""
        return [row[0] for row in self._db.execute("SELECT DISTINCT day FROM day ORDER BY day")]

    def span(self) -> tuple[int, int]:
        """The first and the last register that was told (epoch seconds); (0, 0) without any."""
        days = self.days()
        if not days:
            return 0, 0
        told = {
            at
            for day in (days[0], days[-1])
            for number in self.described()
            for at in self.told(number, day)
        }
        return min(told), max(told)

    def days_with_news(self) -> list[int]:
        """Days that have registers or charging sessions to file, ascending."""
        return [row[0] for row in self._db.execute(_NEWS_DAYS)]

    def take_news(self, day: int, most: int = -1) -> list[tuple[int, list[Any]]]:
        """(series, [instant, millionths, class]) of a day, of at most so many series; no longer
        news."""
        rows = self._db.execute(_NEWS_OF, (day, most)).fetchall()
        self._db.executemany(
            "UPDATE day SET news = NULL WHERE series = ? AND day = ?",
            [(series, day) for series, _ in rows],
        )
        return [(series, _unpacked(news)) for series, news in rows]

    # -- charging sessions --------------------------------------------------------------------

    def session(self, point: str, held: Sequence[Any]) -> bool | None:
        """Hold a session; False where it is held already, None where another one began then."""
        begun = held[0][0]
        packed = _packed(held)
        row = self._db.execute(
            "SELECT held FROM session WHERE point = ? AND begun = ?", (point, begun)
        ).fetchone()
        if row:
            return False if row[0] == packed else None
        self._db.execute("INSERT INTO session VALUES (?, ?, ?, 0)", (point, begun, packed))
        return True

    def sessions(self) -> Iterator[tuple[str, list[Any]]]:
        """(point, [instant, register, millionths, unit]) of every session, in their order."""
        rows = self._db.execute("SELECT point, held FROM session ORDER BY point, begun")
        for point, held in rows.fetchall():
            yield point, _unpacked(held)

    def take_sessions(self, day: int) -> list[tuple[str, list[Any]]]:
        """Sessions begun on a day that were not filed; now they are."""
        rows = self._db.execute(_SESSIONS_OF, (day,)).fetchall()
        self._db.executemany(
            "UPDATE session SET sent = 1 WHERE point = ? AND begun = ?",
            [(point, begun) for point, begun, _ in rows],
        )
        return [(point, _unpacked(held)) for point, _, held in rows]

    # -- records ----------------------------------------------------------------------------

    def counter(self, point: str, context: str) -> int:
        """The point's next counter, used up by asking."""
        row = self._db.execute(
            "INSERT INTO counter VALUES (?, ?, 2) ON CONFLICT DO UPDATE SET next = next + 1 "
            "RETURNING next - 1",
            (point, context),
        ).fetchone()
        return int(row[0])

    def put(self, point: str, day: int, content: bytes, readings: int) -> None:
        """A record that has to be sent."""
        self._db.execute(
            "INSERT INTO record (point, day, content, readings, state, reason) "
            "VALUES (?, ?, ?, ?, 'waiting', '')",
            (point, day, content, readings),
        )

    def waiting(self) -> list[Row]:
        """Records to send, in their order."""
        rows = self._db.execute(
            "SELECT id, point, day, content, readings, tx FROM record "
            "WHERE state = 'waiting' ORDER BY id"
        )
        return [Row(*row) for row in rows]

    def pend(self, rows: Sequence[Row], transaction: str | None) -> None:
        """These records are being sent in a transaction (None: they are not)."""
        self._db.executemany(
            "UPDATE record SET tx = ? WHERE id = ?", [(transaction, row.id) for row in rows]
        )

    def settle(self, found: Sequence[tuple[Row, str, str]]) -> None:
        """(record, state, reason). What was recorded need not be kept here."""
        with self.whole():
            self._db.executemany(
                "UPDATE record SET state = ?, reason = ?, "
                "content = iif(?1 = 'recorded', NULL, content) WHERE id = ?",
                [(state, reason, row.id) for row, state, reason in found],
            )

    def unfolded(self) -> list[int]:
        """Records on the ledger whose period is not known to be folded."""
        rows = self._db.execute("SELECT id FROM record WHERE state = 'recorded'")
        return [row[0] for row in rows]

    def folded(self, records: Sequence[int]) -> None:
        """The periods of these records are folded."""
        with self.whole():
            self._db.executemany(
                "UPDATE record SET state = ? WHERE id = ?", [(FOLDED, one) for one in records]
            )

    def again(self) -> None:
        """What the ledger rejected waits again: what it lacked may have been registered."""
        self._db.execute("UPDATE record SET state = 'waiting', tx = NULL WHERE state = 'rejected'")

    def rejected(self) -> list[tuple[str, int, str]]:
        """(point, day, reason) of records the ledger did not take."""
        return self._db.execute(
            "SELECT point, day, reason FROM record WHERE state = 'rejected' ORDER BY day, point"
        ).fetchall()


def _packed(value: object) -> bytes:
    return zlib.compress(json.dumps(value, separators=(",", ":")).encode(), 1)


def _unpacked(blob: bytes) -> list[Any]:
    found: list[Any] = json.loads(zlib.decompress(blob))
    return found


def _held(blob: bytes) -> Held:
    return {at: (seconds, micro, mark) for at, seconds, micro, mark in _unpacked(blob)}
