# SPDX-License-Identifier: Apache-2.0
"""The outbox: every record lies on the disk, signed, before the first attempt to send it.

A record's way: `reserved` (counter taken, payload fixed, not yet signed) - `queued` (signed) -
`sent` (at least one attempt, outcome not known) - `recorded`, `rejected` or `conflict`.
Only a gateway's answer settles a record; until then the same bytes are sent again. When the
outbox is full the oldest stay and new ones are refused: nothing is dropped in silence.

SQLite in WAL mode with full synchronisation: a transaction that returned is on the disk.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from emsagent import limits
from emsagent.drivers import Sample
from emsagent.errors import DeviceBlocked, OutboxBusy, OutboxFull, OutboxMissing, StateRegressed

VERSION = 1
_SCHEMA = """
CREATE TABLE device (
    id TEXT PRIMARY KEY, counter INTEGER NOT NULL, last_instant INTEGER NOT NULL, blocked TEXT
) STRICT;
CREATE TABLE record (
    id INTEGER PRIMARY KEY, device TEXT NOT NULL, counter INTEGER NOT NULL, state TEXT NOT NULL,
    content BLOB NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, reason TEXT, receipt TEXT,
    UNIQUE (device, counter)
) STRICT;
CREATE INDEX record_by_state ON record (state, id);
CREATE TABLE alarm (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, name TEXT NOT NULL, detail TEXT NOT NULL,
    UNIQUE (name, detail)
) STRICT;
CREATE TABLE pause (
    id INTEGER PRIMARY KEY CHECK (id = 1), failures INTEGER NOT NULL, until_ms INTEGER NOT NULL
) STRICT;
INSERT INTO pause VALUES (1, 0, 0);
"""


class State(StrEnum):
    """Where a record stands."""

    RESERVED = "reserved"
    QUEUED = "queued"
    SENT = "sent"
    RECORDED = "recorded"
    REJECTED = "rejected"
    CONFLICT = "conflict"


_WAITING = "SELECT count(*) FROM record WHERE state IN ('reserved', 'queued', 'sent')"
_ENTRY = "SELECT id, device, counter, content, attempts FROM record "
_UNSIGNED = _ENTRY + "WHERE state = 'reserved' ORDER BY id LIMIT ?"
_DUE = _ENTRY + "WHERE state IN ('queued', 'sent') ORDER BY id LIMIT ?"


@dataclass(frozen=True, slots=True)
class Entry:
    """One record: `content` is the payload while reserved, the signed bytes from then on."""

    id: int
    device: str
    counter: int
    content: bytes
    attempts: int


@dataclass(frozen=True, slots=True)
class Draft:
    """A record to be: the device's next counter, its payload, the last instant it covers; and the
    samples it is made of, for whoever holds them until they are on the disk."""

    device: str
    counter: int
    payload: bytes
    last_instant: int
    samples: tuple[Sample, ...] = ()


@dataclass(frozen=True, slots=True)
class Passed:
    """A record its meter signed itself, under its own counter."""

    device: str
    counter: int
    content: bytes
    last_instant: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a gateway said about one record. `receipt` is the transaction's id."""

    id: int
    state: State
    reason: str = ""
    receipt: str = ""


