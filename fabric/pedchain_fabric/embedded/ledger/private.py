# SPDX-License-Identifier: Apache-2.0
"""Private data: what waits for its transaction, what is committed, what expires or is purged.

One store serves all organisations of the process; each value names those that were members of
its collection when it was committed or became so since, and nobody else is given it.
"""

import sqlite3
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRWSet
from fabric_protos.ledger.rwset.rwset_pb2 import TxPvtReadWriteSet, TxReadWriteSet

from pedchain_fabric.embedded.ledger import failpoints
from pedchain_fabric.embedded.ledger.lifecycle import implicit_owner
from pedchain_fabric.embedded.ledger.limits import TRANSIENT_BLOCKS
from pedchain_fabric.wire.messages import parse, serialize
from pedchain_fabric.wire.rwset import sha256

_FOREVER: Final = 2**63 - 1


class TransientStore:
    """Private write sets of transactions endorsed here and not yet committed."""

    def __init__(self, connection: sqlite3.Connection, height: Callable[[], int]) -> None:
        """`height` tells the ledger's height, which an entry's age counts from."""
        self._connection = connection
        self._height = height

    def put(self, transaction_id: str, private_rwset: bytes) -> None:
        """Keep a TxPvtReadWriteSet. Endorsers may disagree: each version is kept."""
        failpoints.reach("transient.put")
        self._connection.execute(
            "INSERT OR IGNORE INTO transient (id, digest, height, rwset) VALUES (?, ?, ?, ?)",
            (transaction_id, sha256(private_rwset), self._height(), private_rwset),
        )

    def get(self, transaction_id: str) -> tuple[bytes, ...]:
        """What endorsers left for the transaction."""
        rows = self._connection.execute(
            "SELECT rwset FROM transient WHERE id = ?", (transaction_id,)
        )
        return tuple(row[0] for row in rows)


class Part(NamedTuple):
    """One collection's private write set (a serialized KVRWSet) and who may hold it."""

    namespace: str
    collection: str
    rwset: bytes
    holders: frozenset[str]

    @property
    def owner(self) -> str | None:
        """The MSP id whose implicit collection it is, None for a collection of several."""
        return implicit_owner(self.collection)


class KeyPlace(NamedTuple):
    """A private key, by its hash, in its collection."""

    namespace: str
    collection: str
    key_hash: bytes


class Expiry(NamedTuple):
    """A key written in `block` lives no longer than its collection's blockToLive."""

    place: KeyPlace
    block: int


