# SPDX-License-Identifier: Apache-2.0
"""One noon that a market, a community, certificates of origin and an order of demand response all
want a part of: two plants sell, share and export what they feed in, homes that were asked to use
less buy it and are shared it, and by the same orders heat of one of the plants, on a peer in
memory."""

import hashlib
import json
from typing import Any

from pedchain_domain import canonical
from pedchain_domain.market.tokenid import Carrier, Product, to_hex
from pedchain_fabric.wire import compositekey
from tests.unit.chaincode.district import (
    DAY,
    METERING,
    OPERATOR,
    Home,
    Meter,
    day_name,
    point,
)
from tests.unit.chaincode.exchange import GATEWAYS, MONEY, SETTLEMENT, Prosumer
from tests.unit.chaincode.flexing import BEFORE, EVENT, HOUR, TODAY, Flexible
from tests.unit.chaincode.marketplace import K, Market, reference
from tests.unit.chaincode.wallets import Wallet, foreign, receipt

NOON = Product(Carrier.ELECTRICITY, 1, EVENT)
NAME = to_hex(NOON.token)
FED = {"m1": 2_000, "m2": 1_300}
"""What the plants feed in at noon, Wh."""
WARM = Product(Carrier.HEAT, 2, EVENT)
HEAT = {"m1": ("HEAT_OUT", 700), "h00": ("HEAT_IN", 500), "h01": ("HEAT_IN", 300)}
"""Heat at noon that the plant gives to the network and homes draw from it, Wh; it promises 800."""
SOLD, FACTOR = 500, 900_000
STREET: dict[str, Any] = {
    "schema": "community/1",
    "id": "street",
    "district": "DistrictA",
    "carrier": "electricity",
    "zone": 1,
    "key": "dynamic",
    "price": 120_000,
    "shares": {},
}


def held(order: dict[str, Any]) -> int:
    """What an order holds, µcur: all that was locked, then its users' pool until they have it."""
    if order["state"] in ("ISSUED", "ACCEPTED"):
        return int(order["escrow"] + order["collateral"])
    is_paid = order["districts"].get("DistrictA", {}).get("phase") == "paid"
    return int(order["result"]["users"]) if order["state"] == "SETTLED" and not is_paid else 0


class Heater:
    """A site's meter at the heat network."""

    def __init__(self, name: str) -> None:
        self.kind, self.wh = HEAT[name]
        self.site, self.meter = name, Meter(f"{name}.heatmeter", f"{name}.heat", ("Q",))

    def documents(self) -> list[dict[str, Any]]:
        return [point(self.meter.point, self.site, self.kind), self.meter.document()]

    def record(self) -> bytes:
        """Its day: all of it at noon."""
        hours = range(25)
        return self.meter.record([(TODAY + h * HOUR, "Q", self.wh * (h > 12)) for h in hours])


