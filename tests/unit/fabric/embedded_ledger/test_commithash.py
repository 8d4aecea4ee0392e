# SPDX-License-Identifier: Apache-2.0
"""The running commit hash, against bytes worked out by hand from its definition."""

from hashlib import sha256

from pedchain_fabric.embedded.ledger.commithash import (
    commit_hash,
    update_bytes,
    varint,
    version_bytes,
)
from pedchain_fabric.embedded.ledger.versioned import UpdateBatch, Versioned, hashed_space
from pedchain_fabric.wire.rwset import Version


def test_versions_are_stored_shortest_with_their_length() -> None:
    assert version_bytes(Version(0, 0)) == b"\x00\x00"
    assert version_bytes(Version(1, 255)) == b"\x01\x01\x01\xff"
    assert version_bytes(Version(256, 65536)) == b"\x02\x01\x00\x03\x01\x00\x00"


def test_updates_name_namespace_and_collection_once_in_order() -> None:
    batch = UpdateBatch()
    version = Version(1, 2)
    batch.put("b", b"k", Versioned(b"v", b"metadata is not part of it", version))
    batch.put(hashed_space("a", "c2"), b"h", Versioned(b"x", b"", version))
    batch.put(hashed_space("a", "c1"), b"h", Versioned(b"x", b"", version))
    batch.put("a", b"k2", Versioned(b"v", b"", version))
    batch.delete("a", b"k1", version)
    at = b"\x32\x04\x01\x01\x01\x02"

    def entry(*parts: bytes) -> bytes:
        body = b"".join(parts) + at
        return b"\x0a" + bytes([len(body)]) + body

    assert update_bytes(batch) == b"".join(
        [
            entry(b"\x0a\x01a", b"\x1a\x02k1", b"\x20\x01"),
            entry(b"\x1a\x02k2", b"\x2a\x01v"),
            entry(b"\x12\x02c1", b"\x1a\x01h", b"\x2a\x01x"),
            entry(b"\x12\x02c2", b"\x1a\x01h", b"\x2a\x01x"),
            entry(b"\x0a\x01b", b"\x1a\x01k", b"\x2a\x01v"),
        ]
    )


def test_the_hash_covers_flags_updates_and_the_hash_before() -> None:
    flags = bytes(200)
    expected = sha256(b"\xc8\x01" + flags + b"" + b"before").digest()
    assert commit_hash(flags, UpdateBatch(), b"before") == expected


def test_varints_take_seven_bits_a_byte() -> None:
    assert [varint(number) for number in (0, 127, 128, 300)] == [
        b"\x00", b"\x7f", b"\x80\x01", b"\xac\x02",
    ]  # fmt: skip
