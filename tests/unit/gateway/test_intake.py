# SPDX-License-Identifier: Apache-2.0
"""What becomes of records: once on the ledger, an answer for each, nothing lost in between."""

import asyncio
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from pedchain_domain import ocmf
from pedchain_domain.reasons import Reason
from pedchain_gateway import limits
from pedchain_gateway.config import Config
from pedchain_gateway.intake.index import Index
from pedchain_gateway.intake.verdict import Status, Verdict
from pedchain_gateway.service.services import Services, assemble
from tests.unit.gateway.answers import D, statuses, submissions

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@pytest.fixture
def make(record_of: Any) -> Any:
    return record_of


async def test_a_record_is_recorded_with_its_transaction(
    services: Services, ledger: Any, make: Any
) -> None:
    (verdict,) = await services.intake.take(D, [make(1)])
    assert verdict.status is Status.RECORDED
    assert verdict.transaction in ledger.outcomes
    assert ledger.records == [make(1)]


@pytest.mark.fault(1)
async def test_an_exact_replay_has_the_same_receipt_and_no_new_transaction(
    services: Services, ledger: Any, make: Any
) -> None:
    (first,) = await services.intake.take(D, [make(1)])
    (again,) = await services.intake.take(D, [make(1)])
    assert again == Verdict(Status.DUPLICATE, "recorded", first.transaction)
    assert submissions(ledger) == 1


@pytest.mark.fault(2)
async def test_another_payload_at_a_used_counter_is_a_conflict_and_kept_once_as_evidence(
    services: Services, ledger: Any, make: Any
) -> None:
    await services.intake.take(D, [make(1, wh=1_000)])
    other = make(1, wh=9_000)
    (conflict,) = await services.intake.take(D, [other])
    (again,) = await services.intake.take(D, [other])
    assert (conflict.status, conflict.reason) == (Status.CONFLICT, "conflict")
    assert again == conflict
    assert ledger.records == [make(1, wh=1_000), other]
    (original,) = await services.intake.take(D, [make(1, wh=1_000)])
    assert original.status is Status.DUPLICATE


@pytest.mark.fault(5)
async def test_a_second_signature_of_the_same_payload_is_a_replay(
    services: Services, ledger: Any, make: Any
) -> None:
    (first,) = await services.intake.take(D, [make(1)])
    parsed = ocmf.parse(make(1))
    r, s = decode_dss_signature(parsed.signature)
    twin = encode_dss_signature(r, ORDER - s)
    malleated = make(1).replace(parsed.signature.hex().encode(), twin.hex().encode())
    assert malleated != make(1)
    (again,) = await services.intake.take(D, [malleated])
    assert again == Verdict(Status.DUPLICATE, "recorded", first.transaction)
    assert submissions(ledger) == 1


async def test_a_forged_record_does_not_occupy_the_counter(
    services: Services, ledger: Any, make: Any
) -> None:
    """Whoever makes up a signature must not be able to stop the device."""
    ledger.verdicts["meter-1"] = Reason.BAD_SIGNATURE
    (forged,) = await services.intake.take(D, [make(1, wh=9_000)])
    assert (forged.status, forged.reason) == (Status.REJECTED, "bad-signature")
    ledger.verdicts.clear()
    (genuine,) = await services.intake.take(D, [make(1, wh=1_000)])
    assert genuine.status is Status.RECORDED


async def test_a_forged_signature_of_the_true_payload_does_not_stop_it(
    services: Services, ledger: Any, make: Any
) -> None:
    true = make(1)
    parsed = ocmf.parse(true)
    wrong = encode_dss_signature(1, 1)
    forged = true.replace(parsed.signature.hex().encode(), wrong.hex().encode())
    ledger.verdicts["meter-1"] = Reason.BAD_SIGNATURE
    await services.intake.take(D, [forged])
    ledger.verdicts.clear()
    (genuine,) = await services.intake.take(D, [true])
    assert genuine.status is Status.RECORDED


async def test_a_forged_conflict_is_a_rejection(services: Services, ledger: Any, make: Any) -> None:
    await services.intake.take(D, [make(1)])
    ledger.verdicts["meter-1"] = Reason.BAD_SIGNATURE
    (verdict,) = await services.intake.take(D, [make(1, wh=9_000)])
    assert (verdict.status, verdict.reason) == (Status.REJECTED, "bad-signature")


async def test_a_rejection_is_remembered_for_a_while_only(
    config: Config, ledger: Any, index: Index, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device registered meanwhile is let in; a flood of the same bad record costs nothing."""
    services = assemble(config, ledger, index)
    ledger.verdicts["meter-1"] = Reason.UNKNOWN_DEVICE
    await services.intake.take(D, [make(1)])
    await services.intake.take(D, [make(1)])
    assert submissions(ledger) == 1
    ledger.verdicts.clear()
    monkeypatch.setattr(limits, "REJECTION_REMEMBERED_S", 0.0)
    (verdict,) = await services.intake.take(D, [make(1)])
    assert verdict.status is Status.RECORDED


async def test_each_fault_has_its_reason_and_nothing_else_of_the_batch_is_lost(
    services: Services, ledger: Any, make: Any
) -> None:
    ledger.verdicts = {"bad": Reason.BAD_SIGNATURE, "odd": Reason.NOT_CERTIFIABLE}
    records = [make(1), b"nonsense", make(1, device="bad"), make(1, device="odd"), make(2)]
    verdicts = await services.intake.take(D, records)
    assert [(str(one.status), one.reason) for one in verdicts] == [
        ("recorded", "recorded"),
        ("rejected", "malformed-record"),
        ("rejected", "bad-signature"),
        ("recorded", "recorded-not-certifiable"),
        ("recorded", "recorded"),
    ]
    assert b"nonsense" not in ledger.records


async def test_the_same_record_twice_in_one_request_goes_once(
    services: Services, ledger: Any, make: Any
) -> None:
    verdicts = await services.intake.take(D, [make(1), make(1), make(1, wh=5)])
    assert sorted(statuses(verdicts)) == ["conflict", "duplicate", "recorded"]
    assert ledger.records[0] == make(1)
    assert len(ledger.records) == 2


async def test_a_caller_that_leaves_does_not_take_its_records_along(
    services: Services, ledger: Any, make: Any
) -> None:
    ledger.gate = asyncio.Event()
    task = asyncio.create_task(services.intake.take(D, [make(1)]))
    await ledger.under_way()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    retry = asyncio.create_task(services.intake.take(D, [make(1)]))
    await asyncio.sleep(0)
    ledger.gate.set()
    assert statuses(await retry) == ["duplicate"]
    assert submissions(ledger) == 1
