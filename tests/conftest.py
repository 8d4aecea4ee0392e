# SPDX-License-Identifier: Apache-2.0
"""Options of every test run."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--record`: what real Fabric answers is written to tests/golden (`make golden`)."""
    parser.addoption(
        "--record", action="store_true", help="write what real Fabric answers to tests/golden"
    )
