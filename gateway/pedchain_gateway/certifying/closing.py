# SPDX-License-Identifier: Apache-2.0
"""Closing days: seal the filing period, fold it shard by shard, write the day's certificate.

Every step may be called again and by several gateways at once: the contract answers what is done
already with `done`, and of two that collide one fails as read conflict and asks again. So `serve`
and `ped-gateway close` run the same code without knowing of each other.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pedchain_gateway import limits
from pedchain_gateway.certifying.days import LOOK_BACK_DAYS, RUNS, Day, Due, due, ended, rows
from pedchain_gateway.ledger.port import Ledger, LedgerError, Refused
from pedchain_gateway.ledger.queries import ask_document
from pedchain_gateway.ledger.steps import Pause, submit_step

DONE = b"done"
_NOT_YET = "previous-period-open"
#: What another organisation's peer says while it has not committed our last step yet.
LAGGING = frozenset({"period-not-sealed", "not-folded", "previous-day-open", "run-missing"})
Report = Callable[[str], None]


class ClosingError(Exception):
    """A day cannot be closed; the text says which step failed and why."""


def silent(_: str) -> None:
    """Reports nothing."""


@dataclass(frozen=True, slots=True)
class Closer:
    """Closes days of one district through one gateway."""

    ledger: Ledger
    district: str
    definition: str
    report: Report = silent
    pause: Pause = asyncio.sleep
    clock: Callable[[], float] = time.time
    rest: float = 0.0
    """A pause after each step, in times of what the step took: so that readings find room."""

    async def close(
        self, *, through: str | None = None, first: str | None = None, run: str | None = None
    ) -> list[Due]:
        """Close what is due: up to day `through`, by one `run` or all; returns what was closed.

        Seals and folds first, so that everything filed until now counts. Raises `ClosingError`.
        """
        closed: list[Due] = []
        try:
            for _ in RUNS:  # closing a day preliminarily may make it due for F, and so on
                waiting = await self.due(through=through, first=first, run=run)
                if not waiting:
                    break
                if not closed:
                    await self.seal_and_fold()
                for one in waiting:
                    await self._until_done("CloseDay", one.day, one.run)
                    self.report(f"{self.district} {one.day} closed, run {one.run}")
                closed += waiting
        except LedgerError as error:
            raise ClosingError(f"{self.district}: {error}") from error
        return closed

    async def due(
        self, *, through: str | None = None, first: str | None = None, run: str | None = None
    ) -> list[Due]:
        """What can be closed now."""
        now = self.clock()
        days = await self._calendar()
        recent = [day.day for day in ended(days, now)][-LOOK_BACK_DAYS:]
        if not recent:
            return []
        held = await self._held(min(recent[0], first or recent[0]))
        return [
            one
            for one in due(days, held, now, first)
            if one.day <= (through or one.day) and one.run == (run or one.run)
        ]

    async def seal_and_fold(self) -> int:
        """Seal the open period and fold all that is not folded; returns the period sealed."""
        fence = await ask_document(self.ledger, self.definition, "GetFence")
        period, shards = int(fence["period"]), int(fence["shards"])
        await self._submit("SealPeriod", str(period))
        for shard in range(shards):
            await self._fold(period, shard)
        self.report(f"{self.district} period {period} sealed and folded")
        return period

    async def _fold(self, period: int, shard: int) -> None:
        """Fold a shard up to a period; periods left behind by a crash come first."""
        behind = [period]
        while behind:
            try:
                await self._until_done("FoldShard", str(behind[-1]), str(shard))
                behind.pop()
            except Refused as error:
                if error.reason != _NOT_YET or behind[-1] == 1:
                    raise
                behind.append(behind[-1] - 1)

    async def _calendar(self) -> list[Day]:
        district = await ask_document(self.ledger, "registry", "GetDistrict", self.district)
        calendars = [
            await ask_document(self.ledger, "registry", "GetCalendar", one)
            for one in district["calendar"]
        ]
        return rows(calendars)

    async def _held(self, first: str) -> dict[str, str]:
        """The run in force of each certified day from `first` on."""
        held: dict[str, str] = {}
        bookmark = ""
        for _ in range(limits.STEPS_PER_CALL_MAX):
            asked = (self.definition, "ListCertificates", first, bookmark)
            page = await ask_document(self.ledger, *asked)
            held.update({str(one["day"]): str(one["run"]) for one in page["certificates"]})
            bookmark = page["bookmark"]
            if not bookmark:
                break
        return held

    async def _until_done(self, function: str, *arguments: str) -> None:
        for _ in range(limits.STEPS_PER_CALL_MAX):
            start = time.perf_counter()
            answer = await self._submit(function, *arguments)
            if self.rest:  # after the last as well: the next shard's comes at once
                took = time.perf_counter() - start
                await self.pause(min(self.rest * took, limits.CLOSING_REST_S_MAX))
            if answer == DONE:
                return
        raise ClosingError(f"{function}({', '.join(arguments)}) does not come to an end")

    async def _submit(self, function: str, *arguments: str) -> bytes:
        return await submit_step(
            self.ledger, self.definition, function, *arguments, lagging=LAGGING, pause=self.pause
        )


async def keep_closing(
    closers: Sequence[Closer],
    every_s: float,
    note: Callable[[Closer, ClosingError | None, int], None],
) -> None:
    """Close what is due, again and again; `note` hears of each result. Ends when cancelled."""
    while True:
        for closer in closers:
            try:
                closed = await closer.close()
            except ClosingError as error:
                note(closer, error, 0)
            else:
                note(closer, None, len(closed))
        await asyncio.sleep(every_s)
