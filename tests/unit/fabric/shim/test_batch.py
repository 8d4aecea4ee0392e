# SPDX-License-Identifier: Apache-2.0
"""What a write batch keeps, and how it is cut."""

import pytest
from fabric_protos.peer.chaincode_shim_pb2 import WriteRecord
from hypothesis import given
from hypothesis import strategies as st

from pedchain_fabric.shim.batch import WriteBatch

PUT, DELETE = WriteRecord.PUT_STATE, WriteRecord.DEL_STATE


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.binary(max_size=3))))
@pytest.mark.complete("shim-StartWriteBatch")
def test_the_last_write_of_each_key_is_kept(writes: list[tuple[str, str, bytes]]) -> None:
    batch = WriteBatch()
    for collection, key, value in writes:
        batch.add(PUT if value else DELETE, collection, key, value)
    records = [record for chunk in batch.chunks(2) for record in chunk]
    kept = {(record.collection, record.key): record.value for record in records}
    assert kept == {(collection, key): value for collection, key, value in writes}
    assert len(records) == len(kept) == len(batch)


def test_a_keys_value_and_policy_are_two_entries() -> None:
    batch = WriteBatch()
    batch.add(PUT, "", "k", b"1")
    batch.add_metadata("", "k", "VALIDATION_PARAMETER", b"p")
    batch.add(DELETE, "", "k")
    [records] = batch.chunks(10)
    assert [record.type for record in records] == [DELETE, WriteRecord.PUT_STATE_METADATA]


@pytest.mark.complete("shim-FinishWriteBatch")
def test_chunks_are_bounded_in_number() -> None:
    batch = WriteBatch()
    for number in range(7):
        batch.add(PUT, "", str(number), b"1")
    assert [len(chunk) for chunk in batch.chunks(3)] == [3, 3, 1]
    assert list(WriteBatch().chunks(3)) == []


@pytest.mark.complete("shim-FinishWriteBatch")
def test_chunks_are_bounded_in_bytes_but_one_large_write_goes_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pedchain_fabric.shim.batch.BATCH_BYTES", 100)
    batch = WriteBatch()
    for number, size in enumerate([10, 10, 500, 40, 40, 40]):
        batch.add(PUT, "", str(number), bytes(size))
    assert [[record.key for record in chunk] for chunk in batch.chunks(1000)] == [
        ["0", "1"],
        ["2"],
        ["3", "4"],
        ["5"],
    ]
