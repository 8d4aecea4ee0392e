# SPDX-License-Identifier: Apache-2.0
"""SQLite files that must hold whatever ends this process: each transaction is on the disk, but
those of which the caller says that they can be found again."""

import sqlite3
from pathlib import Path


def opened(path: Path | None, schema: str, version: int) -> sqlite3.Connection:
    """The database (in memory, path None), with this schema if it is new. Transactions are begun by
    the caller."""
    if path is not None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    db = sqlite3.connect(path or ":memory:", isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    if db.execute("PRAGMA user_version").fetchone()[0] == 0:
        db.executescript(f"BEGIN IMMEDIATE; {schema} PRAGMA user_version = {version}; COMMIT;")
    return db
