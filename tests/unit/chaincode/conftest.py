# SPDX-License-Identifier: Apache-2.0
"""What several modules begin from: it is made once, and each test gets it as it was."""

import pytest

from tests.unit.chaincode.flexing import Flexible, Prepared, prepared, renewed


@pytest.fixture(scope="session")
async def consented() -> Prepared:
    return await prepared()


@pytest.fixture
async def street(consented: Prepared) -> Flexible:
    """Homes that consented, on the morning of an order."""
    return renewed(consented)
