# SPDX-License-Identifier: Apache-2.0
"""Whatever is ordered, amended, cancelled, cleared or voided: money and energy are conserved."""

import contextlib
import random
from typing import Any

import pytest

from pedchain_domain.market.tokenid import MONEY, to_hex
from pedchain_fabric.shim.testing import TransactionFailed
from tests.unit.chaincode.exchange import Prosumer
from tests.unit.chaincode.marketplace import GATE, LATER, POWER, VOID, WARMTH, Market, account, body


@pytest.mark.parametrize("seed", range(4))
async def test_money_and_energy_are_conserved_whatever_happens(seed: int) -> None:
    """Random orders, amendments, cancellations, folds; then clear or void; after each: all money
    is in rows, credits and deposits, all promises of a producer are locked in its lines."""
    chance = random.Random(seed)
    market = Market()
    await market.prepare()
    people = [Prosumer(f"p{at}", at + 1) for at in range(4)]
    for one in people:
        await market.register(one, 1_000_000)
    for _ in range(25):
        await act(market, chance.choice(people), chance)
        await conserved(market, people)
    placed = [name for _, name, _ in market.peer.events if name == "OrderRegistered"]
    assert len(placed) > 3
    await market.clock(VOID if seed % 2 else GATE)
    for product in (POWER, LATER, WARMTH):
        await finish(market, product, void=bool(seed % 2))
    for one in people:
        for product in (POWER, LATER, WARMTH):
            with contextlib.suppress(TransactionFailed):  # who has no order there takes nothing
                await market.take(one, product)
    await conserved(market, people)
    for one in people:
        locked = (await account(market, one))[1]
        mine = [line["deposit"] for line in market.lines() if line["account"] == one.name]
        assert locked == sum(mine)
    assert not (seed % 2 and market.lines())


async def act(market: Market, who: Prosumer, chance: random.Random) -> None:
    products = chance.sample([POWER, LATER, WARMTH], chance.randint(1, 3))
    lines = [(p, chance.randint(100, 900), chance.randint(0, 280)) for p in products]
    side = chance.choice(["OFFER", "BID"])
    open_ = sorted(await market.ask("market:ListOrders", who.name, ""))
    wish = chance.choice(["place", "place", "cancel", "amend", "fold"])
    # What is refused must change nothing: `conserved` looks after each wish.
    with contextlib.suppress(TransactionFailed):
        if wish == "fold":
            await market.fold(who)
        elif wish == "place" or not open_:
            await market.order(who, side, *lines)
        elif wish == "cancel":
            await market.spend(who, "market", "CancelOrder", "cancel-order", order=open_[0])
        else:
            changed = body(side, *lines) | {"order": open_[-1]}
            await market.spend(who, "market", "AmendOrder", "amend-order", **changed)


async def finish(market: Market, product: Any, *, void: bool) -> None:
    if void:
        await market.submit("market:VoidSession", to_hex(product.token))
    else:
        await market.close(product)
        await market.steps("Clear", product)


async def conserved(market: Market, people: list[Prosumer]) -> None:
    money = await market.locked()
    for one in people:
        money += await market.balance(one)
        money += (await market.waiting(one)).get(to_hex(MONEY), 0)
    assert money == await market.supply() == 1_000_000 * len(people)
    asks = market.lines(("ask",))
    for one in people:
        mine = sum(line["quantity"] for line in asks if line["account"] == one.name)
        minted = 0
        for product in (POWER, LATER, WARMTH):
            minted += await market.supply(to_hex(product.minted_by(one.number).token))
        assert minted == mine