class PrivateStore:
    """Committed private write sets by block, and the schedule of what expires.

    Every writing method works inside the caller's database transaction.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def forget_transient(self, transaction_ids: Iterable[str], height: int) -> None:
        """Drop what these transactions left waiting, and what waited too long."""
        self._connection.executemany(
            "DELETE FROM transient WHERE id = ?", [(each,) for each in transaction_ids]
        )
        self._connection.execute(
            "DELETE FROM transient WHERE height < ?", (height - TRANSIENT_BLOCKS,)
        )

    def write(self, block: int, position: int, part: Part) -> None:
        """Keep one collection's write set."""
        self._connection.execute(
            "INSERT INTO private_rwset VALUES (?, ?, ?, ?, ?, ?)",
            (
                block,
                position,
                part.namespace,
                part.collection,
                "\n".join(sorted(part.holders)),
                part.rwset,
            ),
        )
        keys = [write.key.encode() for write in parse(KVRWSet, part.rwset).writes]
        self._connection.executemany(
            "INSERT OR IGNORE INTO private_write VALUES (?, ?, ?, ?, ?, ?)",
            [(part.namespace, part.collection, sha256(key), block, position, key) for key in keys],
        )

    def admit(self, namespace: str, collection: str, members: frozenset[str]) -> None:
        """These organisations hold all write sets of the collection from now on."""
        place = (namespace, collection)
        rows = self._connection.execute(
            "SELECT DISTINCT holders FROM private_rwset WHERE namespace = ? AND collection = ?",
            place,
        ).fetchall()
        for (holders,) in rows:
            more = "\n".join(sorted({*holders.split("\n"), *members}))
            self._connection.execute(
                """UPDATE private_rwset SET holders = ?
                WHERE namespace = ? AND collection = ? AND holders = ?""",
                (more, *place, holders),
            )

    def key(self, place: KeyPlace) -> bytes | None:
        """The plain key behind a hash, if a value of it was ever kept."""
        row = self._connection.execute(
            """SELECT key FROM private_write
            WHERE namespace = ? AND collection = ? AND key_hash = ? LIMIT 1""",
            place,
        ).fetchone()
        return None if row is None else bytes(row[0])

    def purge(self, place: KeyPlace, block: int, position: int) -> None:
        """Erase the key from this transaction's write set and every older one."""
        older = (*place, block, position)
        rows = self._connection.execute(
            """SELECT block, tx FROM private_write WHERE namespace = ? AND collection = ?
            AND key_hash = ? AND (block, tx) <= (?, ?)""",
            older,
        ).fetchall()
        for number, tx in rows:
            self._erase(place, number, tx)
        self._connection.execute(
            """DELETE FROM private_write WHERE namespace = ? AND collection = ?
            AND key_hash = ? AND (block, tx) <= (?, ?)""",
            older,
        )

    def _erase(self, place: KeyPlace, block: int, tx: int) -> None:
        where = (block, tx, place.namespace, place.collection)
        row = self._connection.execute(
            """SELECT rwset FROM private_rwset
            WHERE block = ? AND tx = ? AND namespace = ? AND collection = ?""",
            where,
        ).fetchone()
        if row is None:
            return
        kept = parse(KVRWSet, row[0])
        writes = [each for each in kept.writes if sha256(each.key.encode()) != place.key_hash]
        del kept.writes[:]
        kept.writes.extend(writes)
        self._connection.execute(
            """UPDATE private_rwset SET rwset = ?
            WHERE block = ? AND tx = ? AND namespace = ? AND collection = ?""",
            (serialize(kept), *where),
        )

    def schedule(self, place: KeyPlace, block: int, block_to_live: int) -> None:
        """The key, written in `block`, goes with block `block + block_to_live + 1`."""
        at = min(block + block_to_live + 1, _FOREVER)
        self._connection.execute(
            "INSERT OR IGNORE INTO expiry VALUES (?, ?, ?, ?, ?)", (at, *place, block)
        )

    def expiring(self, at: int) -> list[Expiry]:
        """What goes with this block, unless it was written again since."""
        rows = self._connection.execute(
            "SELECT namespace, collection, key_hash, block FROM expiry WHERE at = ?", (at,)
        )
        return [Expiry(KeyPlace(*row[:3]), row[3]) for row in rows]

    def expire(self, at: int) -> None:
        """Erase the write sets of what goes with this block, and the schedule."""
        gone = {(each.block, *each.place[:2]) for each in self.expiring(at)}
        for table in ("private_rwset", "private_write"):
            self._connection.executemany(
                f"DELETE FROM {table} WHERE block = ? AND namespace = ? AND collection = ?",  # noqa: S608 - our own names
                sorted(gone),
            )
        self._connection.execute("DELETE FROM expiry WHERE at = ?", (at,))

    def rwsets(self, block: int, organization: str) -> dict[int, TxPvtReadWriteSet]:
        """The private write sets of a block this organisation holds, by transaction."""
        rows = self._connection.execute(
            """SELECT tx, namespace, collection, holders, rwset FROM private_rwset
            WHERE block = ? ORDER BY tx, namespace, collection""",
            (block,),
        )
        found: dict[int, TxPvtReadWriteSet] = {}
        for tx, namespace, collection, holders, rwset in rows:
            if organization in holders.split("\n"):
                kind = TxReadWriteSet.KV
                message = found.setdefault(tx, TxPvtReadWriteSet(data_model=kind))
                _add(message, namespace, collection, rwset)
        return found


def _add(message: TxPvtReadWriteSet, namespace: str, collection: str, rwset: bytes) -> None:
    last = message.ns_pvt_rwset[-1] if message.ns_pvt_rwset else None
    if last is None or last.namespace != namespace:
        last = message.ns_pvt_rwset.add(namespace=namespace)
    last.collection_pvt_rwset.add(collection_name=collection, rwset=rwset)