class Outbox:
    """The records of one home. One process at a time; a context manager that closes it."""

    def __init__(
        self, path: Path, records_max: int = limits.RECORDS_HELD_MAX, *, looking: bool = False
    ) -> None:
        """Open the file, making it at the first start; `looking` reads beside a running agent."""
        self._records_max = records_max
        self._lock: IO[bytes] | None = None
        try:
            if not looking:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._lock = _locked(path.with_suffix(".lock"))
            self._db = _opened(path, looking)
        except OSError as error:
            self._unlock()
            raise OutboxFull(f"{path} cannot be written: {error.strerror}") from error
        except BaseException:
            self._unlock()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the files; everything is on the disk already."""
        self._db.close()
        self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except BaseException as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError):
                raise OutboxFull(f"the outbox cannot be written: {error}") from error
            raise

    # -- taking counters ------------------------------------------------------------------

    def counters(self) -> dict[str, int]:
        """The last counter each device has reserved."""
        return dict(self._db.execute("SELECT id, counter FROM device"))

    def last_instant(self, device: str) -> int | None:
        """The last instant (epoch seconds) a record of this device covers, or None."""
        row = self._db.execute("SELECT last_instant FROM device WHERE id = ?", (device,)).fetchone()
        return None if row is None else int(row[0])

    def room(self) -> int:
        """How many more records are accepted before the outbox is full."""
        row = self._db.execute(_WAITING).fetchone()
        return max(0, self._records_max - int(row[0]))

    def check_unblocked(self, device: str) -> None:
        """Raise `DeviceBlocked` if a conflict stopped this device."""
        row = self._db.execute("SELECT blocked FROM device WHERE id = ?", (device,)).fetchone()
        if row is not None and row[0] is not None:
            raise DeviceBlocked(f"{device}: {row[0]}")

    def reserve(self, drafts: Sequence[Draft]) -> None:
        """Fix payloads to counters, durably, before anything is signed.

        Raises `OutboxFull` if they do not all fit, `StateRegressed` if a counter is not the
        device's next one; then nothing was reserved.
        """
        if len(drafts) > self.room():
            raise OutboxFull(f"{self._records_max} records wait to be settled")
        with self._transaction():
            for draft in drafts:
                self._reserve(draft)

    def _reserve(self, draft: Draft) -> None:
        row = self._db.execute(
            "INSERT INTO device VALUES (?1, 1, ?2, NULL) ON CONFLICT (id) DO UPDATE "
            "SET counter = counter + 1, last_instant = max(last_instant, ?2) RETURNING counter",
            (draft.device, draft.last_instant),
        ).fetchone()
        if row[0] != draft.counter:
            raise StateRegressed(f"{draft.device}: counter {draft.counter} is not the next one")
        self._db.execute(
            "INSERT INTO record (device, counter, state, content) VALUES (?, ?, ?, ?)",
            (draft.device, draft.counter, State.RESERVED, draft.payload),
        )

    def pass_on(self, record: Passed) -> bool:
        """Keep a record that its meter signed itself; False where it is known. Raises `OutboxFull`,
        `DeviceBlocked` if the meter signed something else under this counter before."""
        known = self._db.execute(
            "SELECT content FROM record WHERE device = ? AND counter = ?",
            (record.device, record.counter),
        ).fetchone()
        if known is not None:
            if known[0] != record.content:
                raise DeviceBlocked(f"{record.device} signed counter {record.counter} twice")
            return False
        if not self.room():
            raise OutboxFull(f"{self._records_max} records wait to be settled")
        with self._transaction():
            self._db.execute(
                "INSERT INTO device VALUES (?1, ?2, ?3, NULL) ON CONFLICT (id) DO UPDATE SET "
                "counter = max(counter, ?2), last_instant = max(last_instant, ?3)",
                (record.device, record.counter, record.last_instant),
            )
            self._db.execute(
                "INSERT INTO record (device, counter, state, content) VALUES (?, ?, ?, ?)",
                (record.device, record.counter, State.QUEUED, record.content),
            )
        return True

    def skip_to(self, device: str, counter: int) -> None:
        """Give up all counters up to this one, after a restored state, and unblock the device."""
        with self._transaction():
            self._db.execute(
                "INSERT INTO device VALUES (?1, ?2, 0, NULL) ON CONFLICT (id) DO UPDATE SET "
                "counter = ?2, blocked = NULL",
                (device, counter),
            )

    def unsigned(self) -> list[Entry]:
        """Records whose counter is taken but which are not signed yet, oldest first."""
        return self._entries(_UNSIGNED, self._records_max)

    def store_signed(self, signed: Iterable[tuple[int, bytes]]) -> None:
        """Put the signed bytes (record id, bytes) in the place of the payloads."""
        with self._transaction():
            self._db.executemany(
                "UPDATE record SET state = 'queued', content = ?2 "
                "WHERE id = ?1 AND state = 'reserved'",
                list(signed),
            )

    # -- sending --------------------------------------------------------------------------

    def due(self, most: int) -> list[Entry]:
        """Signed records that no gateway has settled, oldest first."""
        return self._entries(_DUE, most)

    def note_attempt(self, ids: Iterable[int]) -> None:
        """Note durably that these records are about to be sent."""
        with self._transaction():
            self._db.executemany(
                "UPDATE record SET state = 'sent', attempts = attempts + 1 "
                "WHERE id = ? AND state IN ('queued', 'sent')",
                [(one,) for one in ids],
            )

    def settle(self, verdicts: Sequence[Verdict]) -> None:
        """Write a gateway's answers; a conflict also blocks its device."""
        with self._transaction():
            for verdict in verdicts:
                self._db.execute(
                    "UPDATE record SET state = ?2, reason = ?3, receipt = ?4 "
                    "WHERE id = ?1 AND state IN ('queued', 'sent')",
                    (verdict.id, verdict.state, verdict.reason, verdict.receipt),
                )
                if verdict.state is State.CONFLICT:
                    self._block(verdict.id)
            self._forget()

    def _block(self, record: int) -> None:
        self._db.execute(
            "UPDATE device SET blocked = (SELECT 'the ledger holds another payload at counter '"
            " || counter FROM record WHERE id = ?1)"
            " WHERE id = (SELECT device FROM record WHERE id = ?1) AND blocked IS NULL",
            (record,),
        )

    def _forget(self) -> None:
        """Drop the oldest recorded ones; rejected and conflicting records are evidence."""
        self._db.execute(
            "DELETE FROM record WHERE state = 'recorded' AND id <= ("
            "SELECT id FROM record WHERE state = 'recorded' ORDER BY id DESC LIMIT 1 OFFSET ?)",
            (limits.SETTLED_KEPT_MAX,),
        )

    def pause(self) -> tuple[int, int]:
        """Failures in a row, and the epoch millisecond before which nothing is sent."""
        row = self._db.execute("SELECT failures, until_ms FROM pause").fetchone()
        return int(row[0]), int(row[1])

    def set_pause(self, failures: int, until_ms: int) -> None:
        """Remember a backoff, so that a restart does not shorten it."""
        with self._transaction():
            self._db.execute("UPDATE pause SET failures = ?, until_ms = ?", (failures, until_ms))

    # -- looking --------------------------------------------------------------------------

    def raise_alarm(self, at: int, name: str, detail: str) -> bool:
        """Note something a person must look at; False if it was noted before."""
        with self._transaction():
            cursor = self._db.execute(
                "INSERT INTO alarm (at, name, detail) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (at, name, detail),
            )
            self._db.execute(
                "DELETE FROM alarm WHERE id <= (SELECT max(id) FROM alarm) - ?",
                (limits.ALARMS_KEPT_MAX,),
            )
            return cursor.rowcount > 0

    def alarms(self) -> list[tuple[int, str, str]]:
        """Alarms as (epoch second, name, detail), oldest first."""
        return list(self._db.execute("SELECT at, name, detail FROM alarm ORDER BY id"))

    def counts(self) -> Mapping[State, int]:
        """How many records stand where."""
        found = dict(self._db.execute("SELECT state, count(*) FROM record GROUP BY state"))
        return {state: found.get(state.value, 0) for state in State}

    def _entries(self, query: str, most: int) -> list[Entry]:
        return [Entry(*row) for row in self._db.execute(query, (most,))]


def _locked(path: Path) -> IO[bytes]:
    lock = path.open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise OutboxBusy(f"another process works on {path.with_suffix('.sqlite')}") from error
    return lock


def _opened(path: Path, looking: bool) -> sqlite3.Connection:
    if not looking:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    elif not path.exists():
        raise OutboxMissing(f"{path} is not there yet: this home has not started")
    mode = "ro" if looking else "rw"
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", isolation_level=None, uri=True)
    try:
        if not looking:
            _prepare(db)
        version = db.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.OperationalError as error:  # a full or read-only disk
        db.close()
        raise OutboxFull(f"{path} cannot be written: {error}") from error
    except sqlite3.DatabaseError as error:
        db.close()
        raise StateRegressed(f"{path} is damaged ({error}): make a new key") from error
    if version != VERSION:
        db.close()
        raise StateRegressed(f"{path} was written by version {version}, this agent knows {VERSION}")
    return db


def _prepare(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA cache_size = -256")
    if db.execute("PRAGMA user_version").fetchone()[0] == 0:
        db.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
