# SPDX-License-Identifier: Apache-2.0
"""Summaries of long range reads, against a naive second construction."""

from hashlib import sha256

from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2 as kv
from hypothesis import given
from hypothesis import strategies as st

from pedchain_fabric.embedded.ledger.rangequery import RangeReads
from pedchain_fabric.wire.rwset import KvRead, MerkleSummary, Version


def record(degree: int, size: int) -> tuple[tuple[KvRead, ...] | None, MerkleSummary | None]:
    reads = RangeReads(degree)
    for index in range(size):
        reads.add(KvRead(f"k{index}", Version(1, index)))
    return reads.result()


def naive(degree: int, size: int) -> MerkleSummary:
    """Cut into groups of degree + 1, hash them, and again, until at most `degree` are left.

    A last group of a level that is complete below but alone is taken up as it is.
    """
    group = degree + 1
    messages = [
        kv.KVRead(key=f"k{i}", version=kv.Version(block_num=1, tx_num=i)) for i in range(size)
    ]
    level = [
        sha256(kv.QueryReads(kv_reads=messages[i : i + group]).SerializeToString()).digest()
        for i in range(0, size, group)
    ]
    height = 1
    while len(level) > degree:
        level = [
            level[i]
            if len(level[i : i + group]) == 1
            else sha256(b"".join(level[i : i + group])).digest()
            for i in range(0, len(level), group)
        ]
        height += 1
    return MerkleSummary(degree, height, tuple(level))


@given(st.integers(2, 5), st.integers(0, 300))
def test_a_summary_is_the_tree_of_its_results(degree: int, size: int) -> None:
    raw, summary = record(degree, size)
    if size <= degree:
        assert summary is None
        assert raw == (tuple(KvRead(f"k{i}", Version(1, i)) for i in range(size)) or None)
    else:
        assert raw is None
        assert summary == naive(degree, size)


def test_fabrics_degree_is_fifty() -> None:
    assert record(50, 50)[1] is None
    summary = record(50, 51)[1]
    assert summary is not None
    assert len(summary.max_level_hashes) == 1
