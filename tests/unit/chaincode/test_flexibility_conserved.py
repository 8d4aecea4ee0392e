# SPDX-License-Identifier: Apache-2.0
"""Whatever becomes of orders, in any sequence: money is conserved and no user is ever charged."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from pedchain_chaincode.cli import contracts
from pedchain_chaincode.flexibility.store import Store
from pedchain_chaincode.guard import guarded
from pedchain_chaincode.metering import guards
from pedchain_domain.flexibility import papers
from pedchain_fabric.shim import Context, Contract, submit
from pedchain_fabric.shim.testing import TransactionFailed
from tests.unit.chaincode.district import DAY, METERING, calendar
from tests.unit.chaincode.exchange import MONEY, SETTLEMENT
from tests.unit.chaincode.flexing import (
    BEFORE,
    EVENT,
    HOUR,
    MEMBERS,
    NOTICE,
    Flexible,
    account,
    order,
    usual,
)
from tests.unit.chaincode.mixing import held

ALL = 30_000_000
NAMES = ("o-1", "o-2")
STEPS = (
    "FreezeOrder",
    "SettleDistrict",
    "FinishOrder",
    "PayDistrict",
    "CorrectDistrict",
    "CorrectOrder",
    "LapseOrder",
)


class FillingContract(Contract):
    """Puts shared days where closing and sharing would have put them."""

    name = "filling"

    @submit
    @guarded("fence")
    async def put(self, ctx: Context) -> None:
        """Transient `days`: [[cell, document]]."""
        await guards.fence(ctx)
        store = await Store.begin(ctx)
        for cell, document in json.loads(ctx.stub.transient["days"]):
            await store.save(("shared", cell, document["day"]["day"]), document)


class Filled(Flexible):
    """Four homes with a supplier's account beside them; their days are put, not measured."""

    def __init__(self) -> None:
        super().__init__(4)
        self.peer.install(METERING, *contracts("metering"), FillingContract(), collections=MEMBERS)
        self.supplier = account("supplier", 3)

    async def prepare(self) -> None:
        await self.ledger.adopt()
        await self.ledger.register(*self.homes)
        await self.begin()
        for one in (self.dso, self.provider, self.supplier):
            await self.register(one, 10_000_000)
        for home in self.homes:
            await self.offer(home)
            await self.enrol(home)
        for day in range(BEFORE):
            await self.fill(day, "F", {})

    async def fill(self, day: int, run: str, wh: dict[tuple[int, int], int | None]) -> None:
        """A day of all homes; `wh` by home and hour, None for what nobody measured."""
        documents = []
        for at, home in enumerate(self.homes):
            cell = json.loads(self.peer.state(METERING)[f"\x00site\x00{home.name}\x00"])["cell"]
            hours = [wh.get((at, hour), usual(at, day, hour)) for hour in range(24)]
            letters = "".join("X" if hour is None else "M" for hour in hours)
            values = [hour or 0 for hour in hours]
            figure = {"f": values, "c": letters, "g": [], "gw": 0, "p": [[0, 24]]}
            documents.append((cell, home.name, figure))
        about = {"day": calendar()["rows"][day], "run": run, "grain": HOUR}
        cells = dict.fromkeys(cell for cell, _, _ in documents)
        days = [
            [where, {**about, "sites": {n: f for cell, n, f in documents if cell == where}}]
            for where in cells
        ]
        await self.metering("filling:Put", days=json.dumps(days).encode())

    def money(self) -> int:
        """All that balances and credits hold, µcur."""
        total = 0
        for value in self.peer.private(SETTLEMENT, "book").values():
            found = json.loads(value[16:]) if value[16:17] == b"{" else {}
            total += found["amount"] if found.get("token") == MONEY else 0
        return total

    def orders(self) -> dict[str, Any]:
        """All orders as they stand, by id."""
        found = [
            json.loads(value)
            for key, value in self.peer.state(SETTLEMENT).items()
            if key.startswith("\x00flex-order\x00")
        ]
        return {one["order"]["id"]: one for one in found}

    async def users(self) -> list[int]:
        """What each user was credited, µcur."""
        found = []
        for home in self.homes:
            held = await self.ask("tokens:ListCredits", f"acc-{home.name}", "")
            found.append(sum(one["amount"] for one in held.values()))
        return found


LOOP = asyncio.new_event_loop()
names = st.sampled_from(NAMES)
energies = st.lists(st.one_of(st.none(), st.integers(0, 2_000)), min_size=8, max_size=8)
terms = st.fixed_dictionaries(
    {
        "direction": st.sampled_from(["down", "up"]),
        "penalty": st.sampled_from([0, 300_000, 600_000]),
        "availability": st.sampled_from([0, 50_000]),
        "toe_price": st.sampled_from([0, 50_000]),
        "power_w": st.sampled_from([400, 1_200]),
        "rule": st.sampled_from(["10of10", "mean10"]),
    }
)


