# SPDX-License-Identifier: Apache-2.0
"""A district adopted with its homes, their hourly records, and a day's way to its certificate."""

from typing import Any

from tests.unit.chaincode.district import START, Home, Ledger, day_name

HOUR = 3_600


async def opened(*homes: Home, **changes: Any) -> Ledger:
    ledger = Ledger(**changes)
    await ledger.adopt()
    await ledger.register(*homes)
    return ledger


def hourly(home: Home, day: int = 0, first: int = 0, last: int = 24) -> list[bytes]:
    """One record per meter and boundary: 300 Wh drawn, 100 Wh fed in, 500 Wh made an hour."""
    records = []
    for hour in range(first, last + 1):
        n = day * 24 + hour
        at = START + n * HOUR
        records.append(home.grid.record([(at, "I", 300 * n), (at, "E", 100 * n)], n + 1))
        if home.plan == "P1":
            records.append(home.roof.record([(at, "G", 500 * n)], n + 1))
    return records


async def certified(ledger: Ledger, *records: bytes, day: int = 0) -> Any:
    """File, seal, fold and close a day; its certificate."""
    if records:
        await ledger.file(*records)
    await ledger.fold(await ledger.seal())
    await ledger.close(day_name(day))
    return await ledger.ask("GetCertificate", day_name(day))
