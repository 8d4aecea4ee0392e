# SPDX-License-Identifier: Apache-2.0
"""A district whose homes consent to flexibility, and orders over it, on a peer in memory.

Every home draws the same by hour each day but for a little noise, so that what an order should
bring can be told by hand. 2026-01-17 is the day of the order.
"""

import copy
import json
from collections.abc import Mapping, Sequence
from typing import Any

from pedchain_chaincode.cli import contracts
from pedchain_chaincode.registry.contract import RegistryContract
from pedchain_domain import onboarding
from pedchain_domain.flexibility import papers
from pedchain_fabric.shim.testing import MemoryPeer, creator
from tests.unit.chaincode.district import (
    DAY,
    DSO,
    METERING,
    OPERATOR,
    SERVICE,
    START,
    Home,
    Ledger,
    Meter,
    day_name,
)
from tests.unit.chaincode.exchange import ORGANIZATIONS, SETTLEMENT, Exchange, Prosumer
from tests.unit.chaincode.wallets import signature

HOUR = 3_600
BEFORE = 16
TODAY = START + BEFORE * DAY
NOTICE, EVENT = TODAY + 9 * HOUR, TODAY + 12 * HOUR
AGGREGATOR = creator("AggregatorMSP", attributes=SERVICE)
SYSTEM_OPERATOR = creator("DSOMSP", "operator", attributes={"ped.role": "system_operator"})
PROVIDER = creator("AggregatorMSP", "provider", attributes={"ped.role": "balance_service_provider"})
USUAL = 600
ALL = 20_000_000
"""What the two sides of an order hold together before any, µcur."""
MEMBERS = {
    "readings": ["DSOMSP", "DistrictAMSP"],
    "flex": ["DSOMSP", "DistrictAMSP", "AggregatorMSP"],
}


def usual(home: int, day: int, hour: int) -> int:
    """Wh a home draws when nobody asks."""
    return USUAL + (home * 7 + day * 11 + hour * 5) % 13


def order(**changes: Any) -> dict[str, Any]:
    """Two hours of 3 kW less at noon, asked three hours ahead."""
    return {
        "schema": "order/1",
        "id": "o-1",
        "issuer": "dso",
        "provider": "aggregator",
        "districts": ["DistrictA"],
        "direction": "down",
        "product": "firm",
        "start": EVENT,
        "count": 2,
        "grain": 3_600,
        "power_w": 3_000,
        "price": 300_000,
        "penalty": 300_000,
        "notice_s": 2 * HOUR,
        "rule": "10of10",
        "availability": 0,
        "toe_price": 0,
        "supplier": None,
        "low_accuracy": False,
        **changes,
    }


def account(name: str, number: int) -> Prosumer:
    """An account that trades nothing."""
    return Prosumer(name, number, places={"electricity": {"zone": 1, "feeds": None, "draws": None}})