class Orders(RuleBasedStateMachine):
    """Any sequence of calls on two orders; what is refused changes nothing."""

    made: tuple[Filled, Any]
    reached: ClassVar[set[str]] = set()

    def __init__(self) -> None:
        super().__init__()
        self.street, kept = self.made
        self.street.restore(kept)
        self.credited = [0] * 4

    def do(self, call: Awaitable[object]) -> None:
        """Carry a call; it may be refused."""

        async def carried() -> None:
            with contextlib.suppress(TransactionFailed):
                await call

        LOOP.run_until_complete(carried())

    @rule(name=names, changes=terms, values=energies, steps=st.sampled_from([4, 1, 2, 6]))
    def advance(
        self, name: str, changes: dict[str, Any], values: list[int | None], steps: int
    ) -> None:
        """An order's next steps, as they should follow."""
        for _ in range(steps):
            self.go_on(name, changes, values)

    def go_on(self, name: str, changes: dict[str, Any], values: list[int | None]) -> None:
        found = self.street.orders().get(name)
        phase = "" if found is None else found["districts"].get("DistrictA", {}).get("phase", "")
        if found is None:
            self.issue(name, changes)
        elif found["state"] == "ISSUED":
            watts, guaranteed = found["order"]["power_w"], changes["penalty"] > 0
            self.do(self.street.accept(watts, name, plant=True, guaranteed=guaranteed))
        elif phase == "open":
            self.do(self.street.steps("FreezeOrder", name))
            self.do(self.street.dispatch(name))
            self.do(self.street.answer(self.street.homes[:3], name=name))
            if changes["direction"] == "down":
                self.do(self.street.reduce(name))
        elif phase == "dispatched":
            self.measure("F", values)
            self.do(self.street.clock(EVENT + 12 * DAY))
            self.do(self.street.settle(name))
        elif phase == "paid" and "correction" not in found:
            self.measure("FINAL", values)
            self.step(name, "CorrectDistrict")
            self.step(name, "CorrectOrder")
        elif phase == "paid":
            for who in (self.street.dso, self.street.provider):
                self.do(self.street.fold(who))
                self.do(self.street.owe(who, name=name))
            self.do(self.street.owe(self.street.provider, "DistrictA", name))

    @rule(name=names, changes=terms)
    def issue(self, name: str, changes: dict[str, Any]) -> None:
        start = EVENT + 2 * NAMES.index(name) * HOUR
        about = {"supplier": "supplier", "low_accuracy": True}
        about["product"] = "firm" if changes["penalty"] else "best-effort"
        body = order(id=name, start=start, **about, **changes)
        self.do(self.street.issue(body))

    @rule(name=names, what=st.sampled_from(["revoke", "lapse", "opt-out", "pay", "issuer"]))
    def interfere(self, name: str, what: str) -> None:
        street = self.street
        calls: dict[str, Callable[[], Awaitable[object]]] = {
            "revoke": lambda: street.revoke(name),
            "lapse": lambda: street.step("LapseOrder", name),
            "opt-out": lambda: street.answer(street.homes[:1], papers.OPT_OUT, name),
            "pay": lambda: street.owe(street.provider, "DistrictA", name),
            "issuer": lambda: street.owe(street.dso, name=name),
        }
        if what == "lapse":
            self.tick(EVENT)
        self.do(calls[what]())

    @rule(name=names, function=st.sampled_from(STEPS))
    def step(self, name: str, function: str) -> None:
        """Any step of settling, whenever."""
        whole = function in ("FinishOrder", "CorrectOrder", "LapseOrder")
        arguments = (name,) if whole else (name, "DistrictA")
        self.do(self.street.step(function, *arguments))

    @rule(instant=st.sampled_from([NOTICE, EVENT, EVENT + 95 * DAY]))
    def tick(self, instant: int) -> None:
        self.do(self.street.clock(instant))

    def measure(self, run: str, values: list[int | None]) -> None:
        """Each home's two hours, Wh, as a run knows them."""
        wh = {(at // 2, 12 + at % 2): value for at, value in enumerate(values)}
        self.do(self.street.fill(BEFORE, run, wh))

    @invariant()
    def all_money_is_there(self) -> None:
        found = self.street.orders()
        assert self.street.money() + sum(held(one) for one in found.values()) == ALL
        self.reached.update(one["state"] for one in found.values())
        self.reached.update(one["order"]["product"] for one in found.values() if "result" in one)
        self.reached.update("reduced" for one in found.values() if one["reduced"])
        self.reached.update("corrected" for one in found.values() if "correction" in one)

    def teardown(self) -> None:
        users = LOOP.run_until_complete(self.street.users())
        orders = self.street.orders().values()
        least = sum(one["result"]["users"] - held(one) for one in orders if "result" in one)
        assert sum(users) >= least


def test_money_is_conserved_over_any_sequence_of_an_orders_steps() -> None:
    street = Filled()
    LOOP.run_until_complete(street.prepare())
    LOOP.run_until_complete(street.clock(NOTICE))
    Orders.made = (street, street.kept())
    quick = settings(
        max_examples=80,
        stateful_step_count=12,
        derandomize=True,  # so that what must be reached is
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Orders, settings=quick)
    assert Orders.reached >= {"SETTLED", "corrected", "reduced", "best-effort"}, Orders.reached
