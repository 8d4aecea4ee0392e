# SPDX-License-Identifier: Apache-2.0
"""Reads redone: what conflicts, what is a phantom, and the summary of long ranges."""

import pytest
from fabric_protos.peer.transaction_pb2 import TxValidationCode
from hypothesis import given
from hypothesis import strategies as st

from pedchain_audit import mvcc
from pedchain_audit.world import World
from pedchain_fabric.embedded.ledger.rangequery import RangeReads
from pedchain_fabric.wire.rwset import (
    HashedCollection,
    HashedRead,
    HashedWrite,
    KvRead,
    KvWrite,
    MetadataWrite,
    Namespace,
    RangeQuery,
    Version,
)

VALID = TxValidationCode.VALID
CONFLICT = TxValidationCode.MVCC_READ_CONFLICT
PHANTOM = TxValidationCode.PHANTOM_READ_CONFLICT
POLICY = (("VALIDATION_PARAMETER", b"policy"),)


def world_with(**values: bytes) -> World:
    world = World()
    writes = tuple(KvWrite.of(key, value) for key, value in values.items())
    world.apply((Namespace("cc", writes=writes),), Version(1, 0))
    world.begin_block()
    return world


def reading(key: str, version: Version | None) -> tuple[Namespace, ...]:
    return (Namespace("cc", reads=(KvRead(key, version),)),)


def test_a_read_of_what_still_stands_is_valid() -> None:
    assert mvcc.verdict(world_with(a=b"1"), reading("a", Version(1, 0))) == VALID


@pytest.mark.parametrize("seen", [None, Version(0, 0), Version(1, 1)])
def test_a_read_of_another_version_conflicts(seen: Version | None) -> None:
    assert mvcc.verdict(world_with(a=b"1"), reading("a", seen)) == CONFLICT


def test_a_key_written_earlier_in_the_block_conflicts() -> None:
    world = world_with(a=b"1")
    world.apply((Namespace("cc", writes=(KvWrite.of("a", b"2"),)),), Version(2, 0))
    assert mvcc.verdict(world, reading("a", Version(1, 0))) == CONFLICT


def test_a_key_that_never_was_conflicts_when_deleted_earlier_in_the_block() -> None:
    """Its version compares equal before and after; Fabric counts the deletion as an update."""
    world = world_with()
    world.apply((Namespace("cc", writes=(KvWrite.of("a", b""),)),), Version(2, 0))
    assert mvcc.verdict(world, reading("a", None)) == CONFLICT


def test_a_private_key_written_since_conflicts() -> None:
    world = World()
    written = HashedCollection("col", writes=(HashedWrite.of("a", b"1"),))
    world.apply((Namespace("cc", collections=(written,)),), Version(1, 0))
    seen = HashedCollection("col", reads=(HashedRead(HashedWrite.of("a", b"1").key_hash, None),))
    assert mvcc.verdict(world, (Namespace("cc", collections=(seen,)),)) == CONFLICT


def ranging(start: str, end: str, *keys: str, exhausted: bool = True) -> tuple[Namespace, ...]:
    reads = tuple(KvRead(key, Version(1, 0)) for key in keys)
    return (Namespace("cc", range_queries=(RangeQuery(start, end, exhausted, reads),)),)


@pytest.mark.fault(19)
def test_a_key_inserted_into_a_range_since_is_a_phantom() -> None:
    world = world_with(a=b"1", c=b"1")
    assert mvcc.verdict(world, ranging("a", "z", "a", "c")) == VALID
    world.apply((Namespace("cc", writes=(KvWrite.of("b", b"1"),)),), Version(2, 0))
    assert mvcc.verdict(world, ranging("a", "z", "a", "c")) == PHANTOM


def test_a_range_not_exhausted_includes_its_end() -> None:
    world = world_with(a=b"1", b=b"1", c=b"1")
    assert mvcc.verdict(world, ranging("a", "b", "a", "b", exhausted=False)) == VALID
    assert mvcc.verdict(world, ranging("a", "b", "a", "b", exhausted=True)) == PHANTOM


def test_an_open_end_reads_to_the_last_key() -> None:
    assert mvcc.verdict(world_with(a=b"1", z=b"1"), ranging("", "", "a", "z")) == VALID


@given(st.integers(0, 400), st.integers(2, 6))
def test_summaries_equal_those_of_the_embedded_ledger(count: int, degree: int) -> None:
    """Two implementations that share no code agree on every length and degree."""
    reads = [KvRead(f"k{i:04}", Version(i, 0)) for i in range(count)]
    other = RangeReads(degree)
    for read in reads:
        other.add(read)
    assert mvcc.summary(reads, degree) == other.result()[1]


def test_a_value_write_keeps_a_keys_metadata_and_a_delete_drops_it() -> None:
    world = world_with(a=b"1")
    world.apply((Namespace("cc", metadata_writes=(MetadataWrite("a", POLICY),)),), Version(2, 0))
    world.apply((Namespace("cc", writes=(KvWrite.of("a", b"2"),)),), Version(3, 0))
    kept = world.cell("cc", "a")
    assert kept is not None
    assert (kept.value, kept.metadata) == (b"2", POLICY)
    world.apply((Namespace("cc", writes=(KvWrite.of("a", b""),)),), Version(4, 0))
    world.apply((Namespace("cc", writes=(KvWrite.of("a", b"3"),)),), Version(5, 0))
    fresh = world.cell("cc", "a")
    assert fresh is not None
    assert fresh.metadata == ()


def test_metadata_of_a_key_without_value_is_nothing() -> None:
    world = world_with()
    world.apply((Namespace("cc", metadata_writes=(MetadataWrite("a", POLICY),)),), Version(2, 0))
    assert world.cell("cc", "a") is None
    assert not world.touched
