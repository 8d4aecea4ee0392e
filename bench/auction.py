# SPDX-License-Identifier: Apache-2.0
"""Chaincode seconds of one session of 10,000 orders: closed, cleared, measured, settled.

CPU time of the contract on a peer in memory, without the peer's commit, so that neither the network
nor the machine's other work counts. A thousand accounts place ten orders each, two in three are
filled, and every account's hour is certified and shown. What an account's own call takes, that
shows its hour or takes its outcome, is told apart: there is one for each, whenever it likes.
"""

import gc
import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from pedchain_domain.market.tokenid import to_hex
from pedchain_fabric.shim.testing import Outcome
from tests.unit.chaincode.exchange import Prosumer
from tests.unit.chaincode.marketplace import NOON, POWER
from tests.unit.chaincode.settling import ENDS, Settling

ACCOUNTS, ORDERS_EACH, SEED = 1_000, 10, 7
DEPOSIT, TAKERS = 9_000_000, 20


class Timed(Settling):
    """A market whose calls are timed by function, commits apart."""

    def __init__(self) -> None:
        super().__init__()
        self.spent: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self.longest: dict[str, float] = {}
        self._endorse: Callable[..., Any] = self.peer.endorse
        self.peer.endorse = self._timed  # type: ignore[method-assign]  # the one way to a contract

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
    for number in range(1, accounts + 1):
        name = f"m{number:05d}"
        market.people[name] = who = Prosumer(name, number)
        await market.register(who, DEPOSIT)
        side = "BID" if number % 2 else "OFFER"
        for _ in range(orders_each):
            wh, price = chance.randint(100, 500), chance.randint(100, 200)
            await market.spend(who, "market", "RegisterOrder", "register-order",
                               **_body(side, wh, price))  # fmt: skip
    gc.collect()
    gc.freeze()  # the heap is the peer's; a contract's own process has none of it
    market.spent.clear()
    market.longest.clear()
    await market.clear()
    await market.clock(ENDS)
    await market.submit("market:Measure", to_hex(POWER.token))
    energies = {
        name: (chance.randint(0, 4_000), chance.randint(0, 4_000)) for name in market.people
    }
    certified = await market.certify(energies)
    for name in energies:
        await market.attach(certified.proofs(f"{name}.gcp", NOON))
    await market.steps("Settle")
    for who in list(market.people.values())[:TAKERS]:
        await market.take(who)
    return figures(market, accounts * orders_each)


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
