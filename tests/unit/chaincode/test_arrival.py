# SPDX-License-Identifier: Apache-2.0
"""The order in which orders arrive changes no account's fill (rules K6, K7)."""

import random
from typing import Any

import pytest

from tests.unit.chaincode.exchange import Prosumer
from tests.unit.chaincode.marketplace import POWER, Market

NAMES = ("b1", "b2", "b3", "s1", "s2")


async def traded(orders: list[tuple[str, str, int, int]], pricing: str) -> list[Any]:
    """The trades that orders make, placed in this order."""
    market = Market()
    market.pricing = pricing
    await market.prepare([POWER])
    people = {name: Prosumer(name, at + 1) for at, name in enumerate(NAMES)}
    for one in people.values():
        await market.register(one, 5_000_000)
    for name, side, wh, price in orders:
        await market.order(people[name], side, (POWER, wh, price))
    found = await market.clear()
    return sorted(found["trades"])


@pytest.mark.fault(30)
@pytest.mark.parametrize("pricing", ["uniform", "pay-as-offer"])
async def test_permuting_arrival_leaves_every_fill_unchanged(pricing: str) -> None:
    """Three equal bids share 200 Wh that no third divides; one of them comes in two orders."""
    orders = [
        ("s1", "OFFER", 100, 110), ("s2", "OFFER", 100, 110), ("b1", "BID", 150, 120),
        ("b2", "BID", 150, 120), ("b3", "BID", 100, 120), ("b3", "BID", 150, 120),
    ]  # fmt: skip
    first = await traded(orders, pricing)
    assert sum(row[2] for row in first) == 200
    for seed in range(4):
        shuffled = list(orders)
        random.Random(seed).shuffle(shuffled)
        assert await traded(shuffled, pricing) == first
