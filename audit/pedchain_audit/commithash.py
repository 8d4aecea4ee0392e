# SPDX-License-Identifier: Apache-2.0
"""The commit hash: one running hash over validity flags and everything a block changed.

Peers note it in each block and sign it nowhere; redone from the replayed state, it binds flags and
writes of the whole ledger into 32 bytes that two organisations can compare (Fabric:
kvledger/kv_ledger.go, addBlockCommitHash; txmgmt/txmgr/update_batch_bytes.go). The channel's
configuration is left out of it, as there.
"""

import hashlib
from functools import lru_cache

from pedchain_audit.world import Place, World
from pedchain_fabric.wire.rwset import Version


def commit_hash(previous: bytes, flags: bytes, world: World) -> bytes:
    """The hash after one block; `world` has the block's writes applied and marked as touched."""
    updates = update_bytes(world)
    return hashlib.sha256(varint(len(flags)) + flags + updates + previous).digest()


def update_bytes(world: World) -> bytes:
    """The block's writes in order of namespace, collection, key; repeated names are left out."""
    parts: list[bytes] = []
    namespace, collection = "", ""
    for place in sorted(world.touched, key=order):
        names = b""
        if place[0] != namespace:
            namespace, collection = place[0], ""
            names = field(1, namespace.encode())
        if place[1] != collection:
            collection = place[1]
            names += field(2, collection.encode())
        parts.append(field(1, names + write(world, place)))
    return b"".join(parts)


def order(place: Place) -> tuple[str, str, bytes]:
    """Sorts places; a collection's name sorts after none, that is after public writes."""
    return place[0], place[1], key_bytes(place)


def write(world: World, place: Place) -> bytes:
    """One write as Fabric's message, but for its names: key, deletion, value, version."""
    cell = world.cell(place[0], place[2], place[1])
    shown = b"\x20\x01" if cell is None else field(5, cell.value)
    version = field(6, version_bytes(world.touched[place]))
    return field(3, key_bytes(place)) + shown + version


def key_bytes(place: Place) -> bytes:
    key = place[2]
    return key.encode() if isinstance(key, str) else key


@lru_cache(1)
def version_bytes(version: Version) -> bytes:
    """Block and position, each its big-endian bytes without leading zeros after their number."""
    return b"".join(bytes([len(raw)]) + raw for raw in map(shortest, version))


def shortest(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def field(number: int, value: bytes) -> bytes:
    """A length-delimited protobuf field; empty ones are not written."""
    return bytes((number << 3 | 2,)) + varint(len(value)) + value if value else b""


def varint(number: int) -> bytes:
    if number < 0x80:
        return bytes((number,))
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
