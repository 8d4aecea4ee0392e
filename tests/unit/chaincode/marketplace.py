# SPDX-License-Identifier: Apache-2.0
"""A market on a peer in memory: zones, days, references, sessions of 2026-01-02."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pedchain_chaincode.settlement.market import MarketContract
from pedchain_domain import canonical
from pedchain_domain.market.tokenid import HOUR, Carrier, Product, to_hex
from tests.unit.chaincode.district import DAY, START, calendar
from tests.unit.chaincode.exchange import GATEWAYS, SETTLEMENT, Exchange, Prosumer

K = 1_000
NOON = START + DAY + 12 * HOUR
GATE, VOID = START + 17 * HOUR, START + 22 * HOUR
POWER = Product(Carrier.ELECTRICITY, 1, NOON)
LATER = Product(Carrier.ELECTRICITY, 1, NOON + HOUR)
WARMTH = Product(Carrier.HEAT, 2, NOON)
RETAIL, FEED_IN = 280 * K, 80 * K
RICH = 5_000_000


def reference(carrier: str, **changes: Any) -> dict[str, Any]:
    prices = {"retail": [RETAIL] * 24, "feed_in": [FEED_IN] * 24}
    whole = {"schema": "reference/1", "carrier": carrier, "start": START + DAY}
    return whole | {"classes": {"home": prices}} | changes


def body(side: str, *lines: tuple[Product, int, int]) -> dict[str, Any]:
    """An order of (product, Wh, µcur per Wh)."""
    return {
        "side": side,
        "tokens": [to_hex(product.token) for product, _, _ in lines],
        "quantities": [wh for _, wh, _ in lines],
        "prices": [price * K for _, _, price in lines],
    }


class Market(Exchange):
    """The calls of a market day."""

    pricing, lot = "uniform", 100

    def contracts(self) -> list[Any]:
        return [*super().contracts(), MarketContract()]

    async def prepare(
        self, products: Sequence[Product] = (POWER, LATER, WARMTH, replace(POWER, zone=3))
    ) -> None:
        """Zones, days and references before the day begins; then its sessions open."""
        await self.begin()
        for number, carrier in ((1, "electricity"), (2, "heat"), (3, "electricity")):
            zone = {"schema": "zone/1", "number": number, "id": f"z{number}", "carrier": carrier}
            zone = {**zone, "pricing": self.pricing, "lot": self.lot}
            await self.submit("market:PutZone", canonical.encode(zone))
        await self.submit("market:PutDays", canonical.encode(calendar(5)))
        await self.clock(START - HOUR)
        for carrier in ("electricity", "heat"):
            await self.agree(reference(carrier))
        await self.clock(START)
        for product in products:
            await self.open(product)

    async def joined(self, name: str, number: int) -> Prosumer:
        """A new member with money enough for every order of these tests."""
        found = Prosumer(name, number)
        await self.register(found, RICH)
        return found

    async def clock(self, instant: int) -> None:
        await self.tick(*[instant] * 4)

    async def agree(self, table: dict[str, Any]) -> None:
        encoded = canonical.encode(table)
        await self.submit("market:ProposeReference", encoded)
        await self.submit(
            "market:ApproveReference",
            table["carrier"],
            hashlib.sha256(encoded).hexdigest(),
            creator=GATEWAYS["DistrictBMSP"],
        )

    async def open(self, product: Product) -> None:
        await self.submit("market:OpenSession", str(product.zone), str(product.start))

    async def close(self, product: Product = POWER, **options: Any) -> None:
        await self.submit("market:CloseSession", to_hex(product.token), **options)

    async def order(
        self, who: Prosumer, side: str, *lines: tuple[Product, int, int], **more: str
    ) -> str:
        """Place an order; its id."""
        before = await self.ask("market:ListOrders", who.name, "")
        sent = {**body(side, *lines), **more}
        await self.spend(who, "market", "RegisterOrder", "register-order", **sent)
        after = await self.ask("market:ListOrders", who.name, "")
        return next(iter(after.keys() - before.keys()))

    async def steps(self, function: str, product: Product = POWER) -> int:
        """Call until `done`; how many steps it took."""
        taken = 1
        while await self.submit(f"market:{function}", to_hex(product.token)) != b"done":
            taken += 1
        return taken

    async def clear(self, product: Product = POWER) -> dict[str, Any]:
        """Close and clear; the session's trades."""
        await self.clock(GATE)
        await self.close(product)
        await self.steps("Clear", product)
        found: dict[str, Any] = await self.ask("market:GetTrades", to_hex(product.token))
        return found

    async def take(self, who: Prosumer, *products: Product) -> None:
        """Take what came of an account's orders."""
        names = sorted(to_hex(product.token) for product in products or (POWER,))
        await self.spend(who, "market", "Take", "take", sessions=names)

    async def session(self, product: Product = POWER) -> dict[str, Any]:
        found: dict[str, Any] = await self.ask("market:GetSession", to_hex(product.token))
        return found

    async def locked(self) -> int:
        """All that stands as deposit of order lines, µcur."""
        return sum(line["deposit"] for line in self.lines())

    def lines(self, kinds: tuple[str, ...] = ("ask", "bid")) -> list[dict[str, Any]]:
        """Every order line in the book."""
        book = self.peer.private(SETTLEMENT, "book")
        found: list[dict[str, Any]] = []
        for key, value in book.items():
            if key.split("\x00")[1] in kinds:
                document: Any = canonical.decode(value[16:])
                found.append(document)
        return found


async def opened() -> Market:
    """A market whose sessions are open."""
    found = Market()
    await found.prepare()
    return found


async def account(market: Market, who: Prosumer) -> tuple[int, int]:
    """Open orders and locked deposits."""
    found = await market.ask("tokens:GetAccount", who.name)
    return found["orders"], found["locked"]
