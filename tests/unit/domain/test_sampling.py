# SPDX-License-Identifier: Apache-2.0
"""Which leaves a block's hash picks, and what may be said of them (ADR 43)."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedchain_domain import documents, leaves, sampling
from pedchain_domain.reasons import DomainError

HASH = "ab" * 32
DAY = "2026-01-01"
GOOD: dict[str, Any] = {
    "schema": "sample/1", "day": DAY, "run": "F", "version": 2, "root": HASH, "block": 7,
    "hash": HASH, "leaves": 4, "verified": 3, "missing": 1, "failed": 0, "opening": HASH,
}  # fmt: skip


@given(population=st.integers(1, 3_000), size=st.integers(1, sampling.LEAVES_MAX))
def test_a_sample_is_of_different_leaves_and_begins_with_any_smaller_one(
    population: int, size: int
) -> None:
    found = sampling.drawn(HASH, "A", DAY, population, size)
    assert len(found) == len(set(found)) == min(size, population)
    assert all(0 <= at < population for at in found)
    smaller = sampling.drawn(HASH, "A", DAY, population, max(1, size // 2))
    assert found[: len(smaller)] == smaller


def test_a_sample_of_all_is_all() -> None:
    assert sorted(sampling.drawn(HASH, "A", DAY, 96, 200)) == list(range(96))


def test_no_leaf_is_likelier_and_another_block_draws_others() -> None:
    hits = Counter(
        at for block in range(2_000) for at in sampling.drawn(f"{block:064x}", "A", DAY, 10, 2)
    )
    assert len(hits) == 10
    assert all(300 < count < 500 for count in hits.values())
    assert sampling.drawn(HASH, "A", DAY, 96, 5) != sampling.drawn(HASH, "B", DAY, 96, 5)


def test_what_is_drawn_stays_what_it_was() -> None:
    """A vector: auditors draw the same for ever."""
    assert sampling.drawn(HASH, "DistrictA", DAY, 1_000_000, 3) == [766358, 409476, 145293]


def test_places_go_through_cells_in_their_order() -> None:
    found = sampling.places({"10": 1, "2": 2}, 24, HASH, "A", DAY, 72)
    assert len(set(found)) == 72
    assert {(one.cell, one.point) for one in found} == {("2", 0), ("2", 1), ("10", 0)}
    assert {one.interval for one in found} == set(range(24))


def test_the_root_binds_every_point() -> None:
    points = {"0": ["11" * 32, "22" * 32], "1": ["33" * 32]}
    cells = [leaves.nested_root([bytes.fromhex(one) for one in points[at]]) for at in ("0", "1")]
    assert sampling.root_over(points) == leaves.nested_root(cells).hex()
    assert sampling.root_over({**points, "0": points["0"][:1]}) != sampling.root_over(points)


@pytest.mark.parametrize("size", [0, -1, sampling.LEAVES_MAX + 1])
def test_a_sample_has_its_bounds(size: int) -> None:
    with pytest.raises(DomainError, match="too-large"):
        sampling.drawn(HASH, "A", DAY, 10, size)


@pytest.mark.parametrize(
    "change",
    [
        {"verified": 4},
        {"leaves": 0, "verified": 0, "missing": 0},
        {"leaves": 300, "verified": 299},
        {"opening": None},
        {"opening": "no"},
        {"run": "G"},
        {"day": "soon"},
        {"version": 0},
        {"failed": True},
        {"wh": 3},
    ],
)
def test_counts_that_do_not_add_up_are_refused(change: dict[str, Any]) -> None:
    assert documents.check(GOOD) == GOOD
    with pytest.raises(DomainError):
        documents.check({**GOOD, **change})


def test_a_district_that_opens_nothing_is_said_so() -> None:
    refused = {**GOOD, "verified": 0, "missing": 4, "opening": None}
    assert documents.check(refused) == refused
