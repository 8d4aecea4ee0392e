# SPDX-License-Identifier: Apache-2.0
"""FoldShard: what counts, once, whatever the order of arrival."""

import pytest

from tests.unit.chaincode.district import START, Home, Ledger


@pytest.fixture
async def ledger() -> Ledger:
    ledger = Ledger()
    await ledger.adopt()
    return ledger


async def test_a_folded_record_is_found_with_its_verdict(ledger: Ledger) -> None:
    home = Home("home-1")
    await ledger.register(home)
    await ledger.file(home.grid.record([(START, "I", 1_000), (START, "E", 0)]))
    period = await ledger.seal()
    assert await ledger.fold(period) == 1
    found = await ledger.ask("GetRecord", "home-1.grid", "1")
    assert [verdict["status"] for verdict in found["verdicts"]] == ["recorded"]
