# SPDX-License-Identifier: Apache-2.0
"""What an audit has others compute: nothing (`Alone`), or one process for each further core.

Two kinds of tasks leave the audit. Signatures of blocks ahead, whose outcome is only ever believed
where it is good. And the records of a batch, on which nothing that follows depends but its verdict:
it may come later, and the earliest place that is wrong is the one that is named.
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, Protocol

from pedchain_audit.errors import Broken, VerificationError

#: Tasks under way for each worker; more would only fill memory.
AHEAD = 4
#: Blocks whose signatures are one task.
BLOCKS_A_TASK = 16


class Place(Protocol):
    """Where a task belongs, for the error that names it."""

    def fail(self, check: str, text: str) -> VerificationError: ...


class Alone:
    """One process: every check is made at once."""

    def check(self, place: Place, task: Callable[..., object], *arguments: Any) -> None:
        """Makes a check. Raises `VerificationError` if it fails."""
        try:
            task(*arguments)
        except Broken as error:
            raise place.fail(error.check, str(error)) from error

    def settle(self) -> None:
        """Raises what a check found that was not waited for."""

    def signatures(
        self,
        task: Callable[..., list[bytes]],
        consenters: Callable[[], list[bytes]],
        blocks: Iterator[tuple[int, bytes]],
    ) -> Iterator[tuple[int, bytes, list[bytes]]]:
        """Blocks in order; signatures found good come with the first block of each task."""
        for number, raw in blocks:
            yield number, raw, []


class Workers(Alone):
    """Others compute, this process goes on."""

    def __init__(self, processes: int, pool: ProcessPoolExecutor) -> None:
        self._ahead = processes * AHEAD
        self._pool = pool
        self._pending: deque[tuple[Place, Future[object]]] = deque()

    def check(self, place: Place, task: Callable[..., object], *arguments: Any) -> None:
        self._pending.append((place, self._pool.submit(task, *arguments)))
        while len(self._pending) > self._ahead:
            self._first()

    def settle(self) -> None:
        while self._pending:
            self._first()

    def _first(self) -> None:
        place, future = self._pending.popleft()
        super().check(place, future.result)

    def signatures(
        self,
        task: Callable[..., list[bytes]],
        consenters: Callable[[], list[bytes]],
        blocks: Iterator[tuple[int, bytes]],
    ) -> Iterator[tuple[int, bytes, list[bytes]]]:
        under_way: deque[tuple[list[tuple[int, bytes]], Future[list[bytes]]]] = deque()
        more = True
        while more or under_way:
            while more and len(under_way) < self._ahead:
                chunk = [each for _, each in zip(range(BLOCKS_A_TASK), blocks, strict=False)]
                more = len(chunk) == BLOCKS_A_TASK
                raws = [raw for _, raw in chunk]
                under_way.append((chunk, self._pool.submit(task, raws, consenters())))
            chunk, future = under_way.popleft()
            good = future.result()
            for number, raw in chunk:
                yield number, raw, good
                good = []


@contextmanager
def workers(processes: int) -> Iterator[Alone]:
    """Whoever computes: this process alone, or beside it as many as told."""
    if processes < 1:
        yield Alone()
        return
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"))
    try:
        yield Workers(processes, pool)
    finally:
        pool.shutdown(cancel_futures=True)
