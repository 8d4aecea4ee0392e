# SPDX-License-Identifier: Apache-2.0
import contextlib
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedchain_fabric.errors import WireError
from pedchain_fabric.wire import rwset
from pedchain_fabric.wire.rwset import (
    HashedCollection,
    HashedMetadataWrite,
    HashedRead,
    HashedWrite,
    KvRead,
    KvWrite,
    MerkleSummary,
    MetadataWrite,
    Namespace,
    PrivateCollection,
    PrivateNamespace,
    RangeQuery,
    Version,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
BYTES = st.binary(max_size=6)
VERSION = st.none() | st.builds(Version, st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))


def many(strategy):
    return st.lists(strategy, max_size=3).map(tuple)


ENTRIES = many(st.tuples(TEXT, BYTES))
READ = st.builds(KvRead, TEXT, VERSION)
MERKLE = st.builds(MerkleSummary, st.integers(0, 99), st.integers(0, 99), many(BYTES))
RANGE = st.builds(RangeQuery, TEXT, TEXT, st.booleans(), st.none() | many(READ), st.none()) | (
    st.builds(RangeQuery, TEXT, TEXT, st.booleans(), st.none(), MERKLE)
)
WRITE = st.builds(KvWrite, TEXT, BYTES, st.booleans())
METADATA = st.builds(MetadataWrite, TEXT, ENTRIES)
COLLECTION = st.builds(
    HashedCollection,
    TEXT,
    many(st.builds(HashedRead, BYTES, VERSION)),
    many(st.builds(HashedWrite, BYTES, BYTES, st.booleans(), st.booleans())),
    many(st.builds(HashedMetadataWrite, BYTES, ENTRIES)),
    BYTES,
)
NAMESPACE = st.builds(
    Namespace, TEXT, many(READ), many(RANGE), many(WRITE), many(METADATA), many(COLLECTION)
)
PRIVATE = st.builds(
    PrivateNamespace, TEXT, many(st.builds(PrivateCollection, TEXT, many(WRITE), many(METADATA)))
)


@given(many(NAMESPACE))
def test_what_was_encoded_is_decoded_in_the_same_order(namespaces):
    assert rwset.decode(rwset.encode(namespaces)) == namespaces


@given(many(PRIVATE))
def test_private_sets_too(namespaces):
    assert rwset.decode_private(rwset.encode_private(namespaces)) == namespaces


def test_no_version_and_version_zero_are_two_things():
    absent = rwset.encode([Namespace("n", reads=(KvRead("k", None),))])
    first = rwset.encode([Namespace("n", reads=(KvRead("k", Version(0, 0)),))])
    assert absent != first


def test_fabrics_order_is_that_of_names_and_keys_range_queries_as_made():
    reads = tuple(KvRead(key, None) for key in ("b", "a", "é", "Z", "\U0001f600", "￿"))
    queries = (RangeQuery("z", "", True), RangeQuery("a", "", True))
    (only, last) = rwset.ordered([Namespace("z"), Namespace("a", reads, queries)])
    assert last.name == "z"
    assert [read.key for read in only.reads] == sorted(
        (read.key for read in reads), key=lambda key: key.encode()
    )
    assert only.range_queries == queries


def test_an_empty_value_is_a_deletion():
    assert KvWrite.of("k", b"") == KvWrite("k", b"", True)
    assert KvWrite("k", b"", False).deletes
    assert not KvWrite.of("k", b"v").deletes
    assert HashedWrite.of("k", b"").deletes
    assert HashedWrite(b"h", hashlib.sha256(b"").digest(), False).deletes
    assert not HashedWrite.of("k", b"v").deletes


def test_private_keys_and_values_stand_on_the_ledger_as_digests():
    write = HashedWrite.of("k", b"v", purge=True)
    assert write.key_hash == hashlib.sha256(b"k").digest() == rwset.hash_key("k")
    assert write.value_hash == hashlib.sha256(b"v").digest()
    assert write.is_purge


def test_any_kind_of_write_makes_a_namespace_written():
    assert not Namespace("n", reads=(KvRead("k", None),)).is_written
    assert Namespace("n", writes=(KvWrite.of("k", b"v"),)).is_written
    assert Namespace("n", metadata_writes=(MetadataWrite("k", ()),)).is_written
    hashed = HashedCollection("c", writes=(HashedWrite.of("k", b"v"),))
    assert Namespace("n", collections=(hashed,)).is_written
    assert not Namespace("n", collections=(HashedCollection("c"),)).is_written


def test_garbage_inside_a_namespace_has_the_committers_code():
    with pytest.raises(WireError) as caught:
        rwset.decode(bytes.fromhex("1205") + b"\x0a\x00\x12\x01\xff")
    assert caught.value.code == "BAD_RWSET"


@given(st.binary(max_size=100))
def test_garbage_raises_wire_errors_only(data):
    for decode in (rwset.decode, rwset.decode_private):
        with contextlib.suppress(WireError):
            decode(data)
