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


async def test_a_record_is_found_however_many_periods_ago(ledger: Ledger) -> None:
    """The old way looked through the newest 32 trails."""
    home = Home("home-9", "P0")
    await ledger.register(home)
    await ledger.file(home.grid.record([(START, "I", 1)]))
    await ledger.fold(await ledger.seal())
    first = (await ledger.ask("GetFence"))["period"] - 1
    for n in range(1, 36):
        await ledger.file(home.grid.record([(START + n * 60, "I", 1 + n)]))
        await ledger.fold(await ledger.seal())
    found = await ledger.ask("GetRecord", "home-9.grid", "1")
    assert [(one["period"], one["context"]) for one in found["verdicts"]] == [(first, "F")]
