# SPDX-License-Identifier: Apache-2.0
"""Chaincode seconds of one order over 1,000 homes with 20 days of quarter-hours each.

CPU time of the contracts on a peer in memory, the peer's own included, without its commit, so that
neither the network nor the machine's other work counts. Homes, consents and days are put where
registration, enrolment and sharing would have put them; from the order's issue on, all is as in
operation. An order of two hours asks every home for 25 Wh a quarter-hour: half of them bring 20,
the others 40.
"""

import asyncio
import gc
import json
import time
from collections import Counter, defaultdict
from typing import Any

from pedchain_chaincode.cli import contracts
from pedchain_chaincode.documents import load
from pedchain_chaincode.flexibility.store import Store
from pedchain_chaincode.guard import guarded
from pedchain_chaincode.metering import guards, keys
from pedchain_domain import canonical
from pedchain_domain.flexibility import papers
from pedchain_fabric.shim import Context, Contract, evaluate, submit
from pedchain_fabric.shim.testing import Outcome
from tests.unit.chaincode.district import DAY, METERING, Home, calendar, day_name
from tests.unit.chaincode.flexing import BEFORE as ORDERED
from tests.unit.chaincode.flexing import EVENT, MEMBERS, NOTICE, Flexible, order, usual

HOMES, DAYS, GRAIN, QUARTERS = 1_000, 20, 900, 96
EACH_W = 100
LATER = (DAYS - ORDERED) * DAY  # than the order of the tests
SETTLING = ("SettleDistrict", "FinishOrder", "PayDistrict")
CORRECTING = ("CorrectDistrict", "CorrectOrder")
STEPS = ("FreezeOrder", "DispatchOrder", "AnswerOrder", *SETTLING, *CORRECTING)


class FillingContract(Contract):
    """Puts consents and shared days of a cell where the product's methods would have."""

    name = "filling"

    @submit
    @guarded("fence")
    async def put(self, ctx: Context, cell: int) -> None:
        """The documents of transient `cell`: {enrolled, shared: {day: document}}."""
        await guards.fence(ctx)
        found = json.loads(ctx.stub.transient["cell"])
        store = await Store.begin(ctx)
        await store.save(("enrolled", cell), {"sites": found["enrolled"]})
        for day, document in found["shared"].items():
            await store.save(("shared", cell, day), document)

    @evaluate
    async def sites(self, ctx: Context, cell: int) -> bytes:
        """The sites of a cell."""
        roster = await load(ctx.stub, keys.roster(ctx.stub, cell))
        return canonical.encode(sorted(roster["sites"]) if roster else [])


