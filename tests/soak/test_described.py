# SPDX-License-Identifier: Apache-2.0
"""A thousand examples of each operation the gateway describes, and walks from answer to question.

PEDCHAIN_SOAK_EXAMPLES (1000) and PEDCHAIN_SOAK_WALKS (100) bound the run.
"""

import os
from pathlib import Path

import pytest

from tests.unit.gateway.described import ask_all, ask_in_turn, described

pytestmark = pytest.mark.timeout(7_200)


def test_no_example_makes_a_server_error(tmp_path: Path) -> None:
    count = int(os.environ.get("PEDCHAIN_SOAK_EXAMPLES", 1_000))
    with described(tmp_path) as schema:
        assert ask_all(schema, count) > 25


def test_no_walk_makes_a_server_error(tmp_path: Path) -> None:
    count = int(os.environ.get("PEDCHAIN_SOAK_WALKS", 100))
    with described(tmp_path) as schema:
        ask_in_turn(schema, count, 6)
