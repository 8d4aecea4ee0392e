# SPDX-License-Identifier: Apache-2.0
"""What came late, never, twice or wrongly, and what later runs make of it."""

import json

import pytest

from tests.unit.chaincode.closing import HOUR, certified, hourly, opened
from tests.unit.chaincode.district import START, Home, Meter, day_name


@pytest.mark.fault(3)
async def test_late_records_close_a_gap_in_the_next_run() -> None:
    home = Home("home-1", "P0")
    ledger = await opened(home)
    records = hourly(home)
    gap = records[8:11]
    early = await certified(ledger, *records[:8], *records[11:])
    assert early["classes"]["G"] > 0
    assert early["electricity"]["import_wh"] == 24 * 300
    late = [*gap, *records[:2]]
    await ledger.file(*late)
    await ledger.fold(await ledger.seal())
    await ledger.close(day_name(0), "F")
    found = await ledger.ask("GetCertificate", day_name(0))
    assert found["run"] == "F"
    assert found["classes"]["G"] == 0
    assert found["electricity"]["import_wh"] == 24 * 300


async def test_a_gap_over_midnight_is_bridged_exactly() -> None:
    home = Home("home-1", "P0")
    ledger = await opened(home)
    first, second = hourly(home), hourly(home, 1, 1)
    await ledger.file(*first[:20], *second[5:])
    await ledger.fold(await ledger.seal())
    sums = []
    for day in (0, 1):
        await ledger.close(day_name(day))
        found = await ledger.ask("GetCertificate", day_name(day))
        assert found["classes"]["X"] == 0
        assert found["classes"]["G"] > 0
        sums.append(found["electricity"]["import_wh"])
    assert sum(sums) == 48 * 300


async def test_silence_is_missing_and_bounded() -> None:
    home = Home("home-1", "P0")
    ledger = await opened(home)
    found = await certified(ledger, *hourly(home)[:13])
    assert found["classes"]["X"] > 0
    assert (await ledger.ask("GetWindow"))["additive"]["draw"] > 0


@pytest.mark.fault(9)
async def test_a_reset_is_missing_until_an_exchange_explains_it() -> None:
    home = Home("home-1", "P0")
    fresh = Meter("home-1.grid2", home.grid.point, ("I", "E"))
    at = START + 12 * HOUR + 1_800
    ledger = await opened(home)
    await ledger.submit("Register", json.dumps([fresh.document(**{"from": at})]))
    records = hourly(home, last=12)
    for n in range(13, 25):
        values = [(START + n * HOUR, "I", 300 * (n - 12) - 150), (START + n * HOUR, "E", 0)]
        records.append(fresh.record(values))
    before = await certified(ledger, *records)
    exchange = {
        "schema": "exchange/1",
        "point": home.grid.point,
        "old": home.grid.name,
        "final": {"I": 3_750, "E": 1_200},
        "new": fresh.name,
        "initial": {"I": 0, "E": 0},
        "at": at,
    }
    await ledger.exchange(exchange)
    await ledger.close(day_name(0), "F")
    after = await ledger.ask("GetCertificate", day_name(0))
    assert before["classes"]["X"] == 2
    assert after["classes"]["X"] == 0
    assert after["electricity"]["import_wh"] == 24 * 300


@pytest.mark.fault(13)
async def test_what_a_compromised_key_signed_is_no_longer_certified() -> None:
    home = Home("home-1", "P0")
    ledger = await opened(home)
    before = await certified(ledger, *hourly(home))
    assert before["classes"]["X"] == 0
    since = START + 12 * HOUR
    revocation = {"schema": "revoke/1", "device": home.grid.name, "counter": 99}
    await ledger.submit("RevokeKey", json.dumps({**revocation, "compromised_since": since}))
    await ledger.close(day_name(0), "F")
    after = await ledger.ask("GetCertificate", day_name(0))
    assert after["classes"]["X"] > 0
    found = await ledger.ask("GetRecord", home.grid.name, "20")
    assert [verdict["status"] for verdict in found["verdicts"]] == ["recorded"]


@pytest.mark.fault(2)
async def test_a_conflict_across_periods_leaves_the_first_and_is_on_record() -> None:
    home = Home("home-1", "P0")
    ledger = await opened(home)
    before = await certified(ledger, *hourly(home))
    twin = home.grid.record([(START + 5 * HOUR, "I", 1_501)], 6)
    await ledger.file(twin)
    await ledger.fold(await ledger.seal())
    await ledger.close(day_name(0), "F")
    after = await ledger.ask("GetCertificate", day_name(0))
    assert after["electricity"] == before["electricity"]
    found = await ledger.ask("GetRecord", home.grid.name, "6")
    assert [verdict["status"] for verdict in found["verdicts"]] == ["conflict", "recorded"]


@pytest.mark.fault(1)
async def test_a_replay_in_a_later_period_changes_nothing() -> None:
    home = Home("home-1", "P0")
    ledger = await opened(home)
    before = await certified(ledger, *hourly(home))
    await ledger.file(*hourly(home))
    await ledger.fold(await ledger.seal())
    await ledger.close(day_name(0), "F")
    after = await ledger.ask("GetCertificate", day_name(0))
    for name in ("electricity", "classes", "coverage", "root"):
        assert after[name] == before[name]
