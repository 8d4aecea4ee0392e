# SPDX-License-Identifier: Apache-2.0
"""Does what a transaction read still hold? (Fabric txmgmt/validation/validator.go)

Compared with the committed state and with the valid transactions before it in the block.
"""

from collections.abc import Iterator
from heapq import merge
from itertools import zip_longest
from typing import TypeAlias

from fabric_protos.peer.transaction_pb2 import TxValidationCode

from pedchain_fabric.embedded.ledger.rangequery import RangeReads
from pedchain_fabric.embedded.ledger.state import State
from pedchain_fabric.embedded.ledger.versioned import Change, UpdateBatch, hashed_space
from pedchain_fabric.wire.rwset import KvRead, Namespace, RangeQuery, Version

Code: TypeAlias = TxValidationCode.ValueType


class ReadCheck:
    """Checks read sets against the state and the block's changes so far."""

    def __init__(self, state: State, batch: UpdateBatch) -> None:
        self._state = state
        self._batch = batch

    def code(self, namespaces: tuple[Namespace, ...]) -> Code:
        """VALID, MVCC_READ_CONFLICT or PHANTOM_READ_CONFLICT; the first conflict counts."""
        for namespace in namespaces:
            if not self._reads_hold(namespace):
                return TxValidationCode.MVCC_READ_CONFLICT
            if not all(self._range_holds(namespace.name, q) for q in namespace.range_queries):
                return TxValidationCode.PHANTOM_READ_CONFLICT
            if not self._hashed_reads_hold(namespace):
                return TxValidationCode.MVCC_READ_CONFLICT
        return TxValidationCode.VALID

    def _reads_hold(self, namespace: Namespace) -> bool:
        return all(
            self._holds(namespace.name, read.key.encode(), read.version) for read in namespace.reads
        )

    def _hashed_reads_hold(self, namespace: Namespace) -> bool:
        return all(
            self._holds(hashed_space(namespace.name, collection.name), read.key_hash, read.version)
            for collection in namespace.collections
            for read in collection.reads
        )

    def _holds(self, space: str, key: bytes, seen: Version | None) -> bool:
        if self._batch.get(space, key) is not None:
            return False
        row = self._state.get(space, key)
        return (None if row is None else row.version) == seen

    def _range_holds(self, namespace: str, query: RangeQuery) -> bool:
        found = self._rerun(namespace, query)
        if query.merkle is None:
            return all(now == then for now, then in zip_longest(found, query.reads or ()))
        if query.merkle.max_degree < 2:  # no such tree can be built
            return False
        reads = RangeReads(query.merkle.max_degree)
        for read in found:
            reads.add(read)
        return reads.result()[1] == query.merkle

    def _rerun(self, namespace: str, query: RangeQuery) -> Iterator[KvRead]:
        """The query's results now. Of a range not read to its end, the end is the last key."""
        start, end = query.start_key.encode(), query.end_key.encode()
        yield from self._current(namespace, start, end)
        if not query.exhausted:
            change = self._batch.get(namespace, end)
            row = change.row if change is not None else self._state.get(namespace, end)
            if row is not None:
                yield KvRead(query.end_key, row.version)

    def _current(self, namespace: str, start: bytes, end: bytes) -> Iterator[KvRead]:
        committed = (
            (entry.key, Change(entry.row, entry.row.version))
            for entry in self._state.range(namespace, start, end)
            if self._batch.get(namespace, entry.key) is None
        )
        changed = self._batch.range(namespace, start, end)
        for key, change in merge(committed, changed, key=lambda item: item[0]):
            if change.row is not None:
                yield KvRead(key.decode(), change.row.version)
