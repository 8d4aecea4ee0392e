# SPDX-License-Identifier: Apache-2.0
"""Deadlines as gRPC is told them."""

import math

import pytest

from pedchain_fabric.client import rpc


@pytest.mark.parametrize("endless", [math.inf, 1e10])
def test_a_deadline_grpc_cannot_count_is_none_instead_of_over_at_once(endless: float) -> None:
    assert rpc._timeout(endless) is None


def test_any_other_deadline_is_told_as_it_is() -> None:
    assert rpc._timeout(0.5) == 0.5
    assert rpc._timeout(1e9) == 1e9
