# SPDX-License-Identifier: Apache-2.0
"""The private side of a block: which values reach the members' stores, which leave them.

Fabric txmgmt/validation/batch_preparer.go (validateAndPreparePvtBatch) and
txmgmt/pvtstatepurgemgmt/purge_mgr.go.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from fabric_protos.ledger.rwset.rwset_pb2 import TxPvtReadWriteSet

from pedchain_fabric.embedded.ledger.definitions import Definitions
from pedchain_fabric.embedded.ledger.lifecycle import Collection
from pedchain_fabric.embedded.ledger.private import Expiry, KeyPlace, Part, PrivateStore
from pedchain_fabric.embedded.ledger.state import State
from pedchain_fabric.embedded.ledger.versioned import (
    UpdateBatch,
    Versioned,
    hashed_space,
    pack_holders,
    private_space,
)
from pedchain_fabric.embedded.ledger.writes import current
from pedchain_fabric.errors import WireError
from pedchain_fabric.wire.messages import parse
from pedchain_fabric.wire.rwset import (
    HashedCollection,
    Namespace,
    PrivateCollection,
    Version,
    decode_collection,
    hash_key,
    sha256,
)

# What expires goes after the block's last transaction.
_LAST: Final = 2**63 - 1


@dataclass(slots=True)
class PrivateChanges:
    """What a block does to the private store; positions are those of its transactions."""

    batch: UpdateBatch = field(default_factory=UpdateBatch)
    parts: list[tuple[int, Part]] = field(default_factory=list)
    purges: list[tuple[int, KeyPlace]] = field(default_factory=list)
    scheduled: list[tuple[KeyPlace, int]] = field(default_factory=list)


class PrivateWrites:
    """Collects the private changes of one block, transaction by transaction."""

    def __init__(self, state: State, definitions: Definitions, store: PrivateStore) -> None:
        self._state = state
        self._definitions = definitions
        self._store = store
        self._remarked: set[tuple[str, str, str]] = set()
        self.changes = PrivateChanges()

    def keep(
        self,
        namespaces: tuple[Namespace, ...],
        offered: tuple[bytes, ...],
        position: int,
        endorsers: frozenset[str],
    ) -> list[Part]:
        """Keep what members have of a transaction, valid or not, as Fabric does.

        They are given an explicit collection's values before the transaction is ordered. Nobody is
        given those of an implicit collection, and nobody but its owner keeps them for who asks:
        its owner has them if it endorsed.
        """
        parts = [
            part
            for part in self._parts(namespaces, offered)
            if part.owner is None or part.owner in endorsers
        ]
        self.changes.parts += [(position, part) for part in parts]
        return parts

    def _parts(self, namespaces: tuple[Namespace, ...], offered: tuple[bytes, ...]) -> list[Part]:
        """Only what has the hash in the public set counts. A part nobody left is missing: its
        keys cannot be read until they are written again."""
        by_place = _by_place(offered)
        parts = []
        for namespace, collection, config in self._collections(namespaces):
            found = by_place.get((namespace, collection.name, collection.private_hash))
            if found is not None:
                parts.append(Part(namespace, collection.name, found, config.members))
            if config.block_to_live:
                self.changes.scheduled += [
                    (KeyPlace(namespace, collection.name, write.key_hash), config.block_to_live)
                    for write in collection.writes
                ]
        return parts

    def apply(
        self, namespaces: tuple[Namespace, ...], kept: Sequence[Part], version: Version
    ) -> None:
        """A valid transaction: the private write sets kept of it take effect."""
        for part in kept:
            self._take_effect(part, version)
        for namespace, collection, _ in self._collections(namespaces):
            for write in collection.writes:
                if write.is_purge:
                    self._purge(KeyPlace(namespace, collection.name, write.key_hash), version)

    def _collections(
        self, namespaces: tuple[Namespace, ...]
    ) -> Iterator[tuple[str, HashedCollection, Collection]]:
        for namespace in namespaces:
            for collection in namespace.collections:
                config = self._definitions.collection(namespace.name, collection.name)
                if config is not None:
                    yield namespace.name, collection, config

    def _take_effect(self, part: Part, version: Version) -> None:
        writes = _decoded(part.collection, part.rwset)
        space = private_space(part.namespace, part.collection)
        holders = pack_holders(part.holders)
        for write in writes.writes:
            if write.deletes:
                self.changes.batch.delete(space, write.key.encode(), version)
            else:
                row = Versioned(write.value, holders, version)
                self.changes.batch.put(space, write.key.encode(), row)
        for marked in writes.metadata_writes:
            self._remarked.add((part.namespace, part.collection, marked.key))

    def _purge(self, place: KeyPlace, version: Version) -> None:
        self.changes.purges.append((version.tx, place))
        key = self._store.key(place)
        if key is not None:
            space = private_space(place.namespace, place.collection)
            self.changes.batch.delete(space, key, version)

    def renew(self, public: UpdateBatch) -> None:
        """Give values whose hash got new metadata, hence a new version, that version too."""
        for namespace, collection, key in sorted(self._remarked):
            change = public.get(hashed_space(namespace, collection), hash_key(key))
            space = private_space(namespace, collection)
            held = current(self._state, self.changes.batch, space, key.encode())
            if change is None or change.row is None or held is None:
                continue
            if sha256(held.value) == change.row.value:
                row = held._replace(version=change.row.version)
                self.changes.batch.put(space, key.encode(), row)

    def expire(self, number: int, public: UpdateBatch) -> None:
        """Add the deletion of what this block is too late for, unless the block writes it."""
        for expiry in self._store.expiring(number):
            self._expire(expiry, Version(number, _LAST), public)

    def _expire(self, expiry: Expiry, version: Version, public: UpdateBatch) -> None:
        place = expiry.place
        self._drop(
            public,
            hashed_space(place.namespace, place.collection),
            place.key_hash,
            expiry.block,
            version,
        )
        key = self._store.key(place)
        if key is not None:
            self._drop(
                self.changes.batch,
                private_space(place.namespace, place.collection),
                key,
                expiry.block,
                version,
            )

    def _drop(
        self, batch: UpdateBatch, space: str, key: bytes, written: int, version: Version
    ) -> None:
        row = self._state.get(space, key)
        if row is not None and row.version.block == written and batch.get(space, key) is None:
            batch.delete(space, key, version)


def _by_place(offered: tuple[bytes, ...]) -> dict[tuple[str, str, bytes], bytes]:
    """Collection write sets by namespace, collection and hash."""
    return {
        (namespace.namespace, collection.collection_name, sha256(collection.rwset)): (
            collection.rwset
        )
        for data in offered
        for namespace in _message(data).ns_pvt_rwset
        for collection in namespace.collection_pvt_rwset
    }


def _message(data: bytes) -> TxPvtReadWriteSet:
    """What an endorser left; nothing, if it cannot be read."""
    try:
        return parse(TxPvtReadWriteSet, data)
    except WireError:
        return TxPvtReadWriteSet()


def _decoded(name: str, data: bytes) -> PrivateCollection:
    """The write set; one that its endorsers made unreadable writes nothing."""
    try:
        return decode_collection(name, data)
    except WireError:
        return PrivateCollection(name)
