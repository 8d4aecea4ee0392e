# SPDX-License-Identifier: Apache-2.0
"""What sites declare, baselines of the event's own day, who is not asked (rules D3, D4)."""

import json
from typing import Any

from pedchain_chaincode.flexibility.choosing import _is_believed, _Site
from pedchain_chaincode.flexibility.wanted import Wanted
from pedchain_domain.flexibility import history, papers
from pedchain_domain.flexibility.baseline import RULES
from tests.unit.chaincode.district import DAY, START, calendar, day_name
from tests.unit.chaincode.flexing import (
    ALL,
    BEFORE,
    EVENT,
    HOUR,
    TODAY,
    Flexible,
    order,
)
from tests.unit.chaincode.refusals import refused


async def passed(street: Flexible, name: str = "o-1") -> dict[str, str]:
    """Why homes are not asked, by name, once an order is accepted."""
    await street.issue(order(id=name, power_w=1_000, low_accuracy=True))
    await street.accept(1_000, name, plant=True)
    await street.seal()
    await street.steps("FreezeOrder", name)
    found: dict[str, str] = (await street.look("flexibility:GetPlan", name))["passed"]
    return found


async def test_the_hours_beside_an_event_serve_short_notice(street: Flexible) -> None:
    """Asked at 11:50: the hours from 10 and from 15 o'clock, flat, whichever pays less."""
    await street.notice(at=EVENT - 600, rule="mbma", notice_s=600)
    asked = await street.asked()
    fallen = {(home.name, hour): 200 for home in asked for hour in (12, 13)}
    raised = {(home.name, 10): 900 for home in asked}
    await street.event(fallen | raised)
    await street.settle()
    found = await street.statement(asked[0])
    shown = await street.look("flexibility:GetFigure", asked[0].name, day_name(BEFORE))
    assert found["baseline"] == [shown["figure"]["f"][15]] * 2
    assert (found["days"], found["kept"]) == ([], "rule-without-adjustment")
    assert await street.everything() == ALL


async def test_such_an_order_is_not_accepted_earlier(street: Flexible) -> None:
    await street.clock(EVENT - HOUR)
    await street.issue(order(rule="mbma", notice_s=600))
    await refused(street.accept(), "notice-too-long")


def schedule(day: int, wh: int) -> dict[str, Any]:
    return {"schema": "schedule/1", "day": day_name(day), "values": [wh] * 24}


async def test_a_schedule_declared_before_the_notice_is_the_baseline(street: Flexible) -> None:
    """Fourteen homes declare 700 Wh an hour; h13 tries to after the notice, h14 does not."""
    street.peer.now = TODAY - DAY
    for home in street.homes[:13]:
        await street.declare(home, **schedule(BEFORE, 700))
    await street.issue(order(rule="declared", power_w=3_000, low_accuracy=True))
    await street.accept(plant=True)
    late = street.homes[13]
    street.peer.now = TODAY - 1
    await street.seal()
    await street.declare(late, **schedule(BEFORE, 9_000))
    await street.steps("FreezeOrder")
    plan = await street.look("flexibility:GetPlan", "o-1")
    assert plan["passed"] == {"h13": "no-schedule", "h14": "no-schedule"}
    await street.dispatch()
    asked = await street.asked()
    await street.answer(asked)
    street.peer.now = START + 40 * DAY
    await street.file(BEFORE, range(1, 9), {})
    await street.event({(home.name, hour): 300 for home in asked for hour in (12, 13)})
    result = await street.settle()
    found = await street.statement(asked[0])
    assert (found["baseline"], found["measured"]) == ([700, 700], [300, 300])
    assert result["delivered_wh"] == 6_000
    assert await street.everything() == ALL


async def test_declarations_come_ahead_from_the_sites_device_and_once(street: Flexible) -> None:
    home, other = street.homes[:2]
    street.peer.now = TODAY
    away = {"schema": "absence/1", "first": day_name(BEFORE), "last": day_name(BEFORE)}
    await refused(street.declare(home, **schedule(BEFORE, 1)), "too-late")
    await refused(street.declare(home, **away), "too-late")
    street.peer.now = TODAY - 1
    await refused(street.declare(home, **schedule(BEFORE, 1) | {"values": [1] * 23}), "malformed")
    await refused(
        street.declare(home, **schedule(BEFORE, 1) | {"day": "2027-01-01"}), "unknown-day"
    )
    await refused(street.declare(home, **schedule(BEFORE, 1) | {"values": ["1"] * 24}), "malformed")
    await refused(street.declare(home, **schedule(BEFORE, 1) | {"schema": "plan/1"}), "malformed")
    await refused(street.declare(home, **{**away, "last": day_name(3)}), "too-late")
    await refused(street.declare(home, device=other.grid.name, **away), "key-meter-mismatch")
    await street.declare(home, **schedule(BEFORE, 1))
    await refused(street.declare(home, **schedule(BEFORE, 2)), "already-registered")


