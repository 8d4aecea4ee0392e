# SPDX-License-Identifier: Apache-2.0
"""What a valid transaction makes of the state (Fabric txmgmt/validation/tx_ops.go).

A new value keeps the key's metadata, a deletion drops it, metadata for a key that is not there
does nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from pedchain_fabric.embedded.ledger import keymetadata
from pedchain_fabric.embedded.ledger.state import State
from pedchain_fabric.embedded.ledger.versioned import UpdateBatch, Versioned, hashed_space
from pedchain_fabric.wire.rwset import Entries, Namespace, Version

# Fabric adds these flags up, also when a key stands twice in a write set, which only a forged one
# does: what comes of it then is what these sums mean.
_UPSERT: Final = 1
_METADATA_SET: Final = 2
_METADATA_REMOVED: Final = 4
_DELETED: Final = 8


@dataclass(slots=True)
class _Operation:
    """One key of a transaction: what is done to it, its last new value and metadata."""

    flags: int = 0
    value: bytes = b""
    metadata: bytes = b""

    @property
    def deletes(self) -> bool:
        """Whether the key goes."""
        return bool(self.flags & _DELETED)

    @property
    def sets_both(self) -> bool:
        """Whether it says all there is to say of the key."""
        return bool(self.flags & _UPSERT and self.flags & (_METADATA_SET | _METADATA_REMOVED))

    @property
    def sets_value(self) -> bool:
        """Whether the metadata stays."""
        return self.flags | _UPSERT == _UPSERT


Operations = dict[tuple[str, bytes], _Operation]


def apply_writes(
    state: State, batch: UpdateBatch, namespaces: Iterable[Namespace], version: Version
) -> None:
    """Add the transaction's effects on public and hashed state to the block's changes."""
    for (space, key), operation in _operations(namespaces).items():
        if operation.deletes:
            batch.delete(space, key, version)
            continue
        value, metadata = operation.value, operation.metadata
        if not operation.sets_both:
            latest = current(state, batch, space, key)
            if operation.sets_value:
                metadata = b"" if latest is None else latest.metadata
            elif latest is None:
                continue
            else:
                value = latest.value
        batch.put(space, key, Versioned(value, metadata, version))


def current(state: State, batch: UpdateBatch, space: str, key: bytes) -> Versioned | None:
    """The key's value after the block's valid transactions so far."""
    change = batch.get(space, key)
    return change.row if change is not None else state.get(space, key)


def _operations(namespaces: Iterable[Namespace]) -> Operations:
    found: Operations = {}
    for namespace in namespaces:
        for space, key, operation in _written(namespace):
            _merge(found.setdefault((space, key), _Operation()), operation)
    return found


def _merge(into: _Operation, operation: _Operation) -> None:
    into.flags += operation.flags
    into.value = operation.value or into.value
    into.metadata = operation.metadata or into.metadata


def _written(namespace: Namespace) -> Iterator[tuple[str, bytes, _Operation]]:
    name = namespace.name
    for write in namespace.writes:
        yield name, write.key.encode(), _set(write.value, write.deletes)
    for noted in namespace.metadata_writes:
        yield name, noted.key.encode(), _noted(noted.entries)
    for collection in namespace.collections:
        space = hashed_space(name, collection.name)
        for hashed in collection.writes:
            yield space, hashed.key_hash, _set(hashed.value_hash, hashed.deletes)
        for marked in collection.metadata_writes:
            yield space, marked.key_hash, _noted(marked.entries)


def _set(value: bytes, deletes: bool) -> _Operation:
    return _Operation(_DELETED) if deletes else _Operation(_UPSERT, value)


def _noted(entries: Entries) -> _Operation:
    if not entries:
        return _Operation(_METADATA_REMOVED)
    return _Operation(_METADATA_SET, metadata=keymetadata.pack(entries))