class Noon:
    """The district and settlement, up to where everything may happen in any order."""

    day = day_name(BEFORE)

    def __init__(self, origin: str = "follows") -> None:
        self.origin_of = {"origin": origin}
        self.flex, self.market = Flexible(), Market()
        self.peer = self.flex.peer
        self.market.peer, self.market.receipts = self.peer, 100  # one bank, two counts
        self.plants = [Home(name, "P2") for name in FED]
        drawers = self.flex.homes[:3]
        self.people = {
            name: self._person(name, number, grid, feeds=name in FED)
            for number, (name, grid) in enumerate(
                [(home.name, home.grid) for home in [*self.plants, *drawers]], 10
            )
        }
        self.wallets = {name: Wallet(f"gc-{name}", name) for name in FED}
        self.heaters = [Heater(name) for name in HEAT]
        self.batches = 0

    @staticmethod
    def _person(name: str, number: int, grid: Meter, *, feeds: bool) -> Prosumer:
        draws = {"point": grid.point, "role": "I"}
        fed = {"point": grid.point, "role": "E"} if feeds else None
        places = {"electricity": {"zone": 1, "feeds": fed, "draws": draws}}
        if name in HEAT:
            register = {"point": f"{name}.heat", "role": "Q"}
            both = (
                {"feeds": register, "draws": None} if feeds else {"feeds": None, "draws": register}
            )
            places["heat"] = {"zone": 2, **both}
        return Prosumer(f"mk-{name}", number, places=places)

    async def prepare(self) -> None:
        """Orders cleared, the order of demand response noticed and over, the day closed by F."""
        await self.flex.prepare()
        await self.flex.ledger.register(*self.plants, *self.heaters)
        await self._market()
        await self.flex.notice()
        await self._measured()
        await self.flex.event({(home.name, 12): 400 for home in self.flex.homes[:2]})
        for wallet in self.wallets.values():
            place = await self.flex.ledger.ask("privacy:GetSubjectDay", wallet.of, day_name(BEFORE))
            sent = {"account": wallet.request(), "cell": str(place["cell"]).encode()}
            await self.origin("OpenAccount", **sent)
        while await self.origin("IssueDay", day_name(BEFORE)) != b"done":
            pass
        await self.peer.submit(METERING, "origin:PutForeign", foreign())
        await self.show()

    async def _market(self) -> None:
        for product in (NOON, WARM):
            zone = {"schema": "zone/1", "number": product.zone, "id": f"z{product.zone}"}
            zone |= {"carrier": str(product.carrier), "pricing": "uniform", "lot": 100}
            await self.market.submit("market:PutZone", canonical.encode(zone))
        row = {"type": "working"}
        days = [
            {"day": day_name(n), "start": TODAY + (n - BEFORE) * DAY, **row}
            for n in range(BEFORE - 1, BEFORE + 2)
        ]
        rows = [{**each, "end": each["start"] + DAY} for each in days]
        calendar = {"schema": "calendar/1", "id": "cal-2026", "rows": rows}
        await self.market.submit("market:PutDays", canonical.encode(calendar))
        await self.market.clock(TODAY - DAY)
        for product in (NOON, WARM):
            await self.market.agree(reference(str(product.carrier), start=TODAY))
            await self.market.open(product)
        street = {**STREET, **self.origin_of}
        sent = self.market.fresh(community=json.dumps(street).encode())
        await self.market.submit(
            "sharing:PutCommunity", transient=sent, creator=GATEWAYS["DistrictAMSP"]
        )
        digest = hashlib.sha256(canonical.encode(street)).hexdigest()
        join = {"community": "street", "terms": digest, "factor_ppm": FACTOR}
        for number, (name, person) in enumerate(self.people.items()):
            await self.market.register(person, 2_000 * K)
            await self.market.spend(person, "sharing", "JoinCommunity", "join-community", **join)
            side, price = ("OFFER", 100) if number < len(FED) else ("BID", 150)
            heat = [(WARM, 800 if side == "OFFER" else 400, price)] if name in HEAT else []
            await self.market.order(person, side, (NOON, SOLD, price), *heat, **self.origin_of)
        await self.market.clock(TODAY - 7 * HOUR)
        for product in (NOON, WARM):
            await self.market.close(product)
            await self.market.steps("Clear", product)

    async def _measured(self) -> None:
        """The plants' day: all of it at noon."""
        records = [heater.record() for heater in self.heaters]
        for home in self.plants:
            for hour in range(25):
                values = [("I", 0), ("E", FED[home.name] * (hour > 12))]
                at = TODAY + hour * HOUR
                records.append(home.grid.record([(at, role, wh) for role, wh in values]))
        await self.flex.ledger.file(*records)

    async def origin(self, function: str, *args: str, **sent: bytes) -> bytes:
        answer: bytes = await self.peer.submit(
            METERING,
            f"origin:{function}",
            *args,
            transient=self.flex.fresh(**sent),
            **({} if function == "OpenAccount" else {"creator": OPERATOR}),
        )
        return answer

    async def show(self) -> None:
        """Attach everybody's noon as the certificate in force prints it."""
        homes = [*self.plants, *self.flex.homes[:3]]
        points = [home.grid.point for home in homes] + [one.meter.point for one in self.heaters]
        for point_ in points:
            asked = (point_, day_name(BEFORE), str(EVENT))
            proofs = await self.flex.ledger.ask("GetProof", *asked)
            sent = self.market.fresh(
                proofs=json.dumps(proofs if isinstance(proofs, list) else [proofs]).encode()
            )
            await self.market.submit("market:AttachCertificate", transient=sent)

    # what may happen in any order

    async def settle(self, product: Product = NOON) -> None:
        await self.market.submit("market:Measure", to_hex(product.token))
        await self.market.steps("Settle", product)

    async def warm(self) -> None:
        await self.settle(WARM)

    async def share(self) -> None:
        await self.market.submit("sharing:ShareHour", "street", str(EVENT))

    async def correct(self) -> None:
        await self.market.submit("sharing:CorrectHour", "street", str(EVENT))

    async def follow(self) -> None:
        """Certificates go with what was sold and shared, as far as that is over."""
        layout = json.loads(self.peer.state(METERING)[compositekey.create("layout", [])])
        for cell in range(len(layout["cells"])):
            while await self.origin("FollowDay", self.day, str(cell)) == b"more":
                pass

    async def leave(self, name: str, wh: int) -> None:
        """Lock so much of a plant's certificate, and export it."""
        wallet = self.wallets[name]
        found = [one for one in await self.certificates(name) if one["state"] == "active"]
        whole = next((one for one in found if one["wh"] > wh), None)
        if whole is not None:
            await self._debit(
                wallet, "slice", certificate=whole["id"], parts=[wh, whole["wh"] - wh]
            )
        found = [one for one in await self.certificates(name) if one["state"] == "active"]
        part = next((one["id"] for one in found if one["wh"] == wh), None)
        if part is None:
            return
        await self._debit(wallet, "lock", certificate=part, registry="north")
        locked = next(one for one in await self.certificates(name) if one["id"] == part)
        body = {"certificate": part, "receipt": receipt(locked), "underlying_cancelled": None}
        await self._debit(wallet, "export", **body)

    async def wallet(self, name: str) -> Wallet:
        """An account of origin of somebody's site, opened."""
        wallet = Wallet(f"gc-{name}", name)
        place = await self.flex.ledger.ask("privacy:GetSubjectDay", name, self.day)
        sent = {"account": wallet.request(), "cell": str(place["cell"]).encode()}
        await self.origin("OpenAccount", **sent)
        return wallet

    async def claim(self, name: str, buyer: Wallet, wh: int) -> None:
        """Cancel so much of a plant's certificate for a buyer, who claims it."""
        seller = self.wallets[name]
        whole = next(one for one in await self.certificates(name) if one["state"] == "active")
        await self._debit(seller, "slice", certificate=whole["id"], parts=[wh, whole["wh"] - wh])
        part = next(
            one["id"]
            for one in await self.certificates(name)
            if (one["state"], one["wh"]) == ("active", wh)
        )
        await self._debit(seller, "cancel", certificate=part, **{"for": buyer.account})
        await self._debit(buyer, "claim", certificate=part)

    async def _debit(self, wallet: Wallet, action: str, **body: Any) -> None:
        signed = wallet.signed(action, counter=wallet.counter + 1, **body)
        await self.origin("Debit", debit=signed)
        wallet.counter += 1

    async def pay(self) -> None:
        """What the order of demand response brings."""
        await self.flex.settle()

    # what came of it

    async def certificates(self, name: str) -> list[dict[str, Any]]:
        found: dict[str, Any] = await self.flex.ledger.ask(
            "origin:ListCertificates", f"gc-{name}", ""
        )
        rows: list[dict[str, Any]] = found["certificates"]
        return rows

    async def position(self, name: str) -> dict[str, int]:
        """Of an account's noon, Wh: what the registers, the market, the community and the
        certificates say, each asked on its own."""
        account = self.people[name].name
        rows = await self.market.ask("sharing:GetHours", account, "electricity", str(TODAY))
        row = next(one for one in rows if one["hour"] == EVENT)
        state = (await self.market.session(NOON))["state"]
        trades = []
        if state == "SETTLED":
            trades = (await self.market.ask("market:GetSettled", NAME))["trades"]
        shared = row.get("corrected") or row.get("shared") or [0, 0]
        gone = await self.certificates(name) if name in FED else []
        return {
            "fed_in": row["fed_in"] or 0,
            "drawn": row["drawn"] or 0,
            "sold": sum(each[3] for each in trades if each[0] == account),
            "bought": sum(each[3] for each in trades if each[1] == account),
            "shared_in": shared[0],
            "shared_out": shared[1],
            "left": sum(one["wh"] for one in gone if one["state"] in ("locked", "exported")),
            "followed": sum(sum(one.get("followed", {}).values()) for one in gone),
            "first_shared_out": (row.get("shared") or [0, 0])[1],
        }

    def money(self) -> int:
        """All there is, µcur: balances and credits, deposits, what orders hold."""
        total = 0
        for value in self.peer.private(SETTLEMENT, "book").values():
            found = json.loads(value[16:]) if value[16:17] == b"{" else {}
            if found.get("token") == MONEY:
                total += found["amount"]
            elif found.get("schema") == "account/1":
                total += found["locked"]
        for key, value in self.peer.state(SETTLEMENT).items():
            if key.startswith("\x00flex-order\x00"):
                total += held(json.loads(value))
        return total

    async def heat(self, name: str) -> dict[str, int]:
        """The same of an account's heat."""
        account = self.people[name].name
        rows = await self.market.ask("sharing:GetHours", account, "heat", str(TODAY))
        row = next(one for one in rows if one["hour"] == EVENT)
        trades = []
        if (await self.market.session(WARM))["state"] == "SETTLED":
            trades = (await self.market.ask("market:GetSettled", to_hex(WARM.token)))["trades"]
        return {
            "fed_in": row["fed_in"] or 0,
            "drawn": row["drawn"] or 0,
            "sold": sum(each[3] for each in trades if each[0] == account),
            "bought": sum(each[3] for each in trades if each[1] == account),
        }

    def kept(self) -> Any:
        """All that these calls change, to go back to."""
        counters = {name: one.counter for name, one in self.wallets.items()}
        people = {name: one.counter for name, one in self.people.items()}
        return self.flex.kept(), self.market.salts, counters, people

    def restore(self, kept: Any) -> None:
        """Go back."""
        flex, self.market.salts, counters, people = kept
        self.flex.restore(flex)
        for name, counter in counters.items():
            self.wallets[name].counter = counter
        for name, counter in people.items():
            self.people[name].counter = counter
