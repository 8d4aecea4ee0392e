# SPDX-License-Identifier: Apache-2.0
"""The results of a range query, and how the read set records them (txmgr/query_executor.go)."""

from collections.abc import Iterator
from typing import NamedTuple, Self

from pedchain_fabric.embedded.ledger.rangequery import RangeReads
from pedchain_fabric.embedded.ledger.versioned import Entry
from pedchain_fabric.wire.rwset import KvRead, RangeQuery


class KeyValue(NamedTuple):
    """A key and its value."""

    key: str
    value: bytes


class StateRange:
    """The results of a range query. Iterate; what was not fetched was not read."""

    def __init__(self, entries: Iterator[Entry], query: tuple[str, str], page_size: int) -> None:
        self._entries = entries
        self._start, self._wanted_end = query
        self._left = page_size if page_size > 0 else None
        self._end = ""
        self._exhausted = False
        self._reads = RangeReads()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> KeyValue:
        entry = None if self._left == 0 else next(self._entries, None)
        if entry is None:
            self._exhausted, self._end = True, self._wanted_end
            raise StopIteration
        if self._left is not None:
            self._left -= 1
        key = entry.key.decode()
        self._reads.add(KvRead(key, entry.row.version))
        self._end = key
        return KeyValue(key, entry.row.value)

    @property
    def bookmark(self) -> str:
        """The key the next page starts with, empty if there is none. Ends the iteration."""
        self._left = 0
        entry = next(self._entries, None)
        return "" if entry is None else entry.key.decode()

    def query(self) -> RangeQuery:
        """How the read set records it."""
        reads, merkle = self._reads.result()
        return RangeQuery(self._start, self._end, self._exhausted, reads, merkle)
