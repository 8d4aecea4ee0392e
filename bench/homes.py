# SPDX-License-Identifier: Apache-2.0
"""Homes in demand response to be measured with, on whatever peer: their consents and days are put
where registration, enrolment and sharing would have put them. From the order's issue on, all is as
in operation. An order of two hours asks every home for 25 Wh a quarter-hour: half of them bring 20,
the others 40.

`python -m bench.homes serve --package ...` serves the contracts to a network, with the one that
puts days.
"""

import asyncio
import json
import sys
from typing import Any

from pedchain_chaincode.cli import contracts
from pedchain_chaincode.documents import load
from pedchain_chaincode.flexibility.store import Store
from pedchain_chaincode.guard import guarded
from pedchain_chaincode.metering import guards, keys
from pedchain_domain import canonical
from pedchain_domain.flexibility import papers
from pedchain_fabric.shim import Context, Contract, Package, Tls, evaluate, serve, submit
from tests.unit.chaincode.district import DAY, Home, calendar, day_name
from tests.unit.chaincode.flexing import BEFORE as ORDERED
from tests.unit.chaincode.flexing import EVENT, NOTICE, Flexible, order, usual

DAYS, GRAIN, QUARTERS = 20, 900, 96
EACH_W = 100
LATER = (DAYS - ORDERED) * DAY  # than the order of the tests
SETTLING = ("SettleDistrict", "FinishOrder", "PayDistrict")
CORRECTING = ("CorrectDistrict", "CorrectOrder")
STEPS = ("FreezeOrder", "DispatchOrder", "AnswerOrder", *SETTLING, *CORRECTING)
COMMAND = (sys.executable, "-m", "bench.homes", "serve")


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


class Homes(Flexible):
    """A district of that many homes, and one order over all of them."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.homes = [Home(f"h{at:04d}", "P0") for at in range(count)]
        self.ledger.district["grain"] = GRAIN
        self.cells: dict[int, dict[str, int]] = {}

    async def fill(self) -> None:
        """All homes' consents and days, cell by cell."""
        await self.ledger.adopt()
        await self.ledger.register(*self.homes)
        await self.begin()
        for one in (self.dso, self.provider):
            await self.register(one, 10**9)
        numbers = {home.name: at for at, home in enumerate(self.homes)}
        left = len(self.homes)
        while left:
            cell = len(self.cells)
            names = await self.look("filling:Sites", str(cell))
            await self.put(cell, {name: numbers[name] for name in names})
            left -= len(names)

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
        watts = EACH_W * len(self.homes)
        await self.clock(NOTICE + LATER)
        prices = {"price": 100_000, "penalty": 100_000}
        asked = {"start": EVENT + LATER, "count": 8, "grain": GRAIN, "power_w": watts}
        await self.issue(order(**asked, **prices))
        await self.accept(watts)
        await self.steps("FreezeOrder")
        await self.dispatch()
        for at in range(0, len(self.homes), 60):
            await self.answer(self.homes[at : at + 60], papers.ACKNOWLEDGE)
        await self.clock(EVENT + LATER + 12 * DAY)
        return await self.settle()


def package(text: str) -> Package:
    """The package that `name=address=ccid` describes."""
    name, address, ccid = text.split("=", 2)
    more = [FillingContract()] if name == "metering" else []
    return Package(ccid, address, [*contracts(name), *more], tls=Tls.from_environment())


if __name__ == "__main__":
    asyncio.run(serve([package(each) for each in sys.argv[2:] if each != "--package"]))
