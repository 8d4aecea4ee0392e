# SPDX-License-Identifier: Apache-2.0
"""The multi-energy token paper's worked orders and trade, on the ledger (facts: paper B section 3).

M and E are morning and evening, E and H electricity and heat: order 1 offers four products, order 2
bids for two, and producer A's trade with consumer 3 is settled at its own offers: 400 in all.
"""

import json
from typing import Any

import pytest

from pedchain_domain.market.tokenid import HOUR, Carrier, Product, to_hex
from tests.unit.chaincode.certified import Certified
from tests.unit.chaincode.district import DAY, START
from tests.unit.chaincode.exchange import Prosumer
from tests.unit.chaincode.marketplace import GATE
from tests.unit.chaincode.settling import RICH, Settling

MORNING, EVENING = START + DAY + 8 * HOUR, START + DAY + 19 * HOUR
ME, EE = (Product(Carrier.ELECTRICITY, 1, at) for at in (MORNING, EVENING))
MH, EH = (Product(Carrier.HEAT, 2, at) for at in (MORNING, EVENING))


class Paper(Settling):
    """The paper's market: every trade at its offer's price, lots of any size."""

    pricing, lot = "pay-as-offer", 1

    async def measured(self) -> None:
        """Everyone's registers showed what it had traded, in both hours."""
        hours: dict[str, dict[int, dict[str, tuple[int, str]]]] = {}
        power = (("consumer1.gcp", "I", 10), ("consumer3.gcp", "I", 10), ("producerA.gcp", "E", 20))
        heat = (("consumer3.heat", "Q", 10), ("producerA.heat.out", "Q", 10))
        for point, role, wh in (*power, *heat):
            hours[point] = {at: {role: (wh, "M")} for at in (MORNING, EVENING)}
        found = Certified("DistrictA", hours)
        put = ("2026-01-02", json.dumps(found.certificate()))
        await self.peer.submit("metering-DistrictA", "Put", *put)
        await self.clock(EVENING + HOUR)
        for point in hours:
            for at in (MORNING, EVENING):
                await self.attach(found.proofs(point, at))


@pytest.fixture
async def market() -> Paper:
    found = Paper()
    await found.prepare((ME, EE, MH, EH))
    for number, name in enumerate(("consumer1", "consumer3", "producerA"), 1):
        found.people[name] = Prosumer(name, number)
        await found.register(found.people[name], RICH)
    return found


async def placed(market: Paper) -> None:
    seller, first, third = (market.people[n] for n in ("producerA", "consumer1", "consumer3"))
    await market.order(seller, "OFFER", (ME, 100, 10), (MH, 100, 15), (EE, 100, 10), (EH, 200, 15))
    await market.order(first, "BID", (ME, 10, 15), (EE, 10, 15))
    await market.order(third, "BID", (MH, 10, 15), (EH, 10, 15), (EE, 10, 10))


async def cleared(market: Paper) -> dict[str, list[Any]]:
    await market.clock(GATE)
    found = {}
    for product in (ME, EE, MH, EH):
        await market.close(product)
        await market.steps("Clear", product)
        answer = await market.ask("market:GetTrades", to_hex(product.token))
        found[product.name] = answer["trades"]
    return found


async def test_the_papers_trade_is_400_at_the_offers_prices(market: Paper) -> None:
    """[MH, EH, EE], 10 Wh each at 15, 15, 10 µcur per Wh: 150 + 150 + 100."""
    await placed(market)
    trades = await cleared(market)
    mine = [row for rows in trades.values() for row in rows if row[1] == "consumer3"]
    assert sorted(row[2:] for row in mine) == [[10, 10_000], [10, 15_000], [10, 15_000]]
    assert sum(wh * price // 1_000 for _, _, wh, price in mine) == 400


async def test_deposits_are_what_the_trades_can_cost(market: Paper) -> None:
    await placed(market)
    await cleared(market)
    third = market.people["consumer3"]
    about = await market.ask("tokens:GetAccount", third.name)
    assert (about["locked"], await market.balance(third)) == (400, RICH - 400)


async def test_settled_as_delivered_it_moves_three_tokens_one_way_and_400_the_other(
    market: Paper,
) -> None:
    await placed(market)
    await cleared(market)
    await market.measured()
    for product in (ME, EE, MH, EH):
        await market.submit("market:Measure", to_hex(product.token))
        await market.steps("Settle", product)
    for who, products in (
        ("producerA", (ME, EE, MH, EH)),
        ("consumer1", (ME, EE)),
        ("consumer3", (MH, EH, EE)),
    ):
        await market.take(market.people[who], *products)
    third = market.people["consumer3"]
    assert await market.gains() == {"consumer1": -200, "consumer3": -400, "producerA": 600}
    for product in (MH, EH, EE):
        token = to_hex(product.minted_by(3).token)
        assert await market.balance(third, token) == 10
        assert await market.supply(token) == (20 if product is EE else 10)
