# SPDX-License-Identifier: Apache-2.0
"""Chaincode seconds of one session of 10,000 orders: closed, cleared, measured, settled.

CPU time of the contract on a peer in memory, without the peer's commit, so that neither the network
nor the machine's other work counts. A thousand accounts have ten orders each, two in three are
filled, and every account's hour is certified and shown. What an account's own call takes, that
shows its hour or takes its outcome, is told apart: there is one for each, whenever it likes.

Twenty accounts register, sign their orders and show their hours like anybody. The lines and hours
of the others are written as those calls would, 250 a transaction: signing and verifying ten
thousand debits takes minutes, and closing and settling see no difference.
"""

import gc
import hashlib
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from pedchain_chaincode.settlement import guards
from pedchain_chaincode.settlement.book import Book
from pedchain_chaincode.settlement.orders import SIDES
from pedchain_domain.market import deposit
from pedchain_domain.market.orders import Kind
from pedchain_domain.market.tokenid import to_hex
from pedchain_fabric.shim import Context, Contract, submit
from pedchain_fabric.shim.testing import Outcome
from tests.unit.chaincode.exchange import Prosumer
from tests.unit.chaincode.marketplace import NOON, POWER, RETAIL
from tests.unit.chaincode.settling import ENDS, Energies, Settling

ACCOUNTS, ORDERS_EACH, SEED = 1_000, 10, 7
DEPOSIT, TAKERS, TOGETHER = 9_000_000, 20, 250


class Filling(Contract):
    """Writes order lines and measured hours as settlement's own contracts do."""

    name = "filling"

    @submit
    async def lines(self, ctx: Context) -> None:
        """Transient `rows`: [side, session, order, document]."""
        book = await Book.open(ctx, await guards.setup(ctx))
        for row in json.loads(ctx.stub.transient["rows"]):
            await book.mark(*row)

    @submit
    async def hours(self, ctx: Context) -> None:
        """Transient `rows`: [point, Wh by role], all of NOON in DistrictA."""
        book = await Book.open(ctx, await guards.setup(ctx))
        for point, roles in json.loads(ctx.stub.transient["rows"]):
            registers = {role: [[wh], True] for role, wh in roles.items()}
            await book.save(("metered", "DistrictA", point, NOON), {"registers": registers})


class Timed(Settling):
    """A market whose calls are timed by function, commits apart."""

    def __init__(self) -> None:
        super().__init__()
        self.spent: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self.longest: dict[str, float] = {}
        self._endorse: Callable[..., Any] = self.peer.endorse
        self.peer.endorse = self._timed  # type: ignore[method-assign]  # the one way to a contract

    def contracts(self) -> list[Any]:
        return [*super().contracts(), Filling()]

    async def fill(self, function: str, rows: list[Any]) -> None:
        """Write these rows, so many a transaction."""
        for at in range(0, len(rows), TOGETHER):
            part = json.dumps(rows[at : at + TOGETHER]).encode()
            await self.submit(f"filling:{function}", transient=self.fresh(rows=part))

    async def _timed(self, definition: str, function: str, *args: Any, **options: Any) -> Outcome:
        start = time.process_time()
        outcome: Outcome = await self._endorse(definition, function, *args, **options)
        took = time.process_time() - start
        self.spent[function] += took
        self.calls[function] += 1
        self.longest[function] = max(self.longest.get(function, 0.0), took)
        return outcome


async def measure(
    accounts: int = ACCOUNTS, orders_each: int = ORDERS_EACH
) -> dict[str, dict[str, float]]:
    """What closing and settling such a session takes, by step and in all."""
    market, chance = Timed(), random.Random(SEED)
    await market.prepare()
    energies: Energies = {}
    lines: list[Any] = []
    for number in range(1, accounts + 1):
        name, side = f"m{number:05d}", Kind.BID if number % 2 else Kind.OFFER
        energies[name] = (chance.randint(0, 4_000), chance.randint(0, 4_000))
        orders = [(chance.randint(100, 500), chance.randint(100, 200)) for _ in range(orders_each)]
        if number > TAKERS:
            lines += [_line(name, number, side, *order) for order in orders]
            continue
        market.people[name] = who = Prosumer(name, number)
        await market.register(who, DEPOSIT)
        for order in orders:
            await market.spend(who, "market", "RegisterOrder", "register-order",
                               **_body(str(side), *order))  # fmt: skip
    await market.fill("Lines", lines)
    gc.collect()
    gc.freeze()  # the heap is the peer's; a contract's own process has none of it
    gc.set_threshold(50_000)  # as chaincode is served
    market.spent.clear()
    market.longest.clear()
    await market.clear()
    await market.clock(ENDS)
    await market.submit("market:Measure", to_hex(POWER.token))
    certified = await market.certify({name: energies[name] for name in market.people})
    for name in market.people:
        await market.attach(certified.proofs(f"{name}.gcp", NOON))
    hours = [[f"{name}.gcp", dict(zip("EI", wh, strict=True))]
             for name, wh in energies.items() if wh and name not in market.people]  # fmt: skip
    await market.fill("Hours", hours)
    await market.steps("Settle")
    for who in market.people.values():
        await market.take(who)
    return figures(market, accounts * orders_each)


def _line(name: str, number: int, side: Kind, wh: int, price: int) -> list[Any]:
    """The order line that `RegisterOrder` would write."""
    limit = price * 1_000
    most = deposit.of_bid(wh, limit) if side == Kind.BID else deposit.of_offer(wh, limit, RETAIL)
    order = hashlib.sha256(f"{name} {wh} {price}".encode()).hexdigest()
    document = {
        "account": name,
        "about": [number, "home", "DistrictA", f"{name}.gcp", "I" if side == Kind.BID else "E"],
        "quantity": wh,
        "limit": limit,
        "deposit": most,
        "filled": False,
    }
    return [SIDES[side], to_hex(POWER.token), f"{order}.0", document]


def _body(side: str, wh: int, price: int) -> dict[str, Any]:
    return {
        "side": side,
        "tokens": [to_hex(POWER.token)],
        "quantities": [wh],
        "prices": [price * 1_000],
    }


ATTACH, TAKE = "market:AttachCertificate", "market:Take"
STEPS = ("CloseSession", "Clear", "Measure", "Settle")


def figures(market: Timed, orders: int) -> dict[str, Any]:
    """Seconds by step, the longest call, and the sum the session took."""
    spent = {step: market.spent[f"market:{step}"] for step in STEPS}
    longest = {step: market.longest[f"market:{step}"] for step in STEPS}
    return {
        f"close_settle_{orders}_orders_s": round(sum(spent.values()), 3),
        "max_call_ms": round(1_000 * max(longest.values()), 1),
        "step_s": {step: round(s, 3) for step, s in spent.items()},
        "step_calls": {step: market.calls[f"market:{step}"] for step in STEPS},
        "step_max_ms": {step: round(1_000 * s, 1) for step, s in longest.items()},
        "attach_ms": round(1_000 * market.spent[ATTACH] / market.calls[ATTACH], 2),
        "take_ms": round(1_000 * market.spent[TAKE] / market.calls[TAKE], 2),
    }
