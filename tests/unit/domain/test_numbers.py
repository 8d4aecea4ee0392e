# SPDX-License-Identifier: Apache-2.0
import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedchain_domain.numbers import ppm, split, split_list

IDS = st.text(min_size=0, max_size=4)


def test_a_ratio_is_floored_and_null_for_a_zero_denominator() -> None:
    assert ppm(2_500, 5_250) == 476_190
    assert ppm(-1, 3) == -333_334
    assert ppm(0, 5) == 0
    assert ppm(5, 0) is None


def test_split_gives_the_left_over_units_to_the_largest_remainders() -> None:
    assert split(100, {"a": 1, "b": 1, "c": 1}) == ({"a": 34, "b": 33, "c": 33}, 0)
    assert split(-100, {"a": 1, "b": 1, "c": 1}) == ({"a": -34, "b": -33, "c": -33}, 0)


def test_split_over_no_weight_leaves_the_total_as_residual() -> None:
    assert split(7, {"a": 0, "b": 0}) == ({"a": 0, "b": 0}, 7)
    assert split_list(7, []) == ([], 7)


def test_ties_of_a_split_go_by_ascending_id_bytes() -> None:
    assert split(1, {"é": 1, "z": 1})[0] == {"z": 1, "é": 0}


def test_a_negative_weight_is_an_error_of_the_caller() -> None:
    with pytest.raises(ValueError, match="negative"):
        split(1, {"a": -1})


@given(st.integers(-(10**12), 10**12), st.dictionaries(IDS, st.integers(0, 10**9), max_size=8))
def test_split_conserves(total: int, weights: dict[str, int]) -> None:
    parts, residual = split(total, weights)
    assert sum(parts.values()) + residual == total
    assert residual == 0 or sum(weights.values()) == 0


@given(st.integers(0, 10**12), st.dictionaries(IDS, st.integers(0, 10**9), min_size=1, max_size=8))
def test_each_part_is_within_one_unit_of_its_exact_share(
    total: int, weights: dict[str, int]
) -> None:
    whole = sum(weights.values())
    for name, part in split(total, weights)[0].items():
        if whole:
            assert abs(part * whole - total * weights[name]) < whole


@pytest.mark.fault(45)
def test_a_hundred_thousand_splits_lose_nothing_and_never_change() -> None:
    """The digest is pinned: another Python or another order of dictionaries gives it too."""
    chance, digest = random.Random(45), hashlib.sha256()
    for _ in range(100_000):
        names = [f"h{number}" for number in range(chance.randint(1, 6))]
        chance.shuffle(names)
        weights = {name: chance.randint(0, 1_000) for name in names}
        total = chance.randint(-(10**9), 10**9)
        parts, residual = split(total, weights)
        assert sum(parts.values()) + residual == total
        digest.update(repr(sorted(parts.items())).encode())
    assert digest.hexdigest()[:16] == "2cddddd4b8696d75"
