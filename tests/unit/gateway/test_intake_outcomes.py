# SPDX-License-Identifier: Apache-2.0
"""A ledger that is gone, refuses or never answers: what may have counted is never called failed."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pedchain_domain.reasons import Reason
from pedchain_gateway import limits
from pedchain_gateway.config import Config
from pedchain_gateway.intake.index import Index
from pedchain_gateway.intake.verdict import Status, Verdict
from pedchain_gateway.ledger.port import Refused, Unavailable
from pedchain_gateway.service.services import Services, assemble
from tests.unit.gateway.answers import D, statuses, submissions, type_of


@pytest.fixture
def make(record_of: Any) -> Any:
    return record_of


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