async def test_days_of_a_declared_absence_make_no_baseline_and_nobody_is_asked_on_them(
    street: Flexible,
) -> None:
    home, other = street.homes[:2]
    street.peer.now = START + 12 * DAY
    away = {"schema": "absence/1", "first": day_name(13), "last": day_name(14)}
    await street.declare(home, **away)
    street.peer.now = TODAY - 1
    last = {"schema": "absence/1", "first": day_name(BEFORE), "last": day_name(BEFORE + 3)}
    await street.declare(other, **last)
    street.peer.now = START + 40 * DAY
    assert await passed(street) == {other.name: "absent"}
    await street.dispatch()
    asked = await street.asked()
    assert home in asked
    await street.answer(asked)
    await street.file(BEFORE, range(1, 9), {})
    await street.event({})
    await street.settle()
    days = (await street.statement(home))["days"]
    assert not set(days) & {day_name(13), day_name(14)}
    assert len(days) == 10


async def test_a_site_whose_meter_signs_nothing_any_more_is_not_asked(street: Flexible) -> None:
    first, second, third = street.homes[:3]
    revoke = {"schema": "revoke/1", "device": first.grid.name, "counter": 1}
    await street.ledger.submit("RevokeKey", json.dumps({**revoke, "compromised_since": None}))
    suspend = {"schema": "suspend/1", "device": second.grid.name, "from": START}
    await street.ledger.submit("SuspendDevice", json.dumps(suspend))
    found = await passed(street)
    assert found == {first.name: "revoked-key", second.name: "suspended"}
    assert third in await street.asked()


async def test_a_meter_revoked_after_the_dispatch_answers_nothing(street: Flexible) -> None:
    await street.issue()
    await street.accept()
    await street.steps("FreezeOrder")
    await street.dispatch()
    home = (await street.asked())[0]
    revoke = {"schema": "revoke/1", "device": home.grid.name, "counter": 1}
    await street.ledger.submit("RevokeKey", json.dumps({**revoke, "compromised_since": None}))
    await refused(street.answer([home], papers.ACKNOWLEDGE), "revoked-key")


async def test_a_site_with_too_few_days_is_not_asked_and_not_replaced(street: Flexible) -> None:
    """Its consent begins four days before the order's, without any of the days before."""
    home = street.homes[0]
    begin = {"from": TODAY - 4 * DAY, "history": False}
    body = {"schema": "withdrawal/1", "site": home.name, "device": home.grid.name}
    ended = {**body, "provider": "aggregator", "to": TODAY - 4 * DAY}
    await street.metering("flexibility:WithdrawSite", withdrawal=street.paper(ended, home.grid))
    await street.offer(home, "2")
    await street.enrol(home, "2", **begin)
    assert await passed(street) == {home.name: "too-few-days"}


async def test_a_provider_is_tested_once_a_month(street: Flexible) -> None:
    test = {"product": "test", "power_w": 400, "low_accuracy": True}
    await street.issue(order(**test))
    await street.accept(400)
    await street.issue(order(id="o-2", **test, start=EVENT + 3 * HOUR))
    await refused(street.accept(400, "o-2"), "too-many")
    await street.issue(order(id="o-3", **test, start=EVENT + 31 * DAY))
    await street.accept(400, "o-3")


def believed(declared: int, asked: list[list[Any]], notice: str = "2026-02-03") -> bool:
    """A home that used 600 Wh an hour on three days of January and declared so much."""
    rows = calendar()["rows"]
    event = {"start": START + 34 * DAY + 12 * HOUR, "count": 2, "grain": HOUR}
    framed = history.frame(event, START + 34 * DAY, rows[34])
    want = Wanted({}, 0, False, framed, notice, RULES["declared"])
    figure = {"f": [600] * 23 + [9_000], "c": "M" * 23 + "G"}
    shared = [{"day": row, "sites": {"home": figure}} for row in rows[10:13]]
    said = {row["day"]: {"values": [declared] * 24} for row in rows[10:13]}
    return _is_believed(want, _Site("home", {}, asked, [], shared, said))


def test_schedules_that_missed_a_month_are_not_believed_for_thirty_days() -> None:
    assert believed(720, [])
    assert not believed(721, [])
    assert believed(721, [], "2026-03-03")
    start = START + 10 * DAY
    events = [["o-1", "2026-01-11", start, start + 3 * DAY, 0]]
    assert believed(9_000, events)
