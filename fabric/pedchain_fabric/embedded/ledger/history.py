# SPDX-License-Identifier: Apache-2.0
"""Which transactions wrote a public key (Fabric core/ledger/kvledger/history)."""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pedchain_fabric.embedded.ledger.blocks import BlockStore
from pedchain_fabric.embedded.ledger.errors import LedgerError
from pedchain_fabric.embedded.ledger.limits import RANGE_CHUNK
from pedchain_fabric.wire import rwset
from pedchain_fabric.wire.rwset import Namespace
from pedchain_fabric.wire.transaction import parse_envelope


@dataclass(frozen=True, slots=True)
class KeyModification:
    """One write of a key. `timestamp` is the client's claim, nanoseconds since 1970 UTC."""

    transaction_id: str
    value: bytes
    timestamp: int
    deleted: bool


class History:
    """An index of valid public writes; the values are read from the blocks."""

    def __init__(self, connection: sqlite3.Connection, blocks: BlockStore) -> None:
        self._connection = connection
        self._blocks = blocks

    def write(self, block: int, position: int, namespaces: Iterable[Namespace]) -> None:
        """Note a valid transaction's writes, inside the caller's database transaction."""
        self._connection.executemany(
            "INSERT OR IGNORE INTO history (namespace, key, block, tx) VALUES (?, ?, ?, ?)",
            [
                (namespace.name, write.key.encode(), block, position)
                for namespace in namespaces
                for write in namespace.writes
            ],
        )

    def read(self, namespace: str, key: str, height: int) -> Iterator[KeyModification]:
        """Writes of the key in the blocks below `height`, newest first."""
        block, position = height, 0
        while places := self._before(namespace, key, block, position):
            for block, position in places:
                yield self._modification(namespace, key, block, position)

    def _before(self, namespace: str, key: str, block: int, position: int) -> list[tuple[int, int]]:
        return self._connection.execute(
            """SELECT block, tx FROM history WHERE namespace = ? AND key = ?
            AND (block, tx) < (?, ?) ORDER BY block DESC, tx DESC LIMIT ?""",
            (namespace, key.encode(), block, position, RANGE_CHUNK),
        ).fetchall()

    def _modification(self, namespace: str, key: str, block: int, position: int) -> KeyModification:
        stored = self._blocks.block(block)
        if stored is None:
            raise LedgerError(f"block {block} is missing")
        parts = parse_envelope(stored.data.data[position])
        for each in rwset.decode(parts.results):
            for write in each.writes:
                if each.name == namespace and write.key == key:
                    return KeyModification(
                        parts.transaction_id, write.value, parts.timestamp, write.deletes
                    )
        raise LedgerError(f"block {block} does not hold the write its index names")
