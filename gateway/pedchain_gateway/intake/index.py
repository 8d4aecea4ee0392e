# SPDX-License-Identifier: Apache-2.0
"""The gateway's memory of records: natural key and digests to status and transaction.

It answers exact replays without a new transaction and finds conflicts early. It is a memory, not
the judge: the ledger's fold decides, and a lost index costs only transactions that the fold then
counts as duplicates. A record is noted as pending before its transaction is sent, so that a
restarted gateway can ask what became of it.

A rejected record binds nobody: whoever can make up a bad signature must not be able to occupy a
device's counter.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from pedchain_gateway import database, limits
from pedchain_gateway.intake.form import Form, Key
from pedchain_gateway.intake.verdict import Status, Verdict

VERSION = 1
PENDING = "pending"
_SCHEMA = """
CREATE TABLE record (
    district TEXT NOT NULL, device TEXT NOT NULL, pagination TEXT NOT NULL,
    record BLOB NOT NULL, payload BLOB NOT NULL, status TEXT NOT NULL, reason TEXT NOT NULL,
    tx TEXT, position INTEGER NOT NULL, at REAL NOT NULL,
    PRIMARY KEY (district, device, pagination, record)
) STRICT, WITHOUT ROWID;
CREATE INDEX record_by_tx ON record (tx) WHERE status = 'pending';
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY, district TEXT NOT NULL, reason TEXT NOT NULL, at REAL NOT NULL,
    record BLOB NOT NULL
) STRICT;
"""
_COLUMNS = (
    "SELECT district, device, pagination, record, payload, status, reason, tx, position, at "
    "FROM record "
)
_REMEMBERED = (
    "SELECT DISTINCT record.device, record.pagination FROM json_each(?) AS asked "
    "CROSS JOIN record ON record.district = ? AND record.device = asked.value ->> 0 "
    "AND record.pagination = asked.value ->> 1"
)
_CONFLICTING = (
    "SELECT DISTINCT one.position FROM record AS one JOIN record AS other "
    "USING (district, device, pagination) WHERE one.tx = ? AND one.status = 'pending' "
    "AND other.status = 'recorded' AND other.payload != one.payload"
)
_PUT = "INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Known:
    """One remembered record. `status` is `pending` or a final `Status`."""

    key: Key
    record_digest: bytes
    payload_digest: bytes
    status: str
    reason: str
    transaction: str | None
    position: int
    at: float

    def verdict(self) -> Verdict:
        """The remembered answer; only for what is not pending."""
        return Verdict(Status(self.status), self.reason, self.transaction)


class Index:
    """The index on disk (or in memory, path None)."""

    def __init__(self, path: Path | None) -> None:
        self._db = database.opened(path, _SCHEMA, VERSION)

    def close(self) -> None:
        """Close the file; everything is on the disk already."""
        self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @contextmanager
    def _unhurried(self) -> Iterator[None]:
        """What is written reaches the disk with the next transaction that waits for it."""
        self._db.execute("PRAGMA synchronous = NORMAL")
        try:
            yield
        finally:
            self._db.execute("PRAGMA synchronous = FULL")

    def find(self, key: Key) -> list[Known]:
        """Everything remembered under a natural key, oldest first."""
        rows = self._db.execute(
            _COLUMNS + "WHERE district = ? AND device = ? AND pagination = ? ORDER BY at",
            (key.district, key.device, key.pagination),
        )
        return [_known(row) for row in rows]

    def remembered(self, district: str, keys: Collection[Key]) -> set[Key]:
        """Those of a district's natural keys under which anything is remembered."""
        asked = json.dumps([[key.device, key.pagination] for key in keys])
        rows = self._db.execute(_REMEMBERED, (asked, district))
        return {Key(district, *row) for row in rows}

    def of_transaction(self, transaction: str) -> list[int]:
        """The positions of records that wait for this transaction's outcome."""
        rows = self._db.execute(
            "SELECT position FROM record WHERE tx = ? AND status = 'pending' ORDER BY position",
            (transaction,),
        )
        return [row[0] for row in rows]

    def conflicting(self, transaction: str) -> set[int]:
        """Those of them beside which another payload is recorded under the same key."""
        return {row[0] for row in self._db.execute(_CONFLICTING, (transaction,))}

    def open_transactions(self) -> list[str]:
        """Transactions whose outcome was not known when this index was written."""
        rows = self._db.execute("SELECT DISTINCT tx FROM record WHERE status = 'pending'")
        return [row[0] for row in rows]

    def pend(self, transaction: str, forms: Sequence[Form], at: float) -> None:
        """Note durably that a transaction with these records, in this order, is being sent."""
        with self._transaction():
            self._db.executemany(
                _PUT,
                [
                    _row(form, PENDING, "", transaction, position, at)
                    for position, form in enumerate(forms)
                ],
            )

    def settle(self, transaction: str, found: Sequence[tuple[int, Verdict]], at: float) -> None:
        """Write final verdicts of a transaction's records, given by ascending position.

        They outlive this process, but the disk is not waited for: should the power fail, they are
        pending again, and the ledger is asked.
        """
        runs = [list(run) for _, run in groupby(found, key=lambda one: one[1])]
        with self._unhurried(), self._transaction():
            self._db.executemany(
                "UPDATE record SET status = ?, reason = ?, at = ? "
                "WHERE tx = ? AND status = 'pending' AND position BETWEEN ? AND ?",
                [
                    (run[0][1].status, run[0][1].reason, at, transaction, run[0][0], run[-1][0])
                    for run in runs
                ],
            )

    def drop(self, transaction: str) -> None:
        """Forget a transaction that wrote nothing: its records may be sent again."""
        with self._transaction():
            self._db.execute(
                "DELETE FROM record WHERE tx = ? AND status = 'pending'", (transaction,)
            )

    def quarantine(self, form: Form, reason: str, at: float) -> None:
        """Keep a record that no batch can carry, for a person to look at."""
        with self._transaction():
            self._db.execute(_PUT, _row(form, Status.REJECTED, reason, None, 0, at))
            self._db.execute(
                "INSERT INTO quarantine (district, reason, at, record) VALUES (?, ?, ?, ?)",
                (form.key.district, reason, at, form.record),
            )
            self._db.execute(
                "DELETE FROM quarantine WHERE id <= (SELECT max(id) FROM quarantine) - ?",
                (limits.QUARANTINE_ROWS_MAX,),
            )

    def forget(self, before: float) -> None:
        """Drop final answers older than this instant (epoch seconds)."""
        with self._transaction():
            self._db.execute("DELETE FROM record WHERE at < ? AND status != 'pending'", (before,))


_Row = tuple[str, str, str, bytes, bytes, str, str, str | None, int, float]


def _row(one: Form, status: str, reason: str, tx: str | None, position: int, at: float) -> _Row:
    key = (one.key.district, one.key.device, one.key.pagination)
    return (*key, one.record_digest, one.payload_digest, status, reason, tx, position, at)


def _known(row: _Row) -> Known:
    return Known(Key(*row[:3]), *row[3:])
