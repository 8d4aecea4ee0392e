# SPDX-License-Identifier: Apache-2.0
"""Batches: their size, how many are under way, who waits, what is sent again, who stands alone."""

import asyncio
from typing import Any

import pytest

from pedchain_gateway import limits
from pedchain_gateway.intake.intake import OverloadedError
from pedchain_gateway.intake.verdict import Status, Verdict
from pedchain_gateway.ledger.port import Mismatch, Refused
from pedchain_gateway.service.services import Services
from tests.unit.gateway.answers import D, statuses, submissions, type_of


@pytest.fixture
def make(record_of: Any) -> Any:
    return record_of


async def test_a_flood_fills_batches_with_three_under_way(
    services: Services, ledger: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "BATCH_RECORDS_MAX", 10)
    ledger.gate = asyncio.Event()
    records = [make(1, device=f"meter-{n}") for n in range(60)]
    task = asyncio.create_task(services.intake.take(D, records))
    await ledger.under_way(limits.BATCHES_IN_FLIGHT_MAX)
    ledger.gate.set()
    assert set(statuses(await task)) == {"recorded"}
    assert ledger.most_running == limits.BATCHES_IN_FLIGHT_MAX
    sizes = [len(filed) for filed in ledger.filed]
    assert max(sizes) == 10
    assert sum(sizes) == 60
    assert len(sizes) <= 8


async def test_a_batch_stays_within_its_bytes(
    services: Services, ledger: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = len(make(1))
    monkeypatch.setattr(limits, "BATCH_BYTES_MAX", 3 * size)
    records = [make(1, device=f"meter-{n}") for n in range(8)]
    await services.intake.take(D, records)
    assert max(len(filed) for filed in ledger.filed) <= 3
    assert len(ledger.records) == 8


async def test_before_anything_is_dropped_the_caller_is_asked_to_wait(
    services: Services, ledger: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "RECORDS_WAITING_MAX", 3)
    ledger.gate = asyncio.Event()
    inside = asyncio.create_task(services.intake.take(D, [make(1), make(2)]))
    await ledger.under_way()
    with pytest.raises(OverloadedError):
        await services.intake.take(D, [make(3), make(4)])
    ledger.gate.set()
    assert statuses(await inside) == ["recorded", "recorded"]
    assert statuses(await services.intake.take(D, [make(3), make(4)])) == ["recorded"] * 2


async def test_a_sealed_period_means_filing_under_the_next(
    services: Services, ledger: Any, make: Any
) -> None:
    await services.intake.take(D, [make(1)])
    ledger.period = 2
    (verdict,) = await services.intake.take(D, [make(2)])
    assert verdict.status is Status.RECORDED
    assert ledger.calls[-1][1:] == ("SubmitReadings", "2")


async def test_a_batch_overtaken_by_the_seal_is_submitted_again(
    services: Services, ledger: Any, make: Any
) -> None:
    ledger.faults.append(type_of(ledger, "Ordered")("MVCC_READ_CONFLICT"))
    (verdict,) = await services.intake.take(D, [make(1)])
    assert verdict.status is Status.RECORDED
    assert ledger.records == [make(1)]
    assert submissions(ledger) == 2


async def test_one_mismatch_is_retried(services: Services, ledger: Any, make: Any) -> None:
    ledger.faults.append(type_of(ledger, "Endorsing")(Mismatch("lag")))
    (verdict,) = await services.intake.take(D, [make(1)])
    assert verdict.status is Status.RECORDED


@pytest.mark.parametrize(
    ("kind", "reason"), [("disagree", "endorsers-disagree"), ("crash", "contract-fault")]
)
async def test_a_poison_record_is_found_and_stands_alone(
    services: Services,
    ledger: Any,
    make: Any,
    kind: str,
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "MISMATCH_PAUSE_S", 0.0)
    getattr(ledger, kind).add("poison")
    records = [make(1, device=f"meter-{n}") for n in range(15)] + [make(1, device="poison")]
    ledger.gate = asyncio.Event()
    task = asyncio.create_task(services.intake.take(D, records))
    await ledger.under_way()
    ledger.gate.set()
    verdicts = await task
    assert verdicts[-1] == Verdict(Status.REJECTED, reason)
    assert set(statuses(verdicts[:-1])) == {"recorded"}
    assert sorted(ledger.records) == sorted(records[:-1])


async def test_a_batch_that_cannot_be_carried_at_all_costs_a_bounded_number_of_tries(
    services: Services, ledger: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MISMATCH_PAUSE_S", 0.0)
    ledger.faults.extend(type_of(ledger, "Endorsing")(Refused("period-sealed")) for _ in range(500))
    (verdict,) = await services.intake.take(D, [make(1)])
    assert verdict == Verdict(Status.RETRY, "ledger-contention")
    assert submissions(ledger) <= limits.SUBMISSIONS_PER_BATCH_MAX


async def test_a_definition_upgraded_meanwhile_is_tried_again(
    services: Services, ledger: Any, make: Any
) -> None:
    ledger.faults.append(type_of(ledger, "Ordered")("ENDORSEMENT_POLICY_FAILURE"))
    (verdict,) = await services.intake.take(D, [make(1)])
    assert verdict.status is Status.RECORDED