class Timed(Flexible):
    """A district whose calls are timed by function, commits apart."""

    def __init__(self) -> None:
        super().__init__(HOMES)
        self.homes = [Home(f"h{at:04d}", "P0") for at in range(HOMES)]
        self.ledger.district["grain"] = GRAIN
        self.peer.install(METERING, *contracts("metering"), FillingContract(), collections=MEMBERS)
        self.spent: defaultdict[str, float] = defaultdict(float)
        self.calls: Counter[str] = Counter()
        self.longest: dict[str, float] = {}
        self.cells: dict[int, dict[str, int]] = {}
        self._endorse: Any = self.peer.endorse
        self.peer.endorse = self._timed

    async def _timed(self, definition: str, function: str, *args: Any, **options: Any) -> Outcome:
        name = function.rpartition(":")[2]
        start = time.process_time()
        outcome: Outcome = await self._endorse(definition, function, *args, **options)
        took = time.process_time() - start
        self.spent[name] += took
        self.calls[name] += 1
        self.longest[name] = max(self.longest.get(name, 0.0), took)
        return outcome

    async def fill(self) -> None:
        """All homes' consents and days, cell by cell."""
        await self.ledger.adopt()
        await self.ledger.register(*self.homes)
        await self.begin()
        for one in (self.dso, self.provider):
            await self.register(one, 10**9)
        numbers = {home.name: at for at, home in enumerate(self.homes)}
        cell = left = 0
        left = HOMES
        while left:
            names = await self.look("filling:Sites", str(cell))
            await self.put(cell, {name: numbers[name] for name in names})
            left -= len(names)
            cell += 1

    async def put(self, cell: int, numbers: dict[str, int]) -> None:
        """A cell's documents; the order's own day is the last."""
        self.cells[cell] = numbers
        homes = {name: self.homes[at] for name, at in numbers.items()}
        entries = {
            name: [{"enrolment": self.consent(home, down_w=EACH_W), "occupancy": None, "to": None}]
            for name, home in homes.items()
        }
        shared = {day_name(at): self.shared(numbers, at, "F") for at in range(DAYS + 1)}
        body = json.dumps({"enrolled": entries, "shared": shared}).encode()
        await self.metering("filling:Put", str(cell), cell=body)

    def shared(self, numbers: dict[str, int], at: int, run: str) -> dict[str, Any]:
        """A cell's day as a run left it."""
        sites = {name: self.figure(number, at) for name, number in numbers.items()}
        return {"day": calendar(DAYS + 1)["rows"][at], "run": run, "grain": GRAIN, "sites": sites}

    async def final(self) -> None:
        """Run FINAL of the order's day, and the order put right by it."""
        for cell, numbers in self.cells.items():
            shared = {day_name(DAYS): self.shared(numbers, DAYS, "FINAL")}
            sent = {"enrolled": {}, "shared": shared}
            await self.metering("filling:Put", str(cell), cell=json.dumps(sent).encode())
        await self.steps("CorrectDistrict")
        await self.step("CorrectOrder", "o-1")

    @staticmethod
    def figure(number: int, day: int) -> dict[str, Any]:
        """A home's day; the last one is the order's."""
        values = [usual(number, day, quarter) // 4 for quarter in range(QUARTERS)]
        if day == DAYS:
            for quarter in range(48, 56):
                values[quarter] -= 20 + 20 * (number % 2)
        return {"f": values, "c": "M" * QUARTERS, "g": [], "gw": 0, "p": [[0, QUARTERS]]}

    async def run(self) -> dict[str, Any]:
        """The order; its result."""
        await self.clock(NOTICE + LATER)
        prices = {"price": 100_000, "penalty": 100_000}
        asked = {"start": EVENT + LATER, "count": 8, "grain": GRAIN, "power_w": EACH_W * HOMES}
        await self.issue(order(**asked, **prices))
        await self.accept(EACH_W * HOMES)
        await self.steps("FreezeOrder")
        await self.dispatch()
        for at in range(0, HOMES, 60):
            await self.answer(self.homes[at : at + 60], papers.ACKNOWLEDGE)
        await self.clock(EVENT + LATER + 12 * DAY)
        return await self.settle()


def measure() -> dict[str, Any]:
    return asyncio.run(_measure())


async def _measure() -> dict[str, Any]:
    district = Timed()
    await district.fill()
    gc.collect()
    gc.freeze()  # the heap is the peer's; a contract's own process has none of it
    district.spent.clear()
    district.calls.clear()
    district.longest.clear()
    result = await district.run()
    await district.final()
    print(result, flush=True)
    settled = sum(district.spent[step] for step in SETTLING)
    return {
        "settle_1000_users_s": round(settled, 3),
        "max_call_ms": round(1_000 * max(district.longest[step] for step in STEPS), 1),
        "freeze_1000_users_s": round(district.spent["FreezeOrder"], 3),
        "correct_1000_users_s": round(sum(district.spent[step] for step in CORRECTING), 3),
        "step_s": {step: round(district.spent[step], 3) for step in STEPS},
        "step_calls": {step: district.calls[step] for step in STEPS},
        "step_max_ms": {step: round(1_000 * district.longest[step], 1) for step in STEPS},
        "delivered_share": round(result["delivered_wh"] / (2 * EACH_W * HOMES), 3),
    }
