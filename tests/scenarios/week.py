# SPDX-License-Identifier: Apache-2.0
"""Two districts that share and trade electricity and, on one low-temperature heat network, heat.

Six homes, a grid meter and a heat meter each. Those of DistrictA have roofs and feed the sun's heat
into the network; those of DistrictB only draw. Every day each home places one order over both
carriers and three hours; sessions clear across the districts, which are one market zone and one
heat network; what the market leaves is shared within each district's own communities.
"""

import asyncio
import hashlib
import json
import secrets
from collections.abc import Awaitable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pedchain_domain import batch, canonical
from pedchain_domain.calendar import shifted
from pedchain_domain.market.tokenid import HOUR, Carrier, Product, to_hex
from tests.unit.chaincode.district import DAY, START, Home, Meter, district, factors, point
from tests.unit.chaincode.exchange import GATEWAYS, Prosumer
from tests.unit.chaincode.marketplace import Market, body, reference

FIRST = -300  # days from START: past the closing dates of every run by now
HOURS = (9, 12, 19)
ZONES = {Carrier.ELECTRICITY: 1, Carrier.HEAT: 2}
RICH = 9_000_000
HOMES = {"DistrictA": ("a1", "a2", "a3"), "DistrictB": ("b1", "b2", "b3")}
FLOWS = {
    "a1": {"I": (0, 200, 300), "E": (1_500, 2_600, 0), "Qout": (900, 2_000, 100), "Q": (0, 0, 300)},
    "a2": {"I": (100, 0, 500), "E": (300, 1_200, 0), "Qout": (100, 800, 0), "Q": (200, 0, 900)},
    "a3": {"I": (700, 300, 900), "E": (0, 0, 0), "Qout": (0, 0, 0), "Q": (600, 500, 700)},
    "b1": {"I": (900, 1_100, 700), "E": (0, 0, 0), "Qout": (0, 0, 0), "Q": (800, 900, 1_200)},
    "b2": {"I": (400, 800, 600), "E": (0, 0, 0), "Qout": (0, 0, 0), "Q": (300, 400, 800)},
    "b3": {"I": (600, 0, 800), "E": (200, 900, 0), "Qout": (200, 700, 0), "Q": (100, 0, 600)},
}
"""Wh in each of the hours, by register; every other hour is still."""
COMMUNITIES: dict[tuple[str, Carrier], dict[str, Any]] = {
    ("DistrictA", Carrier.ELECTRICITY): {"key": "dynamic"},
    ("DistrictA", Carrier.HEAT): {
        "key": "static",
        "shares": {"acc-a1": 200_000, "acc-a2": 300_000, "acc-a3": 500_000},
    },
    ("DistrictB", Carrier.ELECTRICITY): {
        "key": "priority",
        "shares": {"acc-b2": 1, "acc-b1": 2, "acc-b3": 3},
    },
    ("DistrictB", Carrier.HEAT): {"key": "dynamic"},
}


