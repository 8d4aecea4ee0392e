# SPDX-License-Identifier: Apache-2.0
"""The world state: the latest committed value of every key, and snapshots of it.

Fabric lets a commit wait until running simulations are over. Here a commit never waits: when it
changes a key it leaves the value before in a layer, and a snapshot reads through the layers of
the blocks committed since it was opened.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain

from pedchain_fabric.embedded.ledger.limits import CACHED_ROWS, CACHED_VALUE, RANGE_CHUNK
from pedchain_fabric.embedded.ledger.versioned import Entry, UpdateBatch, Versioned
from pedchain_fabric.wire.rwset import Version

_SELECT = "SELECT value, metadata, block, tx FROM state WHERE space = ? AND key = ?"
_UPSERT = """INSERT INTO state (space, key, value, metadata, block, tx) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (space, key) DO UPDATE SET value = excluded.value,
    metadata = excluded.metadata, block = excluded.block, tx = excluded.tx"""
_DELETE = "DELETE FROM state WHERE space = ? AND key = ?"
_RANGE = """SELECT key, value, metadata, block, tx FROM state
    WHERE space = ? AND key >= ? AND (? = x'' OR key < ?) ORDER BY key LIMIT ?"""

Layer = dict[tuple[str, bytes], Versioned | None]


class State:
    """The latest committed values. `height` is the number of blocks they include."""

    def __init__(self, connection: sqlite3.Connection, height: int) -> None:
        self._connection = connection
        self.height = height
        self._cache: Layer = {}
        self._layers: dict[int, Layer] = {}
        self._open: Counter[int] = Counter()

    def get(self, space: str, key: bytes) -> Versioned | None:
        """The value of a key, None if it has none."""
        place = (space, key)
        try:
            return self._cache[place]
        except KeyError:
            found = self._connection.execute(_SELECT, place).fetchone()
        row = None if found is None else Versioned(found[0], found[1], Version(*found[2:]))
        self._remember(place, row)
        return row

    def _remember(self, place: tuple[str, bytes], row: Versioned | None) -> None:
        if row is not None and len(row.value) > CACHED_VALUE:
            self._cache.pop(place, None)
            return
        if len(self._cache) >= CACHED_ROWS:
            self._cache.clear()
        self._cache[place] = row

    def chunk(self, space: str, start: bytes, end: bytes, limit: int) -> list[Entry]:
        """The first `limit` entries with start <= key < end; an empty `end` is open."""
        found = self._connection.execute(_RANGE, (space, start, end, end, limit))
        return [
            Entry(key, Versioned(value, metadata, Version(block, tx)))
            for key, value, metadata, block, tx in found
        ]

    def range(self, space: str, start: bytes, end: bytes) -> Iterator[Entry]:
        """Entries with start <= key < end in key order."""
        return _pages(lambda place, limit: self.chunk(space, place, end, limit), start)

    def write(self, *batches: UpdateBatch) -> None:
        """Write a block's changes, inside the caller's database transaction.

        The values before go to a layer if a snapshot may still ask for them; the caller says
        `advance` once the transaction is durable, or `forget` if it is rolled back.
        """
        changes = list(chain.from_iterable(batch.items() for batch in batches))
        if self._open:
            layer = {(space, key): self.get(space, key) for space, key, _ in changes}
            self._layers[self.height] = layer
        puts = [
            (space, key, change.row.value, change.row.metadata, *change.row.version)
            for space, key, change in changes
            if change.row is not None
        ]
        self._connection.executemany(_UPSERT, puts)
        gone = [(space, key) for space, key, change in changes if change.row is None]
        self._connection.executemany(_DELETE, gone)

    def advance(self, *batches: UpdateBatch) -> None:
        """The block written last is durable: show it."""
        for space, key, change in chain.from_iterable(batch.items() for batch in batches):
            self._remember((space, key), change.row)
        self.height += 1

    def forget(self) -> None:
        """The block written last was rolled back."""
        self._layers.pop(self.height, None)
        self._cache.clear()

    def snapshot(self) -> "Snapshot":
        """The state as it is now, whatever is committed later. Close it."""
        self._open[self.height] += 1
        return Snapshot(self, self._layers, self._release)

    def _release(self, height: int) -> None:
        self._open[height] -= 1
        if not self._open[height]:
            del self._open[height]
        oldest = min(self._open, default=self.height)
        for stale in [number for number in self._layers if number < oldest]:
            del self._layers[stale]


class Snapshot:
    """The state at one height."""

    def __init__(
        self, state: State, layers: dict[int, Layer], release: Callable[[int], None]
    ) -> None:
        self.height = state.height
        self._state = state
        self._layers = layers
        self._release: Callable[[int], None] | None = release

    def close(self) -> None:
        """Let go of the values kept for this snapshot. May be called twice."""
        if self._release is not None:
            self._release(self.height)
            self._release = None

    def get(self, space: str, key: bytes) -> Versioned | None:
        """The value of a key at this height."""
        place = (space, key)
        for height in range(self.height, self._state.height):
            layer = self._layers.get(height)
            if layer is not None and place in layer:
                return layer[place]
        return self._state.get(space, key)

    def range(self, space: str, start: bytes, end: bytes) -> Iterator[Entry]:
        """Entries with start <= key < end in key order, as they were at this height."""
        return _pages(lambda place, limit: self._chunk(space, place, end, limit), start)

    def _chunk(self, space: str, start: bytes, end: bytes, limit: int) -> list[Entry]:
        while True:
            rows = self._state.chunk(space, start, end, limit)
            more = len(rows) == limit
            upper = rows[-1].key + b"\0" if more else end
            before = self._changed_since(space, start, upper)
            if not before:
                return rows
            merged: dict[bytes, Versioned | None] = {}
            merged.update(rows)
            merged.update(before)
            kept = [Entry(key, row) for key, row in sorted(merged.items()) if row is not None]
            if kept or not more:
                return kept
            start = upper  # all of these keys are younger than the snapshot

    def _changed_since(self, space: str, start: bytes, end: bytes) -> dict[bytes, Versioned | None]:
        """Keys of the range changed by later blocks, with their values at this height."""
        before: dict[bytes, Versioned | None] = {}
        for height in range(self.height, self._state.height):
            for (where, key), row in self._layers.get(height, {}).items():
                if where == space and key >= start and (not end or key < end):
                    before.setdefault(key, row)
        return before


def _pages(read: Callable[[bytes, int], list[Entry]], start: bytes) -> Iterator[Entry]:
    """All entries, read a chunk at a time so that no cursor stays open across a commit."""

    def chunks() -> Iterator[list[Entry]]:
        place = start
        while entries := read(place, RANGE_CHUNK):
            yield entries
            place = entries[-1].key + b"\0"

    return chain.from_iterable(chunks())
