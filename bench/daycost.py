# SPDX-License-Identifier: Apache-2.0
"""Chaincode seconds of a district-day: 1,000 devices, 96 intervals, by the ledger's age.

CPU time of the contract and of the peer in memory it runs on, so that neither the network nor the
machine's other work counts. History is one reading a day and device, filed by the week and closed
day by day; it is made for 24 devices, since a thousand days of 1,000 take long (`ages` has them).
What the bench compares by age is therefore the day of 24 devices, at each age the same. 400 days
are there because the rolling year is full by then.
"""

import gc
import json
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from typing import Any

from bench import street
from pedchain_domain import canonical
from tests.unit.chaincode import district

AGES = (10, 100, 400, 1_000)
AGING_HOMES = 12
TRIES = 3
"""Days measured at each age; what other work on the machine adds to one is not in the least."""
WEEK, WEEKS = 7, 250
"""Days in a record of history, and how many such records fit into a batch."""


class Timed(district.Ledger):
    """A district whose calls are timed by function."""

    def __init__(self) -> None:
        super().__init__(**street.settings())
        self.peer.now = district.START + (AGES[-1] + 70) * district.DAY
        self.spent: dict[str, float] = defaultdict(float)
        self.longest: dict[str, float] = {}

    async def adopt(self) -> None:
        for each in street.calendars():
            text = canonical.encode(each)
            await self.peer.submit("registry", "PutCalendar", each["id"], text)
        await super().adopt()

    async def submit(self, function: str, *args: str | bytes, **options: Any) -> bytes:
        start = time.process_time()
        answer = await super().submit(function, *args, **options)
        took = time.process_time() - start
        self.spent[function] += took
        self.longest[function] = max(self.longest.get(function, 0.0), took)
        return answer


SHAPES = ((street.HOMES, AGES[:1]), (AGING_HOMES, AGES))
"""Homes of two devices, and the ages of their ledger in days."""


async def measure(
    shapes: Sequence[tuple[int, Sequence[int]]] = SHAPES,
) -> dict[str, float]:
    """The day of so many devices at each age.

    `certify` is all that the contract does from the sealed period to the certificate, and
    `close_day_1000_devices_s` the same of 1,000 devices on the oldest of their ledgers."""
    figures: dict[str, float] = {}
    longest: dict[str, float] = {}
    for homes, ages in shapes:
        async for age, ledger in aged(homes, ages):
            fold, closed = ledger.spent["FoldShard"], ledger.spent["CloseDay"]
            for step, took in (("fold", fold), ("close", closed), ("certify", fold + closed)):
                figures[f"{step}_day_{2 * homes}_devices_after_{age}_days_s"] = round(took, 3)
            if homes == street.HOMES:
                figures["close_day_1000_devices_s"] = round(fold + closed, 3)
            print(homes, age, dict(ledger.spent), flush=True)
            for function, took in ledger.longest.items():
                longest[function] = max(longest.get(function, 0.0), took)
    most = {f"max_{name}_ms": round(1_000 * took, 1) for name, took in longest.items()}
    return figures | most | {"max_call_ms": max(most.values())}


async def aged(count: int, ages: Sequence[int]) -> AsyncIterator[tuple[int, Timed]]:
    """A ledger at each age, with a whole day's readings just filed, folded and closed."""
    ledger, homes = Timed(), street.homes()[:count]
    await ledger.adopt()
    await ledger.register(*homes)
    meters, filed, closed = street.meters(homes), 0, 0
    for age in ages:
        for first in range(filed, age, WEEK):
            week = range(first, min(first + WEEK, age))
            await file(ledger, [street.midnights(meter, week) for meter in meters], WEEKS)
            closed = await close(ledger, closed, week[-1])  # its last day has no end yet
        gc.collect()
        gc.freeze()  # the heap is the peer's; a contract's own process has none of it
        ledger.longest.clear()
        await largest(ledger, meters[: street.SINGLE], (age - 1) * street.INTERVALS + 1)
        least: dict[str, float] = {}
        for day in range(age, age + TRIES):
            ledger.spent.clear()
            whole = [street.whole_day(meter, day) for meter in meters]
            await file(ledger, whole, street.WHOLE_DAYS)
            closed = await close(ledger, closed, day)
            ledger.spent["CloseDay"] = 0.0
            closed = await close(ledger, closed, day + 1)
            least = {each: min(s, least.get(each, s)) for each, s in ledger.spent.items()}
        ledger.spent.update(least)
        yield age, ledger
        filed = age + TRIES


async def largest(ledger: Timed, meters: Sequence[district.Meter], interval: int) -> None:
    """The largest batch of single readings, told its cells as gateways do, filed and folded."""
    names = [meter.name for meter in meters]
    cells = dict(zip(names, await ledger.ask("GetCells", json.dumps(names)), strict=True))
    singles = [street.single(meter, interval) for meter in meters]
    period = await ledger.seal() + 1
    for batch in street.batches(singles, street.SINGLE, cells):
        if any(await ledger.submit("SubmitReadings", str(period), transient=batch)):
            raise RuntimeError("a record was not recorded")
    await ledger.fold(period - 1)
    await ledger.fold(await ledger.seal())


async def file(ledger: Timed, records: list[bytes], size: int) -> None:
    """Every record filed, and its period folded."""
    for at in range(0, len(records), size):
        if any(await ledger.file(*records[at : at + size])):
            raise RuntimeError("a record was not recorded")
    await ledger.fold(await ledger.seal())


async def close(ledger: Timed, first: int, end: int) -> int:
    """Close the days of the street's calendar from `first` up to `end`; `end`."""
    for day in range(first, end):
        await ledger.close(street.day_name(day))
    return end
