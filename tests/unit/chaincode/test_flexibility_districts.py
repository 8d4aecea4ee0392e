# SPDX-License-Identifier: Apache-2.0
"""One order over two districts: a step reads its own district, the result is of subtotals."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from pedchain_chaincode.cli import contracts
from pedchain_domain import canonical
from pedchain_domain.flexibility import papers
from tests.unit.chaincode.district import DAY, DSO, METERING, OPERATOR, OTHER, Home, Meter, district
from tests.unit.chaincode.exchange import SETTLEMENT
from tests.unit.chaincode.flexing import AGGREGATOR, BEFORE, EVENT, NOTICE, Flexible, order
from tests.unit.chaincode.refusals import refused
from tests.unit.chaincode.test_flexibility_conserved import Filled, FillingContract
from tests.unit.chaincode.wallets import signature

EAST = "metering-DistrictB"
DISTRICTS = ["DistrictA", "DistrictB"]
ORDER = order(districts=DISTRICTS, power_w=2_000, low_accuracy=True)
LOW: dict[tuple[int, int], int | None] = {(at, hour): 200 for at in range(4) for hour in (12, 13)}
MEMBERS = {
    "readings": ["DSOMSP", "DistrictBMSP"],
    "flex": ["DSOMSP", "DistrictBMSP", "AggregatorMSP"],
}


class Eastward:
    """The same peer, as the other district's operator calls it."""

    def __init__(self, peer: Any) -> None:
        self._peer = peer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._peer, name)

    def _turned(self, name: str, options: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        if options.get("creator") == OPERATOR:
            options = {**options, "creator": OTHER}
        return EAST if name == METERING else name, options

    async def submit(self, chaincode: str, *args: Any, **options: Any) -> Any:
        name, turned = self._turned(chaincode, options)
        return await self._peer.submit(name, *args, **turned)

    async def evaluate(self, chaincode: str, *args: Any, **options: Any) -> Any:
        name, turned = self._turned(chaincode, options)
        return await self._peer.evaluate(name, *args, **turned)

    def state(self, chaincode: str) -> Any:
        return self._peer.state(EAST if chaincode == METERING else chaincode)


class East(Filled):
    """Two homes of DistrictB."""

    def __init__(self, west: Flexible) -> None:
        super().__init__()
        self.homes = [Home(f"e{at:02d}", "P0") for at in range(2)]
        west.peer.install(EAST, *contracts("metering"), FillingContract(), collections=MEMBERS)
        turned: Any = Eastward(west.peer)
        self.ledger.peer = self.peer = turned
        self.salts = 10_000

    @staticmethod
    def paper(document: Mapping[str, Any], meter: Meter, district: str = "DistrictB") -> bytes:
        return Filled.paper(document, meter, district)

    async def prepare(self) -> None:
        about = district(id="DistrictB", operator="DistrictBMSP")
        await self.peer.submit("registry", "PutDistrict", canonical.encode(about))
        await self.peer.submit(EAST, "Adopt", "DistrictB")
        await self.ledger.register(*self.homes)
        for home in self.homes:
            await self.offer(home)
            await self.enrol(home)
        for day in range(BEFORE):
            await self.fill(day, "F", {})


@pytest.fixture
async def pair() -> tuple[Filled, East]:
    west = Filled()
    east = East(west)
    await west.prepare()
    await east.prepare()
    await west.clock(NOTICE)
    return west, east


def touched(street: Flexible) -> set[str]:
    """The definitions the last call read or wrote."""
    return {one.name for one in street.peer.last.namespaces}


async def dispatched(west: Filled, name: str, side: Flexible) -> None:
    """Choose a district's sites, send what the issuer signs, and have all of them acknowledge."""
    while await west.step("FreezeOrder", "o-1", name) != b"done":
        pass
    plan = await side.look("flexibility:GetPlan", "o-1")
    body = (await west.state())["order"]
    sent = []
    for site, watts in sorted(plan["watts"].items()):
        document = papers.dispatch(body, site, plan["devices"][site], watts)
        message = papers.message(document, "pedchain", "ped", papers.ORDERS)
        sign = signature(west.dso.key, message).hex()
        sent.append({"document": document, "signature": sign})
    part = json.dumps(sent).encode()
    assert await west.step("DispatchOrder", "o-1", name, by=DSO, dispatches=part) == b"done"
    said = [side.answer_of(h, papers.ACKNOWLEDGE) for h in side.homes if h.name in plan["watts"]]
    await west.step("AnswerOrder", "o-1", name, by=AGGREGATOR, answers=json.dumps(said).encode())


async def measured(pair: tuple[Filled, East], east_wh: dict[tuple[int, int], int | None]) -> None:
    """An order that west brings wholly, up to run F; `east_wh` is what east was measured at."""
    west, east = pair
    await west.accept(parts={"DistrictA": 1_200, "DistrictB": 800}, plant=True)
    await dispatched(west, "DistrictA", west)
    await dispatched(west, "DistrictB", east)
    await west.fill(BEFORE, "F", LOW)
    await east.fill(BEFORE, "F", east_wh)
    await west.clock(EVENT + 12 * DAY)


async def test_an_order_over_two_districts_settles_in_steps_from_their_subtotals(
    pair: tuple[Filled, East],
) -> None:
    west, east = pair
    await west.issue(ORDER)
    await refused(west.accept(parts={"DistrictA": 2_000}, plant=True), "bad-quantity")
    await measured(pair, {})
    for by in (OPERATOR, OTHER):
        await refused(west.step("SettleDistrict", "o-1", "DistrictA", by=by), "not-permitted")
    await refused(west.step("SettleDistrict", "o-1", "DistrictC"), "unknown-district")
    assert await west.step("SettleDistrict", "o-1", "DistrictA") == b"done"
    assert touched(west) == {SETTLEMENT, METERING}
    await refused(west.step("FinishOrder", "o-1"), "not-measured")
    assert await west.step("SettleDistrict", "o-1", "DistrictB", by=DSO) == b"done"
    assert touched(west) == {SETTLEMENT, EAST}
    await west.step("FinishOrder", "o-1")
    assert touched(west) == {SETTLEMENT}
    found = await west.state()
    result, parts = found["result"], found["districts"]
    assert 2_400 <= result["delivered_wh"] < 4_000  # west brought its 1,200 Wh an hour
    assert sum(result["pools"].values()) == result["users"] > 0
    assert parts["DistrictA"]["contributed"] > parts["DistrictB"]["contributed"]
    for name in DISTRICTS:
        assert await west.step("PayDistrict", "o-1", name) == b"done"
    assert sum([*await west.users(), *await east.users()]) == result["users"]
    assert west.money() == 30_000_000


async def test_a_correction_of_one_district_leaves_the_others_users_alone(
    pair: tuple[Filled, East],
) -> None:
    west, east = pair
    await west.issue(ORDER)
    await measured(pair, dict.fromkeys(LOW, None))
    for name in DISTRICTS:
        await west.step("SettleDistrict", "o-1", name)
    await west.step("FinishOrder", "o-1")
    for name in DISTRICTS:
        await west.step("PayDistrict", "o-1", name)
    before = await west.users()
    await west.fill(BEFORE, "FINAL", LOW)
    await east.fill(BEFORE, "FINAL", LOW)
    await west.step("CorrectDistrict", "o-1", "DistrictA")
    await refused(west.step("CorrectOrder", "o-1"), "not-measured")
    await west.step("CorrectDistrict", "o-1", "DistrictB")
    await west.step("CorrectOrder", "o-1")
    for who in (west.dso, west.provider):
        await west.fold(who)
    await west.owe(west.dso)
    for name in DISTRICTS:
        await west.owe(west.provider, name)
    after = await west.users()
    assert all(now >= then for now, then in zip(after, before, strict=True))
    assert sum(await east.users()) > 0
    found = await west.state()
    assert {one["correction"]["phase"] for one in found["districts"].values()} == {"paid"}
    assert west.money() == 30_000_000
