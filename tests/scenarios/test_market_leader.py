# SPDX-License-Identifier: Apache-2.0
"""A leading orderer that holds back what it is given, while orders arrive at every gateway: they
are ordered under another leader, in whatever order, once; and the auction's fills are those of the
same orders in any other order."""

import asyncio
import random
import secrets
import signal
import time
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from pedchain_fabric.shim.testing import TransactionFailed
from pedchain_gateway.ledger.port import LedgerError
from tests.scenarios.harness import Network
from tests.scenarios.harness import network as make_network
from tests.scenarios.onnetwork import NetworkPeer, connected
from tests.unit.chaincode.exchange import ORGANIZATIONS, Prosumer
from tests.unit.chaincode.marketplace import POWER, RICH, Market, body
from tests.unit.chaincode.test_arrival import traded

pytestmark = [pytest.mark.serial, pytest.mark.native, pytest.mark.timeout(400)]
PLACED_S, AGAIN_S, AWAY_S = 120.0, 0.5, 40.0
ORDERS = [
    ("s1", "OFFER", 100, 110), ("s2", "OFFER", 100, 110), ("b1", "BID", 150, 120),
    ("b2", "BID", 150, 120), ("b3", "BID", 100, 120), ("b3", "BID", 150, 120),
]  # fmt: skip
Order = tuple[str, str, int, int]


class Held(Market):
    """A market on a network."""

    def __init__(self, peer: NetworkPeer) -> None:
        super().__init__()
        self.peer: Any = peer

    def fresh(self, **transient: bytes) -> dict[str, bytes]:
        return {"salt": secrets.token_bytes(16), **transient}


@pytest.mark.fault(30)
async def test_a_leader_that_holds_orders_back_decides_no_fill(
    tmp_path_factory: pytest.TempPathFactory, record_property: Callable[[str, object], None]
) -> None:
    with make_network("native", tmp_path_factory.mktemp("leader")) as network:
        network.run("up")
        async with connected(network.profiles) as peer:
            market = Held(peer)
            await market.prepare([POWER])
            names = sorted({name for name, *_ in ORDERS})
            people = {name: Prosumer(name, at + 1) for at, name in enumerate(names)}
            for one in people.values():
                await market.register(one, RICH)
            held = asyncio.create_task(held_back(network))
            await asyncio.gather(*(placed(market, one) for one in people.values()))
            record_property("leader", await held)
            found = await market.clear()
            assert sorted(found["trades"]) == await traded(list(reversed(ORDERS)), "uniform")
            for one in people.values():
                mine = sum(name == one.name for name, *_ in ORDERS)
                assert len(await market.ask("market:ListOrders", one.name, "")) == mine


async def held_back(network: Network) -> str:
    """Pause the leading orderer until another leads, or it is plain that none will without it (of
    four, three must agree: ADR 20); what came of it."""
    before = (await status(network))["ordering"]["leader"]
    parts = (await status(network))["parts"]
    process = psutil.Process(next(each["pid"] for each in parts if each["name"] == before))
    process.send_signal(signal.SIGSTOP)
    try:
        deadline = time.monotonic() + AWAY_S
        while time.monotonic() < deadline:
            leader = (await status(network))["ordering"]["leader"]
            if leader not in {"", before}:
                return f"{before}, then {leader}"
            await asyncio.sleep(AGAIN_S)
        return f"{before}, waited for"
    finally:
        process.send_signal(signal.SIGCONT)


async def status(network: Network) -> dict[str, Any]:
    return await asyncio.to_thread(network.status)


async def placed(market: Market, who: Prosumer) -> None:
    """All of a member's orders, each at some gateway, again until it is on the ledger."""
    mine = [order for order in ORDERS if order[0] == who.name]
    random.Random(who.number).shuffle(mine)
    for order in mine:
        await _placed(market, who, order)


async def _placed(market: Market, who: Prosumer, order: Order) -> None:
    _, side, wh, price = order
    signed = who.signed("market", "register-order", body(side, (POWER, wh, price)))
    deadline, at = time.monotonic() + PLACED_S, who.number
    while True:
        gateway = ORGANIZATIONS[at % len(ORGANIZATIONS)]
        try:
            await market.carry(who, "market:RegisterOrder", signed, gateway)
        except (TransactionFailed, LedgerError):
            if await _counted(market, who):
                who.counter += 1  # it was ordered, though nobody said so
                return
            if time.monotonic() > deadline:
                raise
        else:
            return
        at += 1  # another gateway: nobody can hold a member to one
        await asyncio.sleep(AGAIN_S)


async def _counted(market: Market, who: Prosumer) -> bool:
    account = await market.ask("tokens:GetAccount", who.name)
    return bool(account["counter"] > who.counter)
