# SPDX-License-Identifier: Apache-2.0
"""A market and communities with a district's certificates, from orders to settled trades."""

import json
from collections.abc import Sequence
from typing import Any

from pedchain_chaincode.flexibility.ordering import OrderingContract
from pedchain_chaincode.origin.contract import OriginContract
from pedchain_chaincode.settlement.sharing import SharingContract
from pedchain_domain.market.tokenid import HOUR, to_hex
from tests.unit.chaincode.certified import Certified, Hours, PrintingContract
from tests.unit.chaincode.exchange import Prosumer
from tests.unit.chaincode.marketplace import NOON, POWER, Market

RICH = 5_000_000
ENDS = NOON + HOUR
Energies = dict[str, tuple[int, int] | None]
"""account -> (fed in, drawn) Wh, or None for an hour not measured."""


class Settling(Market):
    """A market with a district's certificates."""

    def __init__(self) -> None:
        super().__init__()
        self.peer.install("metering-DistrictA", PrintingContract(), OriginContract())
        self.people: dict[str, Prosumer] = {}

    def contracts(self) -> list[Any]:
        return [*super().contracts(), SharingContract(), OrderingContract()]

    async def certify(self, energies: Energies, run: str = "F", *, even: bool = True) -> Certified:
        hours: Hours = {
            f"{name}.gcp": {
                NOON: {
                    "E": (wh[0], "M") if wh else (0, "G"),
                    "I": (wh[1], "M") if wh else (0, "G"),
                }
            }
            for name, wh in energies.items()
        }
        found = Certified("DistrictA", hours, run, even=even)
        await self.peer.submit(
            "metering-DistrictA", "Put", "2026-01-02", json.dumps(found.certificate())
        )
        return found

    async def attach(self, proofs: Sequence[dict[str, Any]]) -> None:
        transient = self.fresh(proofs=json.dumps(list(proofs)).encode())
        await self.submit("market:AttachCertificate", transient=transient)

    async def leave(self, name: str) -> dict[str, Any]:
        """A certificate of origin of an account's noon is locked; what settlement said of it."""
        register = json.dumps([[f"{name}.gcp", "E"]])
        found = await self.ask("sharing:GetGiven", "DistrictA", str(NOON), register)
        for mark in found["marks"]:
            await self.peer.submit("metering-DistrictA", "Leave", mark)
        return dict(found)

    async def trade(self, *orders: tuple[str, str, int, int]) -> None:
        """Register everyone, place (account, side, Wh, price), clear, and let the hour pass."""
        await self.placed(*orders)
        await self.passed()

    async def placed(self, *orders: tuple[str, str, int, int]) -> None:
        """Register everyone, and place (account, side, Wh, price)."""
        for at, name in enumerate(sorted({name for name, *_ in orders})):
            self.people[name] = Prosumer(name, at + 1)
            await self.register(self.people[name], RICH)
        for name, side, wh, price in orders:
            await self.order(self.people[name], side, (POWER, wh, price))

    async def passed(self) -> None:
        """Clear, and let the hour pass."""
        await self.clear()
        await self.clock(ENDS)
        await self.submit("market:Measure", to_hex(POWER.token))

    async def settle(self, energies: Energies) -> list[Any]:
        """Certify, show, settle and fold; the trades as settled."""
        certified = await self.certify(energies)
        for name in sorted(energies):
            await self.attach(certified.proofs(f"{name}.gcp", NOON))
        await self.steps("Settle")
        for one in self.people.values():
            await self.take(one)
        found = await self.ask("market:GetSettled", to_hex(POWER.token))
        trades: list[Any] = found["trades"]
        return trades

    async def gains(self) -> dict[str, int]:
        return {name: await self.balance(one) - RICH for name, one in self.people.items()}
