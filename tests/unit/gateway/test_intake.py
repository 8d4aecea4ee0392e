# SPDX-License-Identifier: Apache-2.0
"""What becomes of records: once on the ledger, an answer for each, nothing lost in between."""

import asyncio
from pathlib import Path
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
from pedchain_gateway.index import Index
from pedchain_gateway.intake import OverloadedError
from pedchain_gateway.ledger import Mismatch, Refused, Unavailable
from pedchain_gateway.services import Services, assemble
from pedchain_gateway.verdict import Status, Verdict

D = "DistrictA"
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@pytest.fixture
def make(request: pytest.FixtureRequest) -> Any:
    """`record` of this folder's conftest."""
    return request.getfixturevalue("record_of")


def statuses(verdicts: list[Verdict]) -> list[str]:
    return [str(verdict.status) for verdict in verdicts]


def submissions(ledger: Any) -> int:
    return sum(call[1] == "SubmitReadings" for call in ledger.calls)


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


def type_of(ledger: Any, name: str) -> Any:
    """A fault class of the conftest, which is no importable module."""
    return vars(__import__("sys").modules[type(ledger).__module__])[name]


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


@pytest.mark.fault(29)
async def test_without_a_ledger_nothing_happened_and_the_caller_may_come_again(
    services: Services, ledger: Any, make: Any
) -> None:
    ledger.unavailable = Unavailable("no orderers")
    (verdict,) = await services.intake.take(D, [make(1)])
    assert verdict == Verdict(Status.RETRY, "ledger-unavailable")
    ledger.unavailable = None
    assert statuses(await services.intake.take(D, [make(1)])) == ["recorded"]


async def test_a_refusal_that_is_not_about_the_records_is_passed_on(
    services: Services, ledger: Any, make: Any
) -> None:
    ledger.faults.append(type_of(ledger, "Endorsing")(Refused("not-permitted")))
    verdicts = await services.intake.take(D, [make(1)])
    assert verdicts == [Verdict(Status.RETRY, "not-permitted")]
    assert submissions(ledger) == 1


async def test_a_definition_upgraded_meanwhile_is_tried_again(
    services: Services, ledger: Any, make: Any
) -> None:
    ledger.faults.append(type_of(ledger, "Ordered")("ENDORSEMENT_POLICY_FAILURE"))
    (verdict,) = await services.intake.take(D, [make(1)])
    assert verdict.status is Status.RECORDED


async def test_another_invalid_code_is_passed_on(
    services: Services, ledger: Any, make: Any
) -> None:
    ledger.faults.append(type_of(ledger, "Ordered")("BAD_RWSET"))
    verdicts = await services.intake.take(D, [make(1)])
    assert verdicts == [Verdict(Status.RETRY, "bad-rwset")]


@pytest.mark.fault(32)
@pytest.mark.parametrize("committed", [True, False])
async def test_an_unknown_outcome_is_never_called_failed_and_the_retry_counts_once(
    services: Services,
    ledger: Any,
    make: Any,
    committed: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ledger.faults.append(type_of(ledger, "Lost")(committed))
    (unknown,) = await services.intake.take(D, [make(1)])
    assert (unknown.status, unknown.reason) == (Status.UNKNOWN, "outcome-unknown")
    (again,) = await services.intake.take(D, [make(1)])
    if committed:
        assert again == Verdict(Status.DUPLICATE, "recorded", unknown.transaction)
    else:
        assert again == unknown
        monkeypatch.setattr(limits, "UNKNOWN_RESUBMIT_S", 0.0)
        assert statuses(await services.intake.take(D, [make(1)])) == ["recorded"]
    assert ledger.records == [make(1)]


async def test_how_long_an_unseen_transaction_is_waited_for_can_be_set(
    config: Config, ledger: Any, make: Any, tmp_path: Path
) -> None:
    index = Index(tmp_path / "patience.sqlite")
    patient = config.model_copy(update={"resubmit_after_s": 60.0})
    hasty = config.model_copy(update={"resubmit_after_s": 1e-9})
    ledger.faults.append(type_of(ledger, "Lost")(False))
    for waits, expected in ((patient, "unknown"), (patient, "unknown"), (hasty, "recorded")):
        services = assemble(waits, ledger, index)
        assert statuses(await services.intake.take(D, [make(1)])) == [expected]
    index.close()


@pytest.mark.fault(32)
async def test_a_gateway_that_ended_after_sending_asks_when_it_is_back(
    config: Config, ledger: Any, make: Any, tmp_path: Path
) -> None:
    """The old process noted the transaction; the new one finds its answer on the ledger."""
    index = Index(tmp_path / "killed.sqlite")
    ledger.faults.append(type_of(ledger, "Lost")(True))
    ledger.verdicts["bad"] = Reason.BAD_SIGNATURE
    before = assemble(config, ledger, index)
    ledger.gate = asyncio.Event()
    first = asyncio.create_task(before.intake.take(D, [make(7)]))
    await ledger.under_way()
    second = asyncio.create_task(before.intake.take(D, [make(1), make(1, device="bad")]))
    ledger.gate.set()
    await asyncio.gather(first, second)
    index.close()

    index = Index(tmp_path / "killed.sqlite")
    after = assemble(config, ledger, index)
    assert len(index.open_transactions()) == 1
    assert list((await after.reconciler.settle_open()).values()) == [True]
    assert index.open_transactions() == []
    verdicts = await after.intake.take(D, [make(7), make(1), make(1, device="bad")])
    assert statuses(verdicts) == ["duplicate", "duplicate", "rejected"]
    assert len(ledger.records) == 3
    index.close()


async def test_an_open_outcome_without_a_ledger_is_retried(
    services: Services, ledger: Any, make: Any
) -> None:
    ledger.faults.append(type_of(ledger, "Lost")(True))
    await services.intake.take(D, [make(1)])
    ledger.unavailable = Unavailable("gone")
    (verdict,) = await services.intake.take(D, [make(1)])
    assert (verdict.status, verdict.reason) == (Status.RETRY, "ledger-unavailable")


@pytest.mark.fault(34)
async def test_an_index_that_cannot_be_written_sends_nothing(
    services: Services, ledger: Any, index: Index, make: Any
) -> None:
    index._db.execute("PRAGMA query_only = ON")
    (verdict,) = await services.intake.take(D, [make(1)])
    assert verdict.status is Status.RETRY
    assert ledger.records == []
    index._db.execute("PRAGMA query_only = OFF")
    assert statuses(await services.intake.take(D, [make(1)])) == ["recorded"]


async def test_a_status_byte_nobody_knows_is_not_guessed(
    services: Services, ledger: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = ledger._order
    monkeypatch.setattr(
        ledger, "_order", lambda fault, tx, records, _: real(fault, tx, records, b"\xff")
    )
    (verdict,) = await services.intake.take(D, [make(1)])
    assert (verdict.status, verdict.reason) == (Status.UNKNOWN, "unreadable-status")
    (again,) = await services.intake.take(D, [make(1)])
    assert again.status is Status.UNKNOWN
    assert submissions(ledger) == 1
