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
from typing import NamedTuple

from pedchain_gateway import limits
from pedchain_gateway.intake.form import Form
from pedchain_gateway.intake.verdict import Status, Verdict

Submit = Callable[[Sequence[Form]], Awaitable[list[Verdict]]]


UNHEARD = "outcome-unknown"
_LOST = Verdict(Status.UNKNOWN, UNHEARD)


@dataclass(slots=True)
class _Group:
    """Records that came together; answered when the last of them is."""

    verdicts: list[Verdict]
    left: int
    answer: asyncio.Future[list[Verdict]]

    def settle(self, place: int, verdict: Verdict) -> None:
        self.verdicts[place] = verdict
        self.left -= 1
        if not self.left and not self.answer.done():
            self.answer.set_result(self.verdicts)


class _Waiting(NamedTuple):
    form: Form
    group: _Group
    place: int
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

    async def put(self, forms: Sequence[Form]) -> list[Verdict]:
        """Queue records; their verdicts. They go on even if the caller leaves."""
        if not forms:
            return []
        loop = asyncio.get_running_loop()
        group = _Group([_LOST] * len(forms), len(forms), loop.create_future())
        now = self._clock()
        self._queue.extend(_Waiting(one, group, place, now) for place, one in enumerate(forms))
        self._queued_bytes += sum(len(one.record) for one in forms)
        # A turn later, so that what came at the same time travels together.
        loop.call_soon(self._pump)
        return await group.answer

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
                one.group.settle(one.place, _LOST)
            if isinstance(error, asyncio.CancelledError):
                raise
            raise BatchLostError from error
        for one, verdict in zip(cut, verdicts, strict=True):
            one.group.settle(one.place, verdict)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and task.exception() is not None:
            asyncio.get_running_loop().call_exception_handler(
                {"message": "a batch was lost by a fault", "exception": task.exception()}
            )
        self._pump()


class BatchLostError(Exception):
    """A fault of this program ended a batch: what became of it is not known."""
