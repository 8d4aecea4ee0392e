# SPDX-License-Identifier: Apache-2.0
"""What a home with a storage sold to its peers lowers its baseline: it was paid once (rules D6)."""

import json
from typing import Any

import pytest

from pedchain_chaincode.cli import contracts
from pedchain_chaincode.documents import save
from pedchain_chaincode.flexibility.choosing import _storage
from pedchain_chaincode.guard import guarded
from pedchain_chaincode.settlement import guards, keys
from pedchain_chaincode.settlement.book import Book
from pedchain_domain.market.session import session_id
from pedchain_domain.market.tokenid import Carrier
from pedchain_fabric.shim import Context, Contract, submit
from tests.unit.chaincode.district import DAY, Home, point, site
from tests.unit.chaincode.exchange import ORGANIZATIONS, SETTLEMENT, Prosumer
from tests.unit.chaincode.flexing import BEFORE, EVENT, HOUR, NOTICE, Flexible, order
from tests.unit.chaincode.refusals import refused
from tests.unit.chaincode.test_flexibility_conserved import Filled


class Battery(Home):
    """A home with a roof and a battery."""

    def documents(self) -> list[dict[str, Any]]:
        kinds = {"gcp": "GCP", "gen": "GEN", "sto": "STO"}
        points = [point(f"{self.name}.{end}", self.name, kind) for end, kind in kinds.items()]
        return [site(self.name, "P3"), *points, self.grid.document()]


class SellingContract(Contract):
    """Puts a session where the market would have left it."""

    name = "selling"

    @submit
    @guarded("setup")
    async def put(self, ctx: Context) -> None:
        """Transient `session` {hour, state, due: {account: Wh}}."""
        book = await Book.open(ctx, await guards.setup(ctx))
        found = json.loads(ctx.stub.transient["session"])
        name = session_id(Carrier.ELECTRICITY, 1, found["hour"])
        session = {"id": name, "state": found["state"], "purged": False, "shards": 1}
        await save(ctx.stub, keys.session(ctx.stub, name), session)
        rows = {account: {"sold": wh, "bought": 0} for account, wh in found["due"].items()}
        await book.save(("due", name, 0), {"rows": rows})


@pytest.fixture
async def street() -> Filled:
    """Four homes, the first and the last with a battery; both trade, the last sells nothing."""
    found = Filled()
    found.peer.install(
        SETTLEMENT,
        *contracts("settlement"),
        SellingContract(),
        collections={"book": ORGANIZATIONS},
    )
    for at in (0, 3):
        found.homes[at] = Battery(f"h{at:02d}", "P0")
    await found.prepare()
    for number, name in enumerate(("h00", "h01", "h03"), 7):
        await found.register(Prosumer(name, number))
    await found.clock(NOTICE)
    return found


async def sell(street: Flexible, hour: int, state: str, **due: int) -> None:
    session = json.dumps({"hour": hour, "state": state, "due": due}).encode()
    await street.submit("selling:Put", transient=street.fresh(session=session))


async def test_what_a_battery_sold_to_peers_is_left_out_of_its_baseline(street: Filled) -> None:
    """h00 sold 150 Wh in the first hour; h01 has no storage, so that what it sold is its roof's."""
    await street.issue(order(power_w=1_200, low_accuracy=True))
    await street.accept(1_200, plant=True)
    await street.steps("FreezeOrder")
    await street.dispatch()
    asked = await street.asked()
    await street.answer(asked)
    await street.fill(BEFORE, "F", {(at, hour): 300 for at in range(4) for hour in (12, 13)})
    await street.clock(EVENT + 12 * DAY)
    await sell(street, EVENT, "CLEARED", h00=150)
    await refused(street.step("SettleDistrict", "o-1", "DistrictA"), "market-open")
    await sell(street, EVENT, "SETTLED", h00=150, h01=99, h03=0)
    await sell(street, EVENT + HOUR, "VOID")
    await street.settle()
    found = {home.name: await street.statement(home) for home in asked}
    assert {name: one["sold"] for name, one in found.items()} == {
        **dict.fromkeys(found, 0),
        "h00": 150,
    }
    first, second = found["h00"]["baseline"]
    assert 440 <= first < 480
    assert second > 590
    assert found["h00"]["contributed"] == first + second - 600


def test_a_storage_is_a_battery_a_hybrid_or_a_car_that_gives_back() -> None:
    def roster(kind: str, role: str) -> dict[str, Any]:
        points = {
            "grid": {"site": "home", "kind": "GCP"},
            "more": {"site": "home", "kind": kind},
            "other": {"site": "next", "kind": "STO"},
        }
        device = {"point": "more", "registers": {"1": {"role": role}}}
        return {"points": points, "devices": {"meter": device}}

    assert _storage(roster("STO", "D"), "home") == "grid"
    assert _storage(roster("HYB", "out"), "home") == "grid"
    assert _storage(roster("EVSE", "D"), "home") == "grid"
    assert _storage(roster("EVSE", "Ch"), "home") is None
    assert _storage(roster("GEN", "G"), "home") is None