@dataclass
class Place:
    """A home with its grid meter and, if any, two heat meters; its account."""

    name: str
    district: str
    number: int
    home: Home = field(init=False)
    account: Prosumer = field(init=False)

    def __post_init__(self) -> None:
        self.home = Home(self.name, "P2")
        about = {"district": self.district}
        self.account = Prosumer(f"acc-{self.name}", self.number, places=self.places(), **about)
        self.heat_in = Meter(f"{self.name}.heatin", f"{self.name}.heat", ("Q",))
        self.heat_out = Meter(f"{self.name}.heatout", f"{self.name}.heat.out", ("Q",))

    def places(self) -> dict[str, Any]:
        return Prosumer(self.name, self.number).places()

    def documents(self) -> Iterator[dict[str, Any]]:
        """Site, points and devices, as they stood before the first day."""
        heat = [(self.heat_in, "HEAT_IN"), (self.heat_out, "HEAT_OUT")]
        found = [
            *self.home.documents(),
            *(point(meter.point, self.name, kind) for meter, kind in heat),
            *(meter.document() for meter, _ in heat),
        ]
        for each in found:
            yield {**each, "from": START + (FIRST - 30) * DAY} if "from" in each else each

    def wh(self, register: str, day: int) -> list[int]:
        """A day's 24 hours of a register."""
        percent = 90 + (day * 7 + self.number * 13) % 20
        found = [0] * 24
        for hour, wh in zip(HOURS, FLOWS[self.name][register], strict=True):
            found[hour] = wh * percent // 100
        return found

    def records(self, day: int) -> list[bytes]:
        """A record of each meter with all boundaries of the day."""
        meters = (
            (self.home.grid, {"I": "I", "E": "E"}),
            (self.heat_in, {"Q": "Q"}),
            (self.heat_out, {"Q": "Qout"}),
        )
        found = []
        for meter, registers in meters:
            values = []
            for role, name in registers.items():
                at = sum(sum(self.wh(name, past)) for past in range(day))
                flows = [0, *self.wh(name, day)]
                for hour in range(25):
                    at += flows[hour]
                    values.append((start_of(day) + hour * HOUR, role, at))
            found.append(meter.record(values))
        return found

    def lines(self, side: str, day: int) -> list[tuple[Product, int, int]]:
        """What it offers, or else asks for, of a day to come: nine tenths of what will be."""
        found = []
        for carrier, out, into in ((Carrier.ELECTRICITY, "E", "I"), (Carrier.HEAT, "Qout", "Q")):
            for hour in HOURS:
                gives, takes = self.wh(out, day)[hour], self.wh(into, day)[hour]
                wh = gives if side == "OFFER" else takes * (not gives)
                price = 100 + self.number if side == "OFFER" else 200 + self.number
                if wh >= 200:
                    found.append((product(carrier, day, hour), wh * 9 // 10, price))
        return found


def start_of(day: int) -> int:
    return START + (FIRST + day) * DAY


def name_of(day: int) -> str:
    return shifted("2026-01-01", FIRST + day)


def product(carrier: Carrier, day: int, hour: int) -> Product:
    return Product(carrier, ZONES[carrier], start_of(day) + hour * HOUR)


def products(day: int) -> list[Product]:
    return [product(carrier, day, hour) for carrier in Carrier for hour in HOURS]


class Week(Market):
    """Both districts' metering and settlement, day by day."""

    def __init__(self, peer: Any) -> None:
        super().__init__()
        self.peer = peer
        names = [(name, district) for district, held in HOMES.items() for name in held]
        self.places = [Place(*each, number) for number, each in enumerate(names, 1)]

    def fresh(self, **transient: bytes) -> dict[str, bytes]:
        return {"salt": secrets.token_bytes(16), **transient}

    async def open_all(self, days: int) -> None:
        """Registry, districts and homes; what is agreed, zones, market days, accounts."""
        await self._register(days)
        await self.begin()
        for carrier, number in ZONES.items():
            zone = {"schema": "zone/1", "number": number, "id": f"z{number}", "pricing": "uniform"}
            zone = {**zone, "carrier": str(carrier), "lot": self.lot}
            await self.submit("market:PutZone", text(zone))
        await self.submit("market:PutDays", text(calendar(days)))
        await each_apart(self.register(each.account, RICH) for each in self.places)
        for (district_, carrier), about in COMMUNITIES.items():
            await self._found(district_, carrier, about)

    async def _register(self, days: int) -> None:
        table = {**factors(), "intensity": {"year": {"2025": 300_000}}}
        for function, *arguments in (
            ("PutCalendar", "cal-2026", text(calendar(days))),
            ("PutFactors", "f1", text(table)),
            *(("PutDistrict", text(district_of(name))) for name in HOMES),
        ):
            await self.peer.submit("registry", function, *arguments)
        for name in HOMES:
            await self.peer.submit(f"metering-{name}", "Adopt", name)
            homes = [each for each in self.places if each.district == name]
            documents = [one for each in homes for one in each.documents()]
            await self.peer.submit(f"metering-{name}", "Register", json.dumps(documents))

    async def _found(self, district_: str, carrier: Carrier, about: dict[str, Any]) -> None:
        terms = {
            "schema": "community/1", "id": community(district_, carrier), "district": district_,
            "carrier": str(carrier), "zone": ZONES[carrier], "price": 120_000, "shares": {},
        } | about  # fmt: skip
        operator = GATEWAYS[f"{district_}MSP"]
        sent = self.fresh(community=canonical.encode(terms))
        await self.submit("sharing:PutCommunity", transient=sent, creator=operator)
        digest = hashlib.sha256(canonical.encode(terms)).hexdigest()
        joins = {"community": terms["id"], "terms": digest, "factor_ppm": 900_000}
        await each_apart(
            self.spend(each.account, "sharing", "JoinCommunity", "join-community", **joins)
            for each in self.places
            if each.district == district_
        )

    # -- a day --------------------------------------------------------------------------------

    async def trade(self, day: int) -> None:
        """The day before: prices agreed, sessions opened, orders placed; at the gate cleared."""
        await self.clock(start_of(day - 1))
        for carrier in Carrier:
            await self.agree(reference(str(carrier), start=start_of(day)))
        await each_apart(map(self.open, products(day)))
        await each_apart(self._offer_and_bid(each, day) for each in self.places)
        await self.clock(start_of(day - 1) + 17 * HOUR)
        await each_apart(map(self._clear, products(day)))

    async def _offer_and_bid(self, place: Place, day: int) -> None:
        for side in ("OFFER", "BID"):
            if lines := place.lines(side, day):
                what = body(side, *lines)
                await self.spend(place.account, "market", "RegisterOrder", "register-order", **what)

    async def _clear(self, product_: Product) -> None:
        await self.close(product_)
        await self.steps("Clear", product_)

    async def certify(self, day: int) -> None:
        """The day's readings of both districts, closed by runs P and F."""
        for name in HOMES:
            records = [r for each in self.places if each.district == name
                       for r in each.records(day)]  # fmt: skip
            operator = {"creator": GATEWAYS[f"{name}MSP"]}
            metering = f"metering-{name}"
            period = str(await self._period(metering, operator))
            sent = {"records": batch.encode(records), "salt": secrets.token_bytes(16)}
            await self.peer.submit(metering, "SubmitReadings", period, transient=sent, **operator)
            await self.peer.submit(metering, "SealPeriod", period, **operator)
            for function, *arguments in (
                ("FoldShard", period, "0"),
                ("CloseDay", name_of(day), "P"),
                ("CloseDay", name_of(day), "F"),
            ):
                while await self.peer.submit(metering, function, *arguments, **operator) != b"done":
                    pass

    async def _period(self, metering: str, operator: dict[str, bytes]) -> int:
        found = canonical.decode(await self.peer.evaluate(metering, "GetFence", **operator))
        assert isinstance(found, dict)
        return int(found["period"])

    async def show(self, day: int, names: Iterable[str] = tuple(HOMES)) -> None:
        """Every register of the districts in the day's traded hours."""
        for name in names:
            operator = {"creator": GATEWAYS[f"{name}MSP"]}
            proofs = []
            for each in self.places:
                if each.district != name:
                    continue
                for meter in (each.home.grid, each.heat_in, each.heat_out):
                    for hour in HOURS:
                        asked = (meter.point, name_of(day), str(start_of(day) + hour * HOUR))
                        answer = await self.peer.evaluate(
                            f"metering-{name}", "GetProof", *asked, **operator
                        )
                        proofs.append(canonical.decode(answer))
            sent = self.fresh(proofs=json.dumps(proofs).encode())
            await self.submit("market:AttachCertificate", transient=sent, **operator)

    async def settle(self, day: int) -> None:
        """Sessions of a day that is over, settled and taken; then the day's hours are shared."""
        await self.clock(start_of(day + 1))
        await each_apart(map(self._settle, products(day)))
        await each_apart(self._take(place, day) for place in self.places)
        await each_apart(
            self.submit("sharing:ShareHour", community(*each), str(start_of(day) + hour * HOUR))
            for each in COMMUNITIES
            for hour in HOURS
        )

    async def _settle(self, product_: Product) -> None:
        await self.submit("market:Measure", to_hex(product_.token))
        await self.steps("Settle", product_)

    async def _take(self, place: Place, day: int) -> None:
        sides = [*place.lines("OFFER", day), *place.lines("BID", day)]
        if sides:
            await self.take(place.account, *dict.fromkeys(line[0] for line in sides))

    async def correct(self, day: int, name: str) -> int:
        """A district's day closed by run FINAL and shown again, and its shared hours divided by
        that; how many."""
        operator = {"creator": GATEWAYS[f"{name}MSP"]}
        final = (f"metering-{name}", "CloseDay", name_of(day), "FINAL")
        while await self.peer.submit(*final, **operator) != b"done":
            pass
        await self.show(day, [name])
        corrected = [
            self.submit("sharing:CorrectHour", community(*each), str(start_of(day) + hour * HOUR))
            for each in COMMUNITIES
            for hour in HOURS
            if each[0] == name
        ]
        await each_apart(corrected)
        return len(corrected)

    async def hours(self, day: int) -> list[tuple[str, dict[str, Any]]]:
        """Every account's hours of a day, both carriers."""
        found = []
        for place in self.places:
            for carrier in Carrier:
                asked = (place.account.name, str(carrier), str(start_of(day)))
                rows = await self.ask("sharing:GetHours", *asked)
                found += [(place.account.name, row) for row in rows]
        return found


async def each_apart(calls: Iterable[Awaitable[object]]) -> None:
    """At once: none of them writes what another reads."""
    await asyncio.gather(*calls)


def community(district_: str, carrier: Carrier) -> str:
    return f"{district_}-{carrier}"


def text(document: Any) -> str:
    return canonical.encode(document).decode()


def calendar(days: int) -> dict[str, Any]:
    rows = [
        {
            "day": name_of(day),
            "start": start_of(day),
            "end": start_of(day + 1),
            "type": "working",
        }
        for day in range(-1, days + 2)
    ]
    return {"schema": "calendar/1", "id": "cal-2026", "rows": rows}


def district_of(name: str) -> dict[str, Any]:
    return district(id=name, operator=f"{name}MSP")
