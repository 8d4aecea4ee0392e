# SPDX-License-Identifier: Apache-2.0
"""One batch of records onto the ledger, and an answer for each of them.

What the ledger says decides what follows:
- refused as filed under a sealed period, or a read conflict: ask for the period, submit again;
- endorsers differ: submit again (usually one lags); twice: halve the batch until the record on
  which they differ stands alone, and put that one into quarantine, so that it holds up nobody;
- a contract that fails on the contents: halve likewise;
- no answer, or a refusal that is not about the records: nothing happened, the caller may retry;
- sent and not heard of again: unknown, with the transaction's id. Never "failed".
"""

import asyncio
import secrets
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pedchain_domain import batch
from pedchain_gateway import limits
from pedchain_gateway.intake.cells import Cells
from pedchain_gateway.intake.failpoint import Failpoint, reach
from pedchain_gateway.intake.fence import SEALED, Fence
from pedchain_gateway.intake.form import Form
from pedchain_gateway.intake.index import Index
from pedchain_gateway.intake.verdict import Status, Verdict, from_result
from pedchain_gateway.ledger.port import (
    CONTRACT_FAULT,
    REPEATABLE,
    Committed,
    Invalid,
    Ledger,
    LedgerError,
    Mismatch,
    Refused,
    Unavailable,
    Unknown,
)
from pedchain_gateway.service.metrics import Metrics

DISAGREEMENT = "endorsers-disagree"
BUSY = "ledger-contention"
UNAVAILABLE = "ledger-unavailable"
_ABOUT_CONTENTS = frozenset({CONTRACT_FAULT, "malformed-batch", "too-large"})


class _Poisoned(Exception):  # noqa: N818 - never leaves this module
    """Something in the batch cannot be carried; `reason` says how that showed."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


@dataclass(slots=True)
class _Budget:
    """How many submissions a batch may still cost, and how often its endorsers differed."""

    left: int = limits.SUBMISSIONS_PER_BATCH_MAX

    def take(self) -> bool:
        self.left -= 1
        return self.left >= 0


class Submitter:
    """Puts batches onto one channel. `definitions` names each district's definition."""

    def __init__(
        self,
        ledger: Ledger,
        index: Index,
        fence: Fence,
        definitions: Mapping[str, str],
        metrics: Metrics,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._ledger = ledger
        self._index = index
        self._fence = fence
        self._cells = Cells(ledger, definitions)
        self._definitions = definitions
        self._metrics = metrics
        self._clock = clock

    async def submit(self, district: str, forms: Sequence[Form]) -> list[Verdict]:
        """Verdicts in the order of the forms. Never raises for what the ledger does."""
        self._metrics.batch_records.observe(len(forms))
        with self._metrics.submit_seconds.time():
            return await self._whole_or_halved(district, forms, _Budget())

    async def _whole_or_halved(
        self, district: str, forms: Sequence[Form], budget: _Budget
    ) -> list[Verdict]:
        try:
            return await self._filed(district, forms, budget)
        except _Poisoned as poison:
            if len(forms) > 1:
                middle = len(forms) // 2
                first = await self._whole_or_halved(district, forms[:middle], budget)
                return first + await self._whole_or_halved(district, forms[middle:], budget)
            self._index.quarantine(forms[0], poison.reason, self._clock())
            self._metrics.quarantined.inc()
            return [Verdict(Status.REJECTED, poison.reason)]

    async def _filed(self, district: str, forms: Sequence[Form], budget: _Budget) -> list[Verdict]:
        """Submit as often as it takes for a verdict. Raises `_Poisoned`."""
        mismatches = 0
        most = limits.MISMATCHES_PER_BATCH if len(forms) > 1 else limits.MISMATCHES_ALONE
        while budget.take():
            try:
                return await self._once(district, forms)
            except Mismatch as error:
                self._metrics.batches.labels("mismatch").inc()
                mismatches += 1
                if mismatches == most:
                    raise _Poisoned(DISAGREEMENT) from error
                await asyncio.sleep(limits.MISMATCH_PAUSE_S * 2 ** (mismatches - 1))
            except Unknown as error:
                self._metrics.batches.labels("unknown").inc()
                return [Verdict(Status.UNKNOWN, "outcome-unknown", error.transaction)] * len(forms)
            except LedgerError as error:
                reason = _retry_reason(error)
                if reason is not None:
                    self._metrics.batches.labels("refused").inc()
                    return [Verdict(Status.RETRY, reason)] * len(forms)
                self._metrics.batches.labels("again").inc()
        return [Verdict(Status.RETRY, BUSY)] * len(forms)

    async def _once(self, district: str, forms: Sequence[Form]) -> list[Verdict]:
        period = await self._fence.period(district)
        told = await self._cells.told(district, [form.key.device for form in forms])
        sent: list[str] = []

        def announce(transaction: str) -> None:
            reach(Failpoint.ENDORSED)
            try:
                self._index.pend(transaction, forms, self._clock())
            except sqlite3.OperationalError as error:
                # A disk that takes nothing: without the note, nothing is sent.
                raise Unavailable("the index cannot be written") from error
            sent.append(transaction)
            reach(Failpoint.NOTED)

        try:
            committed = await self._ledger.submit(
                self._definitions[district],
                "SubmitReadings",
                str(period),
                transient={
                    **told,
                    "records": batch.encode([form.record for form in forms]),
                    "salt": secrets.token_bytes(limits.SALT_BYTES),
                },
                announce=announce,
            )
        except LedgerError as error:
            if not isinstance(error, Unknown):
                for transaction in sent:
                    self._index.drop(transaction)
            self._fence.forget(district, period)
            raise
        reach(Failpoint.COMMITTED)
        verdicts = record_result(self._index, committed, self._clock())
        reach(Failpoint.SETTLED)
        self._metrics.batches.labels("valid").inc()
        return verdicts


def _retry_reason(error: LedgerError) -> str | None:
    """Why the caller has to come again; None if submitting again at once may help.

    Raises `_Poisoned` where the batch's contents are to blame.
    """
    match error:
        case Refused(reason=reason) if reason in SEALED:
            return None
        case Refused(reason=reason) if reason in _ABOUT_CONTENTS:
            raise _Poisoned(reason) from error
        case Refused(reason=reason):
            return reason
        case Invalid(code=code) if code in REPEATABLE:
            return None
        case Invalid(code=code):
            return code.lower().replace("_", "-")
        case Unavailable():
            return UNAVAILABLE
        case _:
            raise error


def record_result(index: Index, committed: Committed, now: float) -> list[Verdict]:
    """Settle the index by a committed transaction; verdicts in the order of its records."""
    transaction, judged = committed.transaction, {}
    conflicting = index.conflicting(transaction)
    for position in index.of_transaction(transaction):
        verdict = from_result(committed.result, position, transaction)
        if verdict.status is Status.RECORDED and position in conflicting:
            verdict = Verdict(Status.CONFLICT, "conflict", transaction)
        judged[position] = verdict
    final = [one for one in judged.items() if one[1].status is not Status.UNKNOWN]
    index.settle(transaction, final, now)
    return list(judged.values())
