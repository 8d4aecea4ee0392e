# SPDX-License-Identifier: Apache-2.0
"""What became of one order over time, as its owner and the operators can ask."""

import pytest

from pedchain_domain.market.tokenid import to_hex
from pedchain_fabric.shim.testing import TransactionFailed
from tests.unit.chaincode.exchange import Prosumer
from tests.unit.chaincode.marketplace import LATER, POWER, K, Market, body


async def market_of(*names: str) -> tuple[Market, list[Prosumer]]:
    market = Market()
    await market.prepare()
    people = [Prosumer(name, at + 1) for at, name in enumerate(names)]
    for one in people:
        await market.register(one, 5_000_000)
    return market, people


async def test_an_order_is_told_from_its_placing_to_what_was_taken() -> None:
    market, (seller, buyer) = await market_of("sam", "bea")
    sold = await market.order(seller, "OFFER", (POWER, 600, 100), (LATER, 200, 100))
    await market.order(buyer, "BID", (POWER, 400, 120))
    await market.clear()
    await market.take(seller)
    found = await market.ask("market:GetOrderHistory", "sam", sold)
    assert [(one["action"], one["counter"]) for one in found["changes"]] == [
        ("register-order", 2),
        ("take", 3),
    ]
    assert found["changes"][0]["body"]["quantities"] == [600, 200]
    assert {one["account"] for one in found["changes"]} == {"sam"}
    price = (await market.ask("market:GetTrades", to_hex(POWER.token)))["price"]
    kept = 400 * (280 * K - price) // K
    assert found["sessions"] == {
        to_hex(POWER.token): {"state": "CLEARED", "wh": 400, "kept": kept},
        to_hex(LATER.token): {"state": "OPEN", "wh": None, "kept": None},
    }


async def test_an_order_that_was_amended_or_withdrawn_is_still_told() -> None:
    market, (who,) = await market_of("bea")
    first = await market.order(who, "BID", (POWER, 400, 120))
    changed = body("BID", (POWER, 300, 110)) | {"order": first}
    await market.spend(who, "market", "AmendOrder", "amend-order", **changed)
    (second,) = await market.ask("market:ListOrders", "bea", "")
    await market.spend(who, "market", "CancelOrder", "cancel-order", order=second)
    told = [await market.ask("market:GetOrderHistory", "bea", name) for name in (first, second)]
    actions = [[one["action"] for one in found["changes"]] for found in told]
    assert actions == [["register-order", "amend-order"], ["amend-order", "cancel-order"]]
    assert told[1]["changes"][0]["body"]["quantities"] == [300]


async def test_nobody_else_has_had_it() -> None:
    market, (one, _) = await market_of("bea", "sam")
    order = await market.order(one, "BID", (POWER, 400, 120))
    for name, order_, reason in (("sam", order, "not-found"), ("bea", "x" * 99, "malformed-id")):
        with pytest.raises(TransactionFailed, match=reason):
            await market.ask("market:GetOrderHistory", name, order_)
