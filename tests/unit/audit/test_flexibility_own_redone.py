# SPDX-License-Identifier: Apache-2.0
"""Baselines of the event's own day, redone: hours beside it, schedules declared ahead, what a car
that gives back sold to peers."""

from typing import Any

import pytest

from pedchain_audit.errors import VerificationError
from pedchain_audit.flexibility import Flexibility
from pedchain_audit.flexown import unplanned
from pedchain_audit.flexrules import Clock, Event
from pedchain_audit.flexstore import Kept, Store
from pedchain_chaincode.cli import contracts
from pedchain_domain.market.session import session_id
from pedchain_domain.market.tokenid import Carrier
from pedchain_fabric.shim.testing import Outcome
from tests.unit.audit.test_flexibility_redone import (
    Done,
    first_more,
    noting,
    of_first_site,
    redo,
)
from tests.unit.chaincode.district import DAY, START, Home, Meter, calendar, day_name, point
from tests.unit.chaincode.exchange import ORGANIZATIONS, SETTLEMENT, Prosumer
from tests.unit.chaincode.flexing import BEFORE, EVENT, HOUR, TODAY, Flexible, order
from tests.unit.chaincode.test_flexibility_sold import SellingContract, sell

SOLD = 150


class Driver(Home):
    """A home with a car that gives back."""

    def documents(self) -> list[dict[str, Any]]:
        car = Meter(f"{self.name}.car", f"{self.name}.evse", ("Ch", "D"))
        return [*super().documents(), point(car.point, self.name, "EVSE"), car.document()]


async def history() -> tuple[Done, Outcome]:
    """By schedules at noon, where h01 is late and h02 declares none; at six by the hours beside
    it, known of ten minutes before. h00 sold from its car at noon, in a session that
    is told apart: `test_settlement_redone` redoes sessions."""
    street = Flexible(4)
    street.homes[0] = Driver("h00", "P0")
    street.peer.install(
        SETTLEMENT,
        *contracts("settlement"),
        SellingContract(),
        collections={"book": ORGANIZATIONS},
    )
    done = noting(street)
    await street.prepare()
    await street.register(Prosumer("h00", 7))
    await declare(street)
    await street.clock(TODAY + 9 * HOUR)
    weak = {"power_w": 400, "low_accuracy": True}
    await street.issue(order(**weak, rule="declared"))
    await street.accept(400, plant=True)
    await street.seal()
    street.peer.now = TODAY - 1
    await street.declare(street.homes[1], **schedule(BEFORE, 900))
    street.peer.now = START + 40 * DAY
    await take(street, "o-1")
    await street.clock(EVENT + 6 * HOUR - 600)
    late = {"start": EVENT + 6 * HOUR, "notice_s": 600}
    await street.issue(order(**weak, id="o-2", rule="mbma", **late))
    await street.accept(400, "o-2", plant=True)
    await street.seal()
    await take(street, "o-2")
    await street.file(BEFORE, range(1, 9), {})
    drawn = {("h03", 16): 650, ("h03", 21): 620}
    fallen = {(home.name, hour): 300 for home in street.homes for hour in (12, 13, 18, 19)}
    await street.event(drawn | fallen)
    await sell(street, EVENT, "SETTLED", h00=SOLD)
    session, _ = done.pop()
    await street.settle("o-1")
    await street.settle("o-2")
    return done, session


def schedule(day: int, wh: int) -> dict[str, Any]:
    return {"schema": "schedule/1", "day": day_name(day), "values": [wh] * 24}


async def declare(street: Flexible) -> None:
    """h00 and h03 declare the day before and the event's."""
    street.peer.now = TODAY - 2 * DAY - 1
    for home, wh in ((street.homes[0], 700), (street.homes[3], 600)):
        await street.declare(home, **schedule(BEFORE - 1, 600))
        await street.declare(home, **schedule(BEFORE, wh))
    await street.seal()
    street.peer.now = START + 40 * DAY


async def take(street: Flexible, name: str) -> None:
    await street.steps("FreezeOrder", name)
    await street.dispatch(name)
    await street.answer(await street.asked(name), name=name)


Lived = tuple[Done, Outcome]


def again(lived: Lived, sold: int = SOLD, **changed: Any) -> Flexibility:
    """The audit's pass, by what h00 sold at noon."""
    due = {session_id(Carrier.ELECTRICITY, 1, EVENT): {"h00": {"sold": sold}}}
    return redo(lived[0], market=(lived[1], due), **changed)


@pytest.fixture(scope="module")
async def lived() -> Lived:
    return await history()


def test_own_days_are_redone(lived: Lived) -> None:
    found = again(lived)
    assert (found.orders, found.not_checked()) == (2, [])
    planned, beside = (found.lives[name].measured["DistrictA"] for name in ("o-1", "o-2"))
    assert planned.choice.plan["passed"] == {"h01": "no-schedule", "h02": "no-schedule"}
    made = {site: one for cell in planned.statements.values() for site, one in cell.items()}
    assert made["h00"]["sold"] == SOLD
    assert made["h00"]["baseline"] == [700 - SOLD, 700]
    flat = {site: one for cell in beside.statements.values() for site, one in cell.items()}
    assert all(len(set(one["baseline"])) == 1 for one in flat.values())


@pytest.mark.parametrize("wh", [0, SOLD + 1])
def test_a_statement_of_other_sales_is_found(lived: Lived, wh: int) -> None:
    with pytest.raises(VerificationError, match="h00's statement"):
        again(lived, wh)


def believed(declared: int, busy: list[list[Any]], notice: str = "2026-02-03") -> bool:
    """A home that used 600 Wh an hour on three days of January and declared so much."""
    rows = calendar()["rows"]
    event = Event(order(rule="declared", start=START + 34 * DAY + 12 * HOUR), START + 34 * DAY,
                  Clock(rows[34], HOUR))  # fmt: skip
    figure = {"f": [600] * 23 + [9_000], "c": "M" * 23 + "G"}
    shared = [{"day": row, "sites": {"home": figure}} for row in rows[10:13]]
    store = Store(b"secret")
    months: dict[str, dict[str, Any]] = {}
    for row in [*rows[10:13], rows[34]]:
        told = {"values": [declared] * 24, "at": START, "period": 0}
        months.setdefault(row["day"][:7], {})[row["day"]] = told
    store.make({store.tag("schedule", "home", m): Kept({"days": d}, "") for m, d in months.items()})
    return unplanned(event, store, "home", notice, 1, shared, busy) is None


def test_schedules_that_missed_a_month_are_not_believed() -> None:
    assert believed(720, [])
    assert not believed(721, [])
    assert believed(721, [], "2026-03-03")
    start = START + 10 * DAY
    assert believed(9_000, [["o-1", "2026-01-11", start, start + 3 * DAY, 0]])


def later(one: dict[str, Any]) -> dict[str, Any]:
    return {
        **one,
        "days": {day: {**told, "at": told["at"] + 1} for day, told in one["days"].items()},
    }


def test_a_schedule_with_another_time_is_found(lived: Lived) -> None:
    with pytest.raises(VerificationError, match="declared ahead"):
        again(lived, change=later, wants=lambda _, one: one.keys() == {"days"})


def test_another_schedule_than_declared_is_found(lived: Lived) -> None:
    change = of_first_site(first_more("schedule"))
    with pytest.raises(VerificationError, match="frozen days"):
        again(lived, change=change, wants=lambda _, one: "schedule" in str(one.get("sites")))
