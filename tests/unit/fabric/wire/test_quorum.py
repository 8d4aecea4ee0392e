# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pedchain_fabric.wire.quorum import bft_quorum, faults_tolerated


@pytest.mark.parametrize(
    ("n", "quorum"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 4), (6, 4), (7, 5), (10, 7)]
)
def test_quorums_are_smartbfts(n, quorum):
    assert bft_quorum(n) == quorum


@given(st.integers(1, 10_000))
def test_two_quorums_share_an_honest_consenter_and_the_honest_alone_make_one(n):
    f = faults_tolerated(n)
    assert 2 * bft_quorum(n) - n >= f + 1
    assert bft_quorum(n) <= n - f


def test_nobody_has_no_quorum():
    with pytest.raises(ValueError, match="at least one"):
        bft_quorum(0)
