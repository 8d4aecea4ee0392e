# SPDX-License-Identifier: Apache-2.0
"""The running hash over verdicts and updates that committers note in their blocks.

Fabric kv_ledger.go (addBlockCommitHash) and txmgr/update_batch_bytes.go. Two peers that agree on
it agree on every flag and every public and hashed update since block 1.
"""

from collections.abc import Iterator, Mapping
from hashlib import sha256

from pedchain_fabric.embedded.ledger.versioned import Change, UpdateBatch
from pedchain_fabric.wire.rwset import Version


def commit_hash(flags: bytes, batch: UpdateBatch, previous: bytes) -> bytes:
    """The hash after a block with these validation flags and updates."""
    return sha256(varint(len(flags)) + flags + update_bytes(batch) + previous).digest()


def update_bytes(batch: UpdateBatch) -> bytes:
    """The updates as Fabric serialises them (message txmgr.Updates, made by hand).

    Namespaces in order, in each the public keys in order, then its collections in order with
    their hashed keys. A name is given with the first of its keys only.
    """
    groups: dict[str, dict[str, Mapping[bytes, Change]]] = {}
    for space in batch.spaces():
        namespace, _, rest = space.partition("$$")
        groups.setdefault(namespace, {})[rest[1:]] = batch.changes(space)
    encoded = bytearray()
    for namespace, group in sorted(groups.items()):
        for index, write in enumerate(_writes(group)):
            named = _field(1, namespace.encode()) if index == 0 else b""
            encoded += _field(1, named + write)
    return bytes(encoded)


def _writes(group: dict[str, Mapping[bytes, Change]]) -> Iterator[bytes]:
    """One namespace's updates, collection by collection; "" (public state) sorts first."""
    for collection, changes in sorted(group.items()):
        for index, (key, change) in enumerate(sorted(changes.items())):
            named = _field(2, collection.encode()) if index == 0 else b""
            yield named + _write(key, change)


def _write(key: bytes, change: Change) -> bytes:
    deleted = b"\x20\x01" if change.row is None else b""
    value = b"" if change.row is None else change.row.value
    return _field(3, key) + deleted + _field(5, value) + _field(6, version_bytes(change.version))


def version_bytes(version: Version) -> bytes:
    """A height as Fabric stores it: each number with its length before it, shortest form."""
    return _ordered(version.block) + _ordered(version.tx)


def _ordered(number: int) -> bytes:
    size = (number.bit_length() + 7) // 8
    return bytes([size]) + number.to_bytes(size, "big")


def _field(number: int, value: bytes) -> bytes:
    """A length-delimited protobuf field, left out if empty."""
    return bytes([number << 3 | 2]) + varint(len(value)) + value if value else b""


def varint(number: int) -> bytes:
    """Base-128, least significant group first (protobuf wire format)."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
