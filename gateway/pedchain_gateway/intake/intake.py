# SPDX-License-Identifier: Apache-2.0
"""Records in, verdicts out: form, memory, batch.

Records of one natural key go one after the other, so that what the index says of a key is true
when it is asked. A caller that leaves does not take its records along: they are finished and
remembered, and its retry is answered as a duplicate.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from pedchain_gateway import limits
from pedchain_gateway.intake.batcher import Batcher, BatchLostError
from pedchain_gateway.intake.decision import Ask, Submit, decide
from pedchain_gateway.intake.failpoint import Failpoint, reach
from pedchain_gateway.intake.form import Form, FormError, Key
from pedchain_gateway.intake.form import read as read_form
from pedchain_gateway.intake.index import Index
from pedchain_gateway.intake.reconcile import Reconciler
from pedchain_gateway.intake.submission import UNAVAILABLE, Submitter
from pedchain_gateway.intake.verdict import Status, Verdict
from pedchain_gateway.ledger.port import Unavailable
from pedchain_gateway.service.metrics import Metrics


class OverloadedError(Exception):
    """Too many records are inside: nothing was taken, come again."""


def read(district: str, record: bytes) -> Form | Verdict:
    """A record's form, or why it has none."""
    try:
        return read_form(district, record)
    except FormError as error:
        return Verdict(Status.REJECTED, error.reason)


class Intake:
    """Takes records for the districts this gateway serves."""

    def __init__(
        self,
        districts: Iterable[str],
        index: Index,
        submitter: Submitter,
        reconciler: Reconciler,
        metrics: Metrics,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._index = index
        self._reconciler = reconciler
        self._metrics = metrics
        self._clock = clock
        self._lanes: dict[Key, asyncio.Task[Verdict]] = {}
        self._inside = dict.fromkeys(districts, 0)
        self._batchers = {
            district: Batcher(partial(submitter.submit, district)) for district in self._inside
        }

    async def take(self, district: str, records: Sequence[bytes]) -> list[Verdict]:
        """Verdicts in the records' order. Raises `OverloadedError`: then nothing was taken."""
        return await self.judge(district, [read(district, record) for record in records])

    async def judge(self, district: str, records: Sequence[Form | Verdict]) -> list[Verdict]:
        """The same of records whose form was read."""
        if self._inside[district] + len(records) > limits.RECORDS_WAITING_MAX:
            raise OverloadedError
        reach(Failpoint.RECEIVED)
        self._count(district, len(records))
        try:
            verdicts = await asyncio.gather(*(self._one(one) for one in records))
        finally:
            self._count(district, -len(records))
        for verdict in verdicts:
            self._metrics.records.labels(verdict.status, verdict.reason).inc()
        return verdicts

    async def drain(self) -> None:
        """Finish what is inside; for the end of the process."""
        for batcher in self._batchers.values():
            await batcher.drain()

    def _count(self, district: str, change: int) -> None:
        self._inside[district] += change
        self._metrics.inside.labels(district).set(self._inside[district])

    async def _one(self, form: Form | Verdict) -> Verdict:
        if isinstance(form, Verdict):
            return form
        while (running := self._lanes.get(form.key)) is not None:
            await asyncio.wait([running])
        lane = self._lanes[form.key] = asyncio.create_task(self._resolve(form))
        lane.add_done_callback(lambda _: self._lanes.pop(form.key))
        try:
            return await asyncio.shield(lane)
        except BatchLostError:
            return Verdict(Status.UNKNOWN, "outcome-unknown")

    async def _resolve(self, form: Form) -> Verdict:
        """What is known, else what the ledger says."""
        while True:
            decision = decide(form, self._index.find(form.key), self._clock())
            match decision:
                case Verdict():
                    return decision
                case Submit():
                    return await self._batchers[form.key.district].put(form)
                case Ask(transaction=transaction):
                    try:
                        if not await self._reconciler.resolve(decision):
                            return Verdict(Status.UNKNOWN, "outcome-unknown", transaction)
                    except Unavailable:
                        return Verdict(Status.RETRY, UNAVAILABLE, transaction)
