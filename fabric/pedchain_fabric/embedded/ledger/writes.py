# SPDX-License-Identifier: Apache-2.0
"""What a valid transaction makes of the state (Fabric txmgmt/validation/tx_ops.go).

A new value keeps the key's metadata, a deletion drops it, metadata for a key that is not there
does nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pedchain_fabric.embedded.ledger import keymetadata
from pedchain_fabric.embedded.ledger.state import State
from pedchain_fabric.embedded.ledger.versioned import UpdateBatch, Versioned, hashed_space
from pedchain_fabric.wire.rwset import Namespace, Version


@dataclass(slots=True)
class _Operation:
    """One key of a transaction: new value, deletion, new metadata (None: not touched)."""

    value: bytes | None = None
    deleted: bool = False
    metadata: bytes | None = None


Operations = dict[tuple[str, bytes], _Operation]


def apply_writes(
    state: State, batch: UpdateBatch, namespaces: Iterable[Namespace], version: Version
) -> None:
    """Add the transaction's effects on public and hashed state to the block's changes."""
    for (space, key), operation in _operations(namespaces).items():
        if operation.deleted:
            batch.delete(space, key, version)
            continue
        latest = current(state, batch, space, key)
        value = operation.value if operation.value is not None else _value(latest)
        if value is None:
            continue
        metadata = operation.metadata
        if metadata is None:
            metadata = b"" if latest is None else latest.metadata
        batch.put(space, key, Versioned(value, metadata, version))


def current(state: State, batch: UpdateBatch, space: str, key: bytes) -> Versioned | None:
    """The key's value after the block's valid transactions so far."""
    change = batch.get(space, key)
    return change.row if change is not None else state.get(space, key)


def _value(row: Versioned | None) -> bytes | None:
    return None if row is None else row.value


def _operations(namespaces: Iterable[Namespace]) -> Operations:
    found: Operations = {}
    for namespace in namespaces:
        for space, key, operation in _written(namespace):
            _merge(found.setdefault((space, key), _Operation()), operation)
    return found


def _merge(into: _Operation, operation: _Operation) -> None:
    into.deleted = into.deleted or operation.deleted
    if operation.value is not None:
        into.value = operation.value
    if operation.metadata is not None:
        into.metadata = operation.metadata


def _written(namespace: Namespace) -> Iterator[tuple[str, bytes, _Operation]]:
    name = namespace.name
    for write in namespace.writes:
        yield name, write.key.encode(), _set(write.value, write.deletes)
    for noted in namespace.metadata_writes:
        yield name, noted.key.encode(), _Operation(metadata=keymetadata.pack(noted.entries))
    for collection in namespace.collections:
        space = hashed_space(name, collection.name)
        for hashed in collection.writes:
            yield space, hashed.key_hash, _set(hashed.value_hash, hashed.deletes)
        for marked in collection.metadata_writes:
            yield space, marked.key_hash, _Operation(metadata=keymetadata.pack(marked.entries))


def _set(value: bytes, deletes: bool) -> _Operation:
    return _Operation(deleted=True) if deletes else _Operation(value=value)
