# SPDX-License-Identifier: Apache-2.0
"""CloseDay: the certificate that domain alone would give, in any order, in any steps, once."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pedchain_domain import (
    balance,
    certificate,
    dayclose,
    fold,
    ocmf,
    publication,
    readings,
    verdict,
)
from pedchain_domain import roster as rosters
from pedchain_domain import window as windows
from pedchain_domain.documents import parameters
from pedchain_fabric.shim.testing import CommitRefused, TransactionFailed
from tests.unit.chaincode.closing import HOUR, certified, hourly, opened
from tests.unit.chaincode.district import (
    DAY,
    METERING,
    OPERATOR,
    START,
    Home,
    Ledger,
    calendar,
    day_name,
    district,
    factors,
)


def by_domain_alone(homes: list[Home], records: list[bytes]) -> Any:
    """The certificate of day 0 by domain's functions over all records at once."""
    roster = rosters.empty(0)
    for home in homes:
        for document in home.documents():
            roster = rosters.add(roster, document)
    rows = []
    for received in records:
        record = ocmf.parse(received)
        device = roster["devices"][record.device]
        row = readings.judge(received, record, device, "pedchain", "ped").row
        assert row is not None
        rows.append(row)
    days: Any = calendar()["rows"]
    rules = district()
    head = fold.empty_head(0)
    folded = fold.fold(sorted(rows, key=lambda r: r[:4]), head, days, period=1, shard=0, grain=HOUR)
    closed = dayclose.close_shard(days[0], folded.folds[day_name(0)], roster, rules, factors())
    totals = balance.day_totals(dayclose.add(None, closed.partial), days[0], rules, factors())
    totals = publication.marked(publication.with_exported(totals, None), parameters(rules))
    window = windows.advance(windows.empty(365), totals)
    return certificate.build(rules, days[0], "P", totals, window, "")


async def test_a_full_day_is_certified() -> None:
    homes = [Home(f"home-{n}") for n in range(3)]
    ledger = await opened(*homes)
    found = await certified(ledger, *(r for home in homes for r in hourly(home)))
    assert found["electricity"]["import_wh"] == 3 * 24 * 300
    assert found["electricity"]["consumption_wh"] == 3 * 24 * 700
    assert found["classes"] == {"G": 0, "M": 3 * 3 * 24, "S": 0, "X": 0}
    assert found["verdict"]["verdict"] == "insufficient_history"


HOMES = [Home("home-1"), Home("home-2", "P0")]
RECORDS = [record for home in HOMES for record in hourly(home)]
TWIN = HOMES[0].grid.record([(START + 5 * HOUR, "I", 1_501)], 6)  # contradicts hour 5
UNSYNCHRONISED = HOMES[0].grid.record([(START + 6 * HOUR, "I", 1)], 900, state="U")
FILED = [*RECORDS, TWIN, UNSYNCHRONISED, RECORDS[3], RECORDS[30]]


@pytest.mark.fault(3)
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(
    order=st.permutations(range(len(FILED))), cuts=st.sets(st.integers(1, len(FILED)), max_size=4)
)
async def test_the_certificate_is_domains_own_in_any_order_of_arrival(
    order: list[int], cuts: set[int]
) -> None:
    ledger = await opened(*HOMES)
    bounds = [0, *sorted(cuts), len(FILED)]
    for start, end in pairwise(bounds):
        if start < end:
            await ledger.file(*(FILED[at] for at in order[start:end]))
    found = await certified(ledger)
    assert {**found, "batches": ""} == by_domain_alone(HOMES, FILED)


async def worst_case(*withheld: int) -> int:
    """The surplus the verdict would rest on, if these records never came."""
    ledger = await opened(*HOMES)
    await certified(ledger, *(r for at, r in enumerate(RECORDS) if at not in withheld))
    surplus: int = verdict.worst_balances(await ledger.ask("GetWindow"))["electric_wh"]
    return surplus


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(withheld=st.sets(st.integers(0, len(RECORDS) - 1), min_size=1, max_size=30))
async def test_withholding_records_never_makes_the_balance_look_better(withheld: set[int]) -> None:
    assert await worst_case(*withheld) <= await worst_case()


