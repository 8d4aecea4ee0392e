# SPDX-License-Identifier: Apache-2.0
"""Gathering records of one district into batches.

What comes alone goes at once. While batches are under way, records gather until a batch is full
or the oldest has waited its linger time; at most three batches are under way. So latency is low
when little comes, and batches are large when much does.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from pedchain_gateway import limits
from pedchain_gateway.intake.form import Form
from pedchain_gateway.intake.verdict import Verdict

Submit = Callable[[Sequence[Form]], Awaitable[list[Verdict]]]


@dataclass(frozen=True, slots=True)
class _Waiting:
    form: Form
    answer: asyncio.Future[Verdict]
    since: float


class Batcher:
    """One district's queue. `submit` puts a batch onto the ledger and answers per record."""

    def __init__(self, submit: Submit, clock: Callable[[], float] = time.monotonic) -> None:
        self._submit = submit
        self._clock = clock
        self._queue: deque[_Waiting] = deque()
        self._queued_bytes = 0
        self._under_way: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """Records in the queue, not counting batches under way."""
        return len(self._queue)

    async def put(self, form: Form) -> Verdict:
        """Queue a record; returns its verdict. The record goes on even if the caller leaves."""
        answer: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(form, answer, self._clock()))
        self._queued_bytes += len(form.record)
        # A turn later, so that what came in one request travels together.
        asyncio.get_running_loop().call_soon(self._pump)
        return await answer

    async def drain(self) -> None:
        """Wait until nothing is queued or under way."""
        while self._under_way or self._queue:
            self._pump(hurry=True)
            await asyncio.gather(*self._under_way)

    def _pump(self, *, hurry: bool = False) -> None:
        while self._queue and len(self._under_way) < limits.BATCHES_IN_FLIGHT_MAX:
            rest = 0.0 if hurry else self._linger_s()
            if rest > 0:
                self._wake_in(rest)
                return
            task = asyncio.create_task(self._send(self._cut()))
            self._under_way.add(task)
            task.add_done_callback(self._done)

    def _linger_s(self) -> float:
        """How long the queue's head may still wait for company."""
        full = (
            len(self._queue) >= limits.BATCH_RECORDS_MAX
            or self._queued_bytes >= limits.BATCH_BYTES_MAX
        )
        if full or not self._under_way:
            return 0.0
        return limits.BATCH_LINGER_S - (self._clock() - self._queue[0].since)

    def _wake_in(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._pump()

    def _cut(self) -> list[_Waiting]:
        """Take the next batch: at least one record, then as many as fit."""
        cut: list[_Waiting] = []
        size = 0
        while self._queue and len(cut) < limits.BATCH_RECORDS_MAX:
            size += len(self._queue[0].form.record)
            if cut and size > limits.BATCH_BYTES_MAX:
                break
            cut.append(self._queue.popleft())
        self._queued_bytes -= sum(len(one.form.record) for one in cut)
        return cut

    async def _send(self, cut: list[_Waiting]) -> None:
        try:
            verdicts = await self._submit([one.form for one in cut])
        except BaseException as error:
            # Whoever waits must hear of it, whatever it was; it is raised again below.
            for one in cut:
                if not one.answer.done():
                    one.answer.set_exception(BatchLostError())
            if isinstance(error, asyncio.CancelledError):
                raise
            raise BatchLostError from error
        for one, verdict in zip(cut, verdicts, strict=True):
            if not one.answer.done():
                one.answer.set_result(verdict)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and task.exception() is not None:
            asyncio.get_running_loop().call_exception_handler(
                {"message": "a batch was lost by a fault", "exception": task.exception()}
            )
        self._pump()


class BatchLostError(Exception):
    """A fault of this program ended a batch: what became of it is not known."""
