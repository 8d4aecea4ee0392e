# SPDX-License-Identifier: Apache-2.0
"""The SQLite database under one channel's ledger: one file, or memory.

Everything a block changes is one SQLite transaction, so a crash leaves either the whole block
or none of it. Transient private data has a connection of its own: it must be on the disk's way
before an endorsement leaves, but is not worth a flush each (the file survives a killed process
either way, and Fabric's transient store promises no more).
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pedchain_fabric.embedded.ledger.errors import LedgerError

FORMAT: Final = 1

_SCHEMA: Final = """
CREATE TABLE block (number INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, bytes BLOB NOT NULL);
CREATE TABLE fact (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE tx (id TEXT, block INTEGER, position INTEGER, code INTEGER NOT NULL,
    PRIMARY KEY (id, block, position)) WITHOUT ROWID;
CREATE TABLE state (space TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,
    metadata BLOB NOT NULL, block INTEGER NOT NULL, tx INTEGER NOT NULL);
CREATE UNIQUE INDEX state_key ON state (space, key);
CREATE TABLE history (namespace TEXT, key BLOB, block INTEGER, tx INTEGER,
    PRIMARY KEY (namespace, key, block, tx)) WITHOUT ROWID;
CREATE TABLE private_rwset (block INTEGER, tx INTEGER, namespace TEXT, collection TEXT,
    holders TEXT NOT NULL, rwset BLOB NOT NULL);
CREATE UNIQUE INDEX private_rwset_key ON private_rwset (block, tx, namespace, collection);
CREATE TABLE private_write (namespace TEXT, collection TEXT, key_hash BLOB, block INTEGER,
    tx INTEGER, key BLOB NOT NULL,
    PRIMARY KEY (namespace, collection, key_hash, block, tx)) WITHOUT ROWID;
CREATE TABLE expiry (at INTEGER, namespace TEXT, collection TEXT, key_hash BLOB, block INTEGER,
    PRIMARY KEY (at, namespace, collection, key_hash, block)) WITHOUT ROWID;
CREATE TABLE transient (id TEXT, digest BLOB, height INTEGER NOT NULL, rwset BLOB NOT NULL,
    PRIMARY KEY (id, digest));
CREATE INDEX transient_height ON transient (height);
"""


class Store:
    """Connections to one ledger's database. Used from one thread at a time."""

    def __init__(self, path: Path | None) -> None:
        """Open or create the file at `path`; None is a database in memory.

        Raises `LedgerError` if the file is no ledger of this version.
        """
        self.main = _connect(path)
        try:
            _prepare(self.main, "FULL")
            self._check_format()
        except (sqlite3.DatabaseError, LedgerError) as error:
            self.main.close()
            raise LedgerError(f"{path} is no ledger database: {error}") from error
        self.transient = self.main
        if path is not None:
            self.transient = _connect(path)
            _prepare(self.transient, "NORMAL")

    def _check_format(self) -> None:
        found = self.main.execute("PRAGMA user_version").fetchone()[0]
        if found == 0:
            self.main.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {FORMAT}; COMMIT;")
        elif found != FORMAT:
            raise LedgerError(f"the ledger's format is {found}, this version reads {FORMAT}")

    @contextmanager
    def block_transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing: what is written inside becomes durable at the end, or not at all."""
        self.main.execute("BEGIN IMMEDIATE")
        try:
            yield self.main
            self.main.execute("COMMIT")
        except BaseException:
            if self.main.in_transaction:
                self.main.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Close the file; nothing may be used afterwards."""
        if self.transient is not self.main:
            self.transient.close()
        self.main.close()


def _connect(path: Path | None) -> sqlite3.Connection:
    name = ":memory:" if path is None else path
    return sqlite3.connect(name, isolation_level=None, check_same_thread=False)


def _prepare(connection: sqlite3.Connection, synchronous: str) -> None:
    connection.execute("PRAGMA busy_timeout = 10000")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {synchronous}")