class Flexible(Exchange):
    """Homes, their consent, and the calls of an order."""

    def __init__(self, homes: int = 15) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.peer: Any = MemoryPeer(client=DSO)
        self.ledger.peer = self.peer
        self.peer.now = START + 40 * DAY
        self.peer.install("registry", RegistryContract())
        self.peer.install(METERING, *contracts("metering"), collections=MEMBERS)
        self.peer.install(SETTLEMENT, *contracts("settlement"), collections={"book": ORGANIZATIONS})
        self.homes = [Home(f"h{at:02d}", "P0") for at in range(homes)]
        self.dso, self.provider = account("dso", 1), account("aggregator", 2)
        self.registers = dict.fromkeys((home.name for home in self.homes), 0)

    def kept(self) -> Any:
        """All that calls change, to go back to."""
        meters = [home.grid.counter for home in self.homes]
        counts = (self.salts, self.receipts, self.ledger.batches, self.peer._nonces)
        wallets = (self.dso.counter, self.provider.counter)
        return copy.deepcopy((self.peer._world, self.registers, meters, counts, wallets))

    def restore(self, kept: Any) -> None:
        """Go back."""
        self.peer._world, self.registers, meters, counts, wallets = copy.deepcopy(kept)
        self.salts, self.receipts, self.ledger.batches, self.peer._nonces = counts
        self.dso.counter, self.provider.counter = wallets
        for home, counter in zip(self.homes, meters, strict=True):
            home.grid.counter = counter

    async def metering(
        self, function: str, *args: str, by: bytes = OPERATOR, **sent: bytes
    ) -> bytes:
        """A call of the district's definition."""
        answer: bytes = await self.peer.submit(
            METERING, function, *args, transient=self.fresh(**sent), creator=by
        )
        return answer

    async def look(self, function: str, *args: str, by: bytes = AGGREGATOR) -> Any:
        """A query of the district's definition, as the aggregator."""
        return json.loads(await self.peer.evaluate(METERING, function, *args, creator=by))

    # consent

    def consent(self, home: Home, **changes: Any) -> dict[str, Any]:
        """enrolment/1 of a home from the first day on."""
        return {
            "schema": "enrolment/1",
            "site": home.name,
            "device": home.grid.name,
            "provider": "aggregator",
            "account": f"acc-{home.name}",
            "from": START,
            "to": None,
            "up_w": 400,
            "down_w": 400,
            "available": 1_000_000,
            "from_hour": 0,
            "to_hour": 0,
            "share_ppm": 800_000,
            "history": True,
            **changes,
        }

    @staticmethod
    def paper(document: Mapping[str, Any], meter: Meter, district: str = "DistrictA") -> bytes:
        """A paper of a device."""
        contract = papers.contract_of(district)
        message = papers.message(dict(document), "pedchain", "ped", contract)
        signed = {"document": dict(document), "signature": signature(meter.key, message).hex()}
        return json.dumps(signed).encode()

    async def offer(self, home: Home, code: str = "1234") -> None:
        digest = onboarding.code_digest(f"flex:{home.name}", code)
        document = json.dumps({"site": home.name, "code": digest}).encode()
        await self.metering("flexibility:OfferConsent", by=DSO, document=document)

    async def enrol(self, home: Home, code: str = "1234", **changes: Any) -> None:
        paper = self.paper(self.consent(home, **changes), home.grid)
        await self.metering("flexibility:EnrolSite", enrolment=paper, code=code.encode())

    async def declare(self, home: Home, **body: Any) -> None:
        """A schedule/1 or an absence/1 of a home."""
        said = {"site": home.name, "device": home.grid.name, **body}
        await self.metering("flexibility:DeclareSite", declaration=self.paper(said, home.grid))

    # days

    async def file(self, day: int, hours: Sequence[int], wh: Mapping[tuple[str, int], int]) -> None:
        """Readings of all homes over these hours, at their beginnings."""
        records = []
        for at, home in enumerate(self.homes):
            values = []
            for hour in hours:
                values.append((START + day * DAY + hour * HOUR, "I", self.registers[home.name]))
                drawn = wh.get((home.name, hour), usual(at, day, hour))
                self.registers[home.name] += drawn
            zeros = [(instant, "E", 0) for instant, _, _ in values]
            records.append(home.grid.record([*values, *zeros]))
        await self.ledger.file(*records)

    async def seal(self) -> None:
        await self.ledger.fold(await self.ledger.seal())

    async def close(self, day: int, run: str) -> None:
        """Close a day and share it."""
        await self.ledger.close(day_name(day), run)
        await self.share(day)

    async def share(self, day: int) -> int:
        steps = 1
        while await self.metering("flexibility:ShareDay", day_name(day)) != b"done":
            steps += 1
        return steps

    async def live(self, days: int = BEFORE) -> None:
        """The days before the order's, closed by run P and shared."""
        for day in range(days):
            await self.file(day, range(24), {})
        await self.file(days, [0], {})
        await self.seal()
        for day in range(days):
            await self.close(day, "P")

    async def prepare(self) -> None:
        """Everything up to the order's own morning."""
        await self.ledger.adopt()
        await self.ledger.register(*self.homes)
        await self.begin()
        for one in (self.dso, self.provider):
            await self.register(one, 10_000_000)
        for home in self.homes:
            await self.offer(home)
            await self.enrol(home)
        await self.live()

    # the order

    async def clock(self, instant: int) -> None:
        await self.tick(*[instant] * 4)

    async def issue(self, body: Mapping[str, Any] | None = None) -> None:
        signed = self.dso.signed("flexibility", "issue-order", {"order": dict(body or order())})
        await self._debit(self.dso, "IssueOrder", signed, SYSTEM_OPERATOR)

    async def accept(self, watts: int = 3_000, name: str = "o-1", **changes: Any) -> None:
        body = {"order": name, "parts": {"DistrictA": watts}, "plant": False}
        body |= {"guaranteed": False, **changes}
        signed = self.provider.signed("flexibility", "accept-order", body)
        await self._debit(self.provider, "AcceptOrder", signed, PROVIDER)

    async def reduce(self, name: str = "o-1", **changes: Any) -> None:
        signed = self.dso.signed("flexibility", "reduce-order", {"order": name, **changes})
        await self._debit(self.dso, "ReduceOrder", signed, SYSTEM_OPERATOR)

    async def revoke(self, name: str = "o-1") -> None:
        signed = self.dso.signed("flexibility", "revoke-order", {"order": name})
        await self._debit(self.dso, "RevokeOrder", signed, SYSTEM_OPERATOR)

    async def _debit(self, who: Prosumer, function: str, signed: bytes, by: bytes) -> bytes:
        transient = self.fresh(debit=signed)
        done = await self.submit(f"flexibility:{function}", transient=transient, creator=by)
        who.counter += 1
        return done

    async def step(self, function: str, *args: str, by: bytes = AGGREGATOR, **sent: bytes) -> bytes:
        return await self.submit(
            f"flexibility:{function}", *args, transient=self.fresh(**sent), creator=by
        )

    async def steps(self, function: str, name: str = "o-1") -> int:
        """Call until `done`; how many steps it took."""
        taken = 1
        while await self.step(function, name, "DistrictA") != b"done":
            taken += 1
        return taken

    async def state(self, name: str = "o-1") -> dict[str, Any]:
        found: dict[str, Any] = await self.ask("flexibility:GetOrder", name)
        return found

    async def dispatches(self, name: str = "o-1") -> list[dict[str, Any]]:
        """The issuer's signed dispatches of the plan."""
        plan = await self.look("flexibility:GetPlan", name)
        body = (await self.state(name))["order"]
        found = []
        for site, watts in sorted(plan["watts"].items()):
            document = papers.dispatch(body, site, plan["devices"][site], watts)
            message = papers.message(document, "pedchain", "ped", papers.ORDERS)
            sign = signature(self.dso.key, message).hex()
            found.append({"document": document, "signature": sign})
        return found

    async def dispatch(self, name: str = "o-1") -> None:
        sent = await self.dispatches(name)
        done = b"more"
        for at in range(0, len(sent), 60):
            part = json.dumps(sent[at : at + 60]).encode()
            done = await self.step("DispatchOrder", name, "DistrictA", by=DSO, dispatches=part)
        assert done == b"done"

    def answer_of(self, home: Home, said: str, name: str = "o-1") -> dict[str, Any]:
        body = {"schema": "answer/1", "order": name, "site": home.name, "device": home.grid.name}
        found: dict[str, Any] = json.loads(self.paper({**body, "answer": said}, home.grid))
        return found

    async def answer(
        self, homes: Sequence[Home], said: str = papers.ACKNOWLEDGE, name: str = "o-1"
    ) -> None:
        sent = json.dumps([self.answer_of(home, said, name) for home in homes]).encode()
        await self.step("AnswerOrder", name, "DistrictA", by=OPERATOR, answers=sent)

    async def asked(self, name: str = "o-1") -> list[Home]:
        """The homes the order asks."""
        names = await self.look("flexibility:ListSites", name)
        return [home for home in self.homes if home.name in names]

    async def notice(self, watts: int = 3_000, at: int = NOTICE, **changes: Any) -> None:
        """From the morning's readings to acknowledged dispatches."""
        await self.file(BEFORE, range(1, 9), {})
        await self.clock(at)
        await self.issue(order(**changes))
        await self.accept(watts)
        await self.seal()
        await self.steps("FreezeOrder")
        await self.dispatch()
        await self.answer(await self.asked())

    async def event(self, wh: Mapping[tuple[str, int], int], run: str = "F") -> None:
        """The rest of the day as it was measured, closed and shared."""
        await self.file(BEFORE, range(9, 24), wh)
        await self.file(BEFORE + 1, [0], {})
        await self.seal()
        await self.close(BEFORE, "P")
        if run != "P":
            for day in range(BEFORE + 1):
                await self.close(day, run)
        await self.clock(EVENT + 12 * DAY)

    async def settle(self, name: str = "o-1") -> dict[str, Any]:
        """Measure, finish, pay; the result."""
        await self.steps("SettleDistrict", name)
        await self.step("FinishOrder", name)
        await self.steps("PayDistrict", name)
        found: dict[str, Any] = (await self.state(name))["result"]
        return found

    async def correct(self, name: str = "o-1") -> dict[str, Any]:
        """Run FINAL of all days, and what the order is corrected to."""
        self.peer.now = EVENT + 80 * DAY
        for day in range(BEFORE + 1):
            await self.close(day, "FINAL")
        await self.steps("CorrectDistrict", name)
        await self.step("CorrectOrder", name)
        found: dict[str, Any] = (await self.state(name))["correction"]
        return found

    async def owe(self, who: Prosumer, district: str | None = None, name: str = "o-1") -> None:
        """A side pays what a correction makes it owe; `PayCorrection` until `done`."""
        done = b"more"
        while done != b"done":
            body = {"order": name, "district": district}
            signed = who.signed("flexibility", "pay-correction", body)
            done = await self._debit(who, "PayCorrection", signed, PROVIDER)

    async def everything(self) -> int:
        """All money there is: balances, credits, and what orders hold, µcur."""
        total = 0
        for one in (self.dso, self.provider):
            total += await self.balance(one) + sum((await self.waiting(one)).values())
        for home in self.homes:
            found = await self.ask("tokens:ListCredits", f"acc-{home.name}", "")
            total += sum(credit["amount"] for credit in found.values())
        for name in await self.ask("flexibility:ListOrdersIssued", ""):
            held = await self.state(name)
            if held["state"] in ("ISSUED", "ACCEPTED"):
                total += held["escrow"] + held["collateral"]
        return total

    async def statement(self, home: Home, name: str = "o-1") -> dict[str, Any]:
        pool = (await self.state(name))["result"]["pools"]["DistrictA"]
        found: dict[str, Any] = await self.look(
            "flexibility:GetStatement", name, home.name, str(pool)
        )
        return found


Prepared = tuple[Flexible, Any]
"""A district to go back to after each test, and what it held."""


async def prepared() -> Prepared:
    """Fifteen homes that consented, sixteen days before the order's."""
    found = Flexible()
    await found.prepare()
    await found.clock(NOTICE)
    return found, found.kept()


def renewed(made: Prepared) -> Flexible:
    """The same, whatever the test before did."""
    found, kept = made
    found.restore(kept)
    found.peer.now = START + 40 * DAY
    return found
