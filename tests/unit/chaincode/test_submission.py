# SPDX-License-Identifier: Apache-2.0
"""SubmitReadings: what it answers per record, what it keeps, what it reads."""

import pytest

from pedchain_domain.reasons import Reason, status_of
from tests.unit.chaincode.district import START, Home, Ledger


@pytest.fixture
async def ledger() -> Ledger:
    ledger = Ledger()
    await ledger.adopt()
    return ledger


async def test_a_signed_record_is_recorded(ledger: Ledger) -> None:
    home = Home("home-1")
    await ledger.register(home)
    record = home.grid.record([(START, "I", 1_000), (START, "E", 0)])
    assert await ledger.file(record) == [status_of(Reason.RECORDED)]
