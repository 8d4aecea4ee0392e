# SPDX-License-Identifier: Apache-2.0
"""CloseDay: from shuffled, late, repeated records to the certificate."""

import pytest

from tests.unit.chaincode.district import START, Home, Ledger, day_name


@pytest.fixture
async def ledger() -> Ledger:
    ledger = Ledger()
    await ledger.adopt()
    return ledger


def hourly(home: Home, day: int = 0, first: int = 0, last: int = 24) -> list[bytes]:
    """One record per meter and boundary: 300 Wh drawn, 100 Wh fed in, 500 Wh made an hour."""
    records = []
    for hour in range(first, last + 1):
        n = day * 24 + hour
        at = START + n * 3_600
        records.append(home.grid.record([(at, "I", 300 * n), (at, "E", 100 * n)], n + 1))
        records.append(home.roof.record([(at, "G", 500 * n)], n + 1))
    return records


async def test_a_full_day_is_certified(ledger: Ledger) -> None:
    homes = [Home(f"home-{n}") for n in range(3)]
    await ledger.register(*homes)
    for home in homes:
        await ledger.file(*hourly(home))
    await ledger.fold(await ledger.seal())
    assert await ledger.close(day_name(0)) == 1
    found = await ledger.ask("GetCertificate", day_name(0))
    assert found["electricity"]["import_wh"] == 3 * 24 * 300
    assert found["classes"] == {"G": 0, "M": 3 * 3 * 24, "S": 0, "X": 0}
