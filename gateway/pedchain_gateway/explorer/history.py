# SPDX-License-Identifier: Apache-2.0
"""All that was ever written under a public key: found by an index of blocks, shown from blocks.

Fabric's own history of a key can be asked by chaincode only, and says nothing of who and endorsers.
The index is made by reading the chain once, when somebody asks, and goes on from there; it holds no
values, and can be deleted at any time.
"""

import asyncio
import sqlite3
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pedchain_gateway import limits
from pedchain_gateway.explorer.blocks import key_parts, writes_of, written_keys
from pedchain_gateway.explorer.chain import Chain

Document = dict[str, Any]
_SCHEMA = """
CREATE TABLE IF NOT EXISTS written (
    namespace TEXT NOT NULL, key TEXT NOT NULL, block INTEGER NOT NULL, position INTEGER NOT NULL,
    PRIMARY KEY (namespace, key, block, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS done (height INTEGER NOT NULL) STRICT;
"""


@dataclass(slots=True)
class Histories:
    """Histories of keys; `path` None keeps the index in memory."""

    chain: Chain
    path: Path | None = None
    _db: sqlite3.Connection | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def of(self, namespace: str, key: str, before: int | None = None) -> Document:
        """{versions: newest first, through, height}: `through` blocks were looked at; a page at a
        time, older than block `before`. Raises `Unavailable`."""
        height = await self.chain.height()
        async with self._lock:
            through = await self._read_up(height)
        rows = self._opened().execute(
            "SELECT block, position FROM written WHERE namespace = ? AND key = ? AND block < ? "
            "ORDER BY block DESC, position DESC LIMIT ?",
            (namespace, key, height if before is None else before, limits.PAGE_MAX),
        )
        versions = [await self._version(namespace, key, *row) for row in rows.fetchall()]
        cursor = versions[-1]["block"] if len(versions) == limits.PAGE_MAX else None
        parts = key_parts(key)
        return {"namespace": namespace, "key": parts, "through": through, "height": height,
                "versions": versions, "cursor": cursor}  # fmt: skip

    def close(self) -> None:
        """Close the index."""
        if self._db is not None:
            self._db.close()

    async def _version(self, namespace: str, key: str, block: int, position: int) -> Document:
        data = await self.chain.block(block)
        assert data is not None
        transaction, write = writes_of(data, position, namespace, key)
        return {**transaction, **write}

    async def _read_up(self, height: int) -> int:
        """Look at blocks nobody has looked at yet, for a bounded time; how many are done."""
        db, until = self._opened(), time.monotonic() + limits.HISTORY_READ_S
        done: int = db.execute("SELECT coalesce(max(height), 0) FROM done").fetchone()[0]
        while done < height and time.monotonic() < until:
            data = await self.chain.block(done)
            assert data is not None
            rows = [(name, key, done, at) for name, key, at in written_keys(data)]
            done += 1
            db.execute("BEGIN")
            db.executemany("INSERT OR IGNORE INTO written VALUES (?, ?, ?, ?)", rows)
            db.execute("DELETE FROM done")
            db.execute("INSERT INTO done VALUES (?)", (done,))
            db.execute("COMMIT")
        return done

    def _opened(self) -> sqlite3.Connection:
        if self._db is None:
            if self.path is not None:
                self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._db = sqlite3.connect(self.path or ":memory:", isolation_level=None)
            self._db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")
            self._db.executescript(_SCHEMA)
        return self._db
