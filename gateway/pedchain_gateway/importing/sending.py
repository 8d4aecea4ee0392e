# SPDX-License-Identifier: Apache-2.0
"""Records of the store onto the ledger, batch by batch, day after day.

A batch's transaction is noted before it is sent; a run that ended in between asks first what
became of it. Every few days of readings the filing period is sealed and folded: a fold's step
holds a cell's records of one period, and a year would not fit.
"""

import asyncio
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pedchain_domain import batch
from pedchain_domain.reasons import Reason, reason_of
from pedchain_gateway import limits
from pedchain_gateway.certifying.closing import Closer
from pedchain_gateway.importing.store import RECORDED, REJECTED, Row, Store
from pedchain_gateway.importing.telling import Signer, device_of, sign
from pedchain_gateway.intake.cells import Cells
from pedchain_gateway.intake.fence import SEALED, Fence
from pedchain_gateway.ledger.port import (
    REPEATABLE,
    VALID,
    Invalid,
    Ledger,
    LedgerError,
    Mismatch,
    Refused,
    Unavailable,
    Unknown,
    definition_of,
)

READINGS_PER_PERIOD = 400
"""Instants of a point in one filing period: four days of quarter-hours."""
LANES = 4
TRIES = 8
_KEPT = (Reason.RECORDED, Reason.NOT_CERTIFIABLE, Reason.DUPLICATE)
Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Sent:
    """What a run brought onto the ledger, and what the ledger did not take."""

    records: int = 0
    readings: int = 0
    rejected: int = 0

    def __add__(self, other: "Sent") -> "Sent":
        return Sent(
            self.records + other.records,
            self.readings + other.readings,
            self.rejected + other.rejected,
        )


class Sender:
    """Brings a store's news onto one district's ledger. Raises any `LedgerError`."""

    def __init__(
        self, ledger: Ledger, district: str, store: Store, signer: Signer, report: Report
    ) -> None:
        self._ledger, self._district, self._store = ledger, district, store
        self._signer, self._report = signer, report
        self._definition = definition_of(district)
        definitions = {district: self._definition}
        self._fence, self._cells = Fence(ledger, definitions), Cells(ledger, definitions)
        self._closer = Closer(ledger, district, self._definition)

    async def send(self) -> Sent:
        """Everything that waits, in the order of days; the next day's records are signed, and a
        full period is sealed and folded, while a day's are under way."""
        self._store.again()
        await self._settle_open()
        sent = await self._flush(self._store.waiting())
        days = self._store.days_with_news()
        filed: dict[str, int] = {}
        folding: asyncio.Task[None] | None = None
        if days:
            await self._sign(days[0])
        for at in range(1, len(days) + 1):
            rows = self._store.waiting()
            for row in rows:
                filed[row.point] = filed.get(row.point, 0) + row.readings
            flushing = asyncio.create_task(self._flush(rows))
            try:
                for following in days[at : at + 1]:
                    await self._sign(following)
            finally:
                sent += await flushing
            if at == len(days) or max(filed.values(), default=0) >= READINGS_PER_PERIOD:
                if folding is not None:
                    await folding
                folding = asyncio.create_task(self._fold())
                filed = {}
            self._report(
                f"{self._district} {at} of {len(days)} days filed, {sent.readings} readings"
            )
        if folding is not None:
            await folding
        elif self._store.unfolded():  # an earlier run ended before it folded
            await self._fold()
        return sent

    async def _fold(self) -> None:
        """Seal the period of all that is recorded by now, and fold it."""
        records = self._store.unfolded()
        await self._closer.seal_and_fold()
        self._store.folded(records)

    async def _sign(self, day: int) -> None:
        left = True
        while left:
            left = sign(self._store, self._signer, day)
            await asyncio.sleep(0)  # batches under way go on meanwhile

    async def _settle_open(self) -> None:
        """What became of batches that an earlier run sent and did not hear of."""
        by_transaction: dict[str, list[Row]] = {}
        for row in self._store.waiting():
            if row.tx is not None:
                by_transaction.setdefault(row.tx, []).append(row)
        for transaction, rows in by_transaction.items():
            outcome = await self._ledger.outcome(transaction)
            if outcome is not None and outcome.code == VALID:
                self._judged(rows, outcome.result)
            else:
                self._store.pend(rows, None)

    async def _flush(self, rows: Sequence[Row]) -> Sent:
        """These records, several batches at a time."""
        batches = iter(list(cut(rows)))
        done: list[Sent] = []

        async def lane() -> None:
            for some in batches:
                one = await self._batch(some)
                done.append(one)

        running = [asyncio.create_task(lane()) for _ in range(LANES)]
        try:
            await asyncio.gather(*running)
        finally:
            for one in running:
                one.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        return sum(done, start=Sent())

    async def _batch(self, rows: Sequence[Row]) -> Sent:
        for attempt in range(TRIES):
            try:
                return await self._once(rows)
            except Unknown as error:
                raise Unavailable(
                    f"what became of transaction {error.transaction} is not known yet: run again"
                ) from error
            except LedgerError as error:
                if not _passes(error):
                    raise
            await asyncio.sleep(limits.STEP_PAUSE_S * 2**attempt)
        raise Unavailable("a batch found no way through")

    async def _once(self, rows: Sequence[Row]) -> Sent:
        period = await self._fence.period(self._district)
        told = await self._cells.told(self._district, [device_of(row.point) for row in rows])
        try:
            committed = await self._ledger.submit(
                self._definition,
                "SubmitReadings",
                str(period),
                transient={
                    **told,
                    "records": batch.encode([row.content for row in rows]),
                    "salt": secrets.token_bytes(limits.SALT_BYTES),
                },
                announce=lambda transaction: self._store.pend(rows, transaction),
            )
        except LedgerError as error:
            if not isinstance(error, Unknown):
                self._store.pend(rows, None)
            self._fence.forget(self._district, period)
            raise
        return self._judged(rows, committed.result)

    def _judged(self, rows: Sequence[Row], result: bytes) -> Sent:
        """Note the contract's status byte for each record."""
        found = []
        for row, status in zip(rows, result, strict=True):
            reason = reason_of(status)
            found.append((row, RECORDED if reason in _KEPT else REJECTED, str(reason)))
        self._store.settle(found)
        kept = [row for row, state, _ in found if state == RECORDED]
        return Sent(len(kept), sum(row.readings for row in kept), len(rows) - len(kept))


def cut(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Batches within what the contract judges in one call."""
    mine: list[Row] = []
    size = 0
    for row in rows:
        full = len(mine) == limits.BATCH_RECORDS_MAX
        if mine and (full or size + len(row.content) > limits.BATCH_BYTES_MAX):
            yield mine
            mine, size = [], 0
        mine.append(row)
        size += len(row.content)
    if mine:
        yield mine


def _passes(error: LedgerError) -> bool:
    """Whether the same batch may find its way a moment later."""
    match error:
        case Refused(reason=reason, elsewhere=elsewhere):
            return elsewhere or reason in SEALED
        case Invalid(code=code):
            return code in REPEATABLE
        case _:
            return isinstance(error, Mismatch)
