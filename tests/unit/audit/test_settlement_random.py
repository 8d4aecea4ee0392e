# SPDX-License-Identifier: Apache-2.0
"""Random days of market, sharing and corrections through the contracts: nothing is lost or counted
twice, and the auditor, a second implementation of it all, finds the same."""

import random
from collections.abc import Awaitable
from typing import Any

import pytest

from pedchain_audit.replay import VALID, Judged
from pedchain_audit.settlement import Settlement
from pedchain_audit.world import World
from pedchain_domain.market.tokenid import to_hex
from pedchain_fabric.shim.testing import Outcome, TransactionFailed
from pedchain_fabric.wire.rwset import Version
from tests.unit.chaincode.marketplace import NOON, POWER
from tests.unit.chaincode.settling import ENDS, RICH, Energies
from tests.unit.chaincode.test_sharing import Sharing, terms

NAMES = ("ann", "ben", "cem", "dua", "eva")
KEYS = {
    "dynamic": {},
    "static": {"ann": 300_000, "ben": 300_000, "eva": 400_000},
    "priority": {"cem": 1, "ann": 2},
}


class Chance(Sharing):
    """A day in which members do what comes to their mind."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.chance = random.Random(seed)
        self.outcomes: list[Outcome] = []
        commit = self.peer.commit

        def noted(outcome: Outcome) -> int:
            self.outcomes.append(outcome)
            return commit(outcome)

        self.peer.commit = noted  # type: ignore[method-assign]  # the one place all writes pass

    async def maybe(self, call: Awaitable[Any]) -> bool:
        """Carry out what the contract may refuse."""
        try:
            await call
        except TransactionFailed:
            return False
        return True

    async def before_the_gate(self) -> None:
        """Orders placed, changed and withdrawn."""
        for _ in range(14):
            who = self.people[self.chance.choice(NAMES)]
            side = self.chance.choice(("OFFER", "BID"))
            wh, price = self.chance.randint(100, 900), self.chance.randint(80, 280)
            if self.chance.random() < 0.25:
                held = sorted(await self.ask("market:ListOrders", who.name, ""))
                if held:
                    gone = self.chance.choice(held)
                    await self.maybe(
                        self.spend(who, "market", "CancelOrder", "cancel-order", order=gone)
                    )
                continue
            await self.maybe(self.order(who, side, (POWER, wh, price)))

    def energies(self) -> Energies:
        """What registers measured; some hours are not class M."""
        return {
            name: None
            if self.chance.random() < 0.15
            else (self.chance.randint(0, 900), self.chance.randint(0, 900))
            for name in NAMES
        }


@pytest.mark.parametrize("seed", range(4))
async def test_a_random_day_counts_every_wh_and_every_coin_once(seed: int) -> None:
    day = Chance(seed)
    await day.prepare([POWER])
    key = day.chance.choice(sorted(KEYS))
    document = terms(key=key, shares=KEYS[key])
    await day.gather(NAMES, document)
    await day.before_the_gate()
    await day.clear()
    await day.clock(ENDS)
    await day.submit("market:Measure", to_hex(POWER.token))
    energies = day.energies()
    certified = await day.certify(energies)
    for name in NAMES:
        await day.attach(certified.proofs(f"{name}.gcp", NOON))
    await day.maybe(day.take(day.people[day.chance.choice(NAMES)]))
    await day.steps("Settle")
    await day.share()
    if day.chance.random() < 0.7:
        final = await day.certify(
            {n: e and (e[0] * 9 // 10, e[1]) for n, e in energies.items()}, "FINAL"
        )
        for name in NAMES:
            await day.attach(final.proofs(f"{name}.gcp", NOON))
        await day.submit("sharing:CorrectHour", "street", str(NOON))
    for one in day.people.values():
        while await day.maybe(day.take(one)):
            pass
    await counted_once(day, energies)
    assert redone(day.outcomes).sessions == 1


async def counted_once(day: Chance, energies: Energies) -> None:
    assert sum([await day.balance(one) for one in day.people.values()]) == RICH * len(NAMES)
    assert day.lines() == []
    given = received = 0
    for name, wh in energies.items():
        about = await day.ask("tokens:GetAccount", name)
        assert (about["orders"], about["locked"]) == (0, 0)
        rows = await day.ask("sharing:GetHours", name, "electricity", str(NOON))
        if not rows:
            continue
        position = rows[0]["position"]
        assert position["sold"] + position["shared_out"] <= (wh[0] if wh else 0)
        assert position["bought"] + position["shared_in"] <= (wh[1] if wh else 0)
        given += position["shared_out"]
        received += position["shared_in"]
    assert given == received


def redone(outcomes: list[Outcome]) -> Settlement:
    world, found = World(), Settlement("ped", lambda *_: [])
    for number, outcome in enumerate(outcomes):
        judged = Judged(0, VALID, None, outcome.namespaces)
        found.transaction(number, judged, world, outcome.private_results)
        world.apply(outcome.namespaces, Version(number, 0))
    return found
