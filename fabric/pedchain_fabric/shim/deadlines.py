# SPDX-License-Identifier: Apache-2.0
"""Ends tasks that run too long. One timer for all: most tasks end long before, and a timer of
each one's own costs more than the rest of a short transaction's bookkeeping."""

import asyncio
from typing import Any

Task = asyncio.Task[Any]


class Deadlines:
    """Tasks that are given the same time, in the order they began."""

    def __init__(self) -> None:
        self._ends: dict[Task, float] = {}
        self._overdue: set[Task] = set()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, task: Task, seconds: float) -> None:
        """Cancel `task` after so long, unless it calls `end` before."""
        loop = task.get_loop()
        when = self._ends[task] = loop.time() + seconds
        if self._timer is None:
            self._timer = loop.call_at(when, self._check)

    def end(self, task: Task) -> None:
        """The task needs no deadline any more."""
        del self._ends[task]
        self._overdue.discard(task)

    def passed(self, task: Task) -> bool:
        """Whether the cancellation that `task` has just caught was for its time and nothing
        else. It is taken back then, and the task goes on."""
        return task in self._overdue and task.uncancel() == 0

    def _check(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        for task, when in self._ends.items():
            if task in self._overdue:
                continue
            if when > loop.time():
                self._timer = loop.call_at(when, self._check)
                return
            self._overdue.add(task)
            task.cancel()