async def test_the_steps_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same district in one step and in as many as possible: the same certificate."""
    from pedchain_chaincode import limits

    homes = [Home(f"home-{n}") for n in range(5)]
    found = []
    for small in (False, True):
        if small:
            for name in ("GATHER_COST", "FOLD_COST", "DIRECT_COST", "CLOSE_VALUES"):
                monkeypatch.setattr(limits, name, 1)
        monkeypatch.setattr(limits, "CELL_SITES", 2)
        ledger = await opened(*homes)
        for home in homes:
            await ledger.file(*hourly(home))
        steps = await ledger.fold(await ledger.seal())
        steps += await ledger.close(day_name(0))
        found.append((steps, await ledger.ask("GetCertificate", day_name(0))))
    assert found[0][0] == 2
    assert found[1][0] > 10
    assert found[0][1] == found[1][1]


async def test_shards_are_folded_apart_and_certified_together() -> None:
    homes = [Home(f"home-{n}", "P0") for n in range(26)]
    ledger = await opened(*homes, shards=2)
    for start in range(0, 26, 6):
        await ledger.file(*(r for h in homes[start : start + 6] for r in hourly(h)))
    await ledger.fold(await ledger.seal())
    await ledger.close(day_name(0))
    found = await ledger.ask("GetCertificate", day_name(0))
    assert found["electricity"]["import_wh"] == 26 * 24 * 300
    assert {(await ledger.ask("GetDevice", h.grid.name))["shard"] for h in homes} == {0, 1}


async def test_done_stays_done() -> None:
    home = Home("home-1", "P0")
    ledger = await opened(home)
    await certified(ledger, *hourly(home))
    state = ledger.peer.state(METERING)
    private = ledger.peer.private(METERING, "readings")
    assert await ledger.submit("FoldShard", "1", "0") == b"done"
    assert await ledger.submit("CloseDay", day_name(0), "P") == b"done"
    await ledger.submit("SealPeriod", "1")
    assert ledger.peer.state(METERING) == state
    assert ledger.peer.private(METERING, "readings") == private


async def refused(ledger: Ledger, reason: str, *call: str) -> None:
    with pytest.raises(TransactionFailed) as caught:
        await ledger.submit(*call)
    assert caught.value.status == 400
    assert caught.value.message.split(":")[0] == reason


async def test_a_close_waits_for_its_folds_its_day_and_its_run() -> None:
    home = Home("home-1", "P0")
    ledger = await opened(home)
    await refused(ledger, "no-readings", "CloseDay", day_name(0), "P")
    await ledger.file(*hourly(home))
    await ledger.seal()
    await refused(ledger, "not-folded", "CloseDay", day_name(0), "P")
    await refused(ledger, "period-not-sealed", "FoldShard", "2", "0")
    await refused(ledger, "unknown-shard", "FoldShard", "1", "1")
    await ledger.fold(1)
    await refused(ledger, "unknown-run", "CloseDay", day_name(0), "Q")
    await refused(ledger, "unknown-day", "CloseDay", "2031-01-01", "P")
    await refused(ledger, "run-missing", "CloseDay", day_name(0), "F")
    await refused(ledger, "malformed-id", "CloseDay", "a b", "P")
    ledger.peer.now = START + DAY - 1
    await refused(ledger, "too-early", "CloseDay", day_name(0), "P")
    ledger.peer.now = START + DAY
    await ledger.close(day_name(0))
    ledger.peer.now = START + 10 * DAY - 1
    await refused(ledger, "too-early", "CloseDay", day_name(0), "F")
    await refused(ledger, "previous-day-open", "CloseDay", day_name(2), "P")
    await refused(ledger, "run-missing", "CloseDay", day_name(1), "F")


async def test_periods_are_folded_in_order() -> None:
    ledger = await opened(Home("home-1"))
    await ledger.seal()
    await ledger.seal()
    await refused(ledger, "previous-period-open", "FoldShard", "2", "0")
    await refused(ledger, "period-not-open", "SealPeriod", "9")


async def test_a_period_without_readings_folds_to_nothing() -> None:
    ledger = await opened(Home("home-1"))
    assert await ledger.fold(await ledger.seal()) == 1
    assert ledger.peer.private(METERING, "readings") == {}


async def test_a_period_sealed_between_steps_starts_the_close_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from pedchain_chaincode import limits

    monkeypatch.setattr(limits, "CELL_SITES", 1)
    monkeypatch.setattr(limits, "CLOSE_VALUES", 1)
    homes = [Home(f"home-{n}", "P0") for n in range(3)]
    ledger = await opened(*homes)
    records = [record for home in homes for record in hourly(home)]
    await ledger.file(*records[1:])
    await ledger.fold(await ledger.seal())
    assert await ledger.submit("CloseDay", day_name(0), "P") == b"more"
    await ledger.file(records[0])
    await ledger.fold(await ledger.seal())
    await ledger.close(day_name(0))
    found = await ledger.ask("GetCertificate", day_name(0))
    assert found["classes"]["X"] == 0
    assert found["electricity"]["import_wh"] == 3 * 24 * 300


async def test_two_closers_at_once_cannot_both_write() -> None:
    home = Home("home-1", "P0")
    ledger = await opened(home)
    await ledger.file(*hourly(home))
    await ledger.fold(await ledger.seal())
    held = await ledger.peer.endorse(METERING, "CloseDay", day_name(0), "P", creator=OPERATOR)
    await ledger.close(day_name(0))
    with pytest.raises(CommitRefused, match="MVCC_READ_CONFLICT"):
        ledger.peer.commit(held)
