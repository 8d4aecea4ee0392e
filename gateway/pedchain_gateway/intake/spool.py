# SPDX-License-Identifier: Apache-2.0
"""Records acknowledged before they are committed, for callers that asked: kept on disk first.

What is `spooled` is in a file that was synced, and goes to the ledger in the order it came until
the ledger's answer is final, however often this process ends in between: what an earlier process
had sent already is found by the index. A submission's answers are kept for a day. Who brought it is
known for as long as this process lives, as the counts are that it is for.
"""

import asyncio
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pedchain_gateway import database, limits
from pedchain_gateway.intake.failpoint import Failpoint, reach
from pedchain_gateway.intake.form import Form
from pedchain_gateway.intake.intake import Intake, OverloadedError, read
from pedchain_gateway.intake.verdict import FINAL, Status, Verdict

Judged = Callable[[str, Sequence[str], Sequence[Verdict]], None]
"""Called with an address, devices that its records name ("" where one is no record) and what became
of these."""

VERSION = 1
_SCHEMA = """
CREATE TABLE spooled (
    id INTEGER PRIMARY KEY, submission TEXT NOT NULL, district TEXT NOT NULL, record BLOB,
    status TEXT NOT NULL, reason TEXT NOT NULL, tx TEXT, tries INTEGER NOT NULL, at REAL NOT NULL
) STRICT;
CREATE INDEX spooled_waiting ON spooled (district, tries, id) WHERE record IS NOT NULL;
CREATE INDEX spooled_submission ON spooled (submission);
"""


class SpoolFullError(Exception):
    """The disk takes nothing: nothing was acknowledged."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A spooled record that has no final answer yet."""

    id: int
    submission: str
    record: bytes


@dataclass(slots=True)
class _Brought:
    """By whom a submission came, and how many of its records have no final answer."""

    address: str
    left: int


class Spool:
    """The file (or memory, path None)."""

    def __init__(self, path: Path | None) -> None:
        self._db = database.opened(path, _SCHEMA, VERSION)
        found = "SELECT count(*) FROM spooled WHERE record IS NOT NULL"
        self.waiting: int = self._db.execute(found).fetchone()[0]
        self.filled = asyncio.Event()
        self._brought: dict[str, _Brought] = {}

    def close(self) -> None:
        """Close the file; everything is on the disk already."""
        self._db.close()

    def put(
        self, district: str, records: Sequence[bytes], at: float, address: str | None = None
    ) -> str:
        """Keep records that came from an address; the submission's name. On return they are on the
        disk.

        Raises `OverloadedError` where too many wait, `SpoolFullError`; then nothing was kept.
        """
        if self.waiting + len(records) > limits.SPOOL_RECORDS_MAX:
            raise OverloadedError
        submission = secrets.token_hex(16)
        rows = [(submission, district, one, Status.SPOOLED, "spooled", at) for one in records]
        self._write("INSERT INTO spooled VALUES (NULL, ?, ?, ?, ?, ?, NULL, 0, ?)", rows)
        self.waiting += len(records)
        if address is not None:
            self._brought[submission] = _Brought(address, len(records))
        reach(Failpoint.SPOOLED)
        self.filled.set()
        return submission

    def next(self, district: str) -> list[Waiting]:
        """The records of a district that are to go now: fresh ones first, each in its order."""
        rows = self._db.execute(
            "SELECT id, submission, record FROM spooled WHERE record IS NOT NULL AND district = ? "
            "ORDER BY tries, id LIMIT ?",
            (district, limits.RECORDS_PER_REQUEST_MAX),
        )
        return [Waiting(*row) for row in rows]

    def settle(self, sent: Iterable[tuple[Waiting, Verdict]]) -> int:
        """Note the ledger's answers; a record whose answer is final goes. How many did."""
        final, tried = [], []
        for one, verdict in sent:
            if verdict.status in FINAL:
                final.append((verdict.status, verdict.reason, verdict.transaction, one.id))
            else:
                tried.append((verdict.reason, verdict.transaction, one.id))
        self._write(
            "UPDATE spooled SET record = NULL, status = ?, reason = ?, tx = ? WHERE id = ?", final
        )
        self._write("UPDATE spooled SET tries = tries + 1, reason = ?, tx = ? WHERE id = ?", tried)
        self.waiting -= len(final)
        return len(final)

    def brought(self, submission: str) -> str | None:
        """From where one more of its records that were judged came; None if it is not known."""
        found = self._brought.get(submission)
        if found is None:
            return None
        found.left -= 1
        if not found.left:
            del self._brought[submission]
        return found.address

    def verdicts(self, submission: str) -> list[Verdict]:
        """A submission's answers in its records' order; none if it is not known (any more)."""
        rows = self._db.execute(
            "SELECT status, reason, tx FROM spooled WHERE submission = ? ORDER BY id", (submission,)
        )
        return [Verdict(Status(status), reason, tx) for status, reason, tx in rows]

    def forget(self, before: float) -> None:
        """Drop final answers of submissions older than this instant (epoch seconds)."""
        self._write("DELETE FROM spooled WHERE at < ? AND record IS NULL", [(before,)])

    def _write(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(statement, rows)
            self._db.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise SpoolFullError from error


async def keep_sending(
    spool: Spool, intake: Intake, district: str, judged: Judged | None = None
) -> None:
    """Put what is spooled of a district onto the ledger, for as long as the service runs."""
    while True:
        waiting = spool.next(district)
        done = await _send(spool, intake, district, waiting, judged) if waiting else 0
        if waiting and not done:
            await asyncio.sleep(limits.SPOOL_PAUSE_S)
        elif not waiting:
            spool.filled.clear()
            await spool.filled.wait()


async def _send(
    spool: Spool, intake: Intake, district: str, waiting: Sequence[Waiting], judged: Judged | None
) -> int:
    forms = [read(district, one.record) for one in waiting]
    try:
        verdicts = await intake.judge(district, forms)
        done = spool.settle(zip(waiting, verdicts, strict=True))
    except (OverloadedError, SpoolFullError):
        return 0
    if judged is not None:
        _count(spool, waiting, forms, verdicts, judged)
    return done


def _count(
    spool: Spool,
    waiting: Sequence[Waiting],
    forms: Sequence[Form | Verdict],
    verdicts: Sequence[Verdict],
    judged: Judged,
) -> None:
    """Tell what became of records by the address they came from."""
    found: dict[str, tuple[list[str], list[Verdict]]] = {}
    for one, form, verdict in zip(waiting, forms, verdicts, strict=True):
        address = spool.brought(one.submission) if verdict.status in FINAL else None
        if address is not None:
            names, told = found.setdefault(address, ([], []))
            names.append(form.key.device if isinstance(form, Form) else "")
            told.append(verdict)
    for address, (names, told) in found.items():
        judged(address, names, told)
