# SPDX-License-Identifier: Apache-2.0
"""What a home gets of its demand response, what erasing leaves, what retention purges (rules Y)."""

import json

import pytest

from tests.unit.chaincode.district import DAY, METERING, Home, day_name
from tests.unit.chaincode.flexing import (
    BEFORE,
    EVENT,
    TODAY,
    Flexible,
    Prepared,
    renewed,
)
from tests.unit.chaincode.refusals import refused


@pytest.fixture
async def street(consented: Prepared) -> Flexible:
    """An order that was settled."""
    found = renewed(consented)
    await found.notice()
    asked = await found.asked()
    await found.event({(home.name, hour): 200 for home in asked for hour in (12, 13)})
    await found.settle()
    return found


def held(street: Flexible) -> bytes:
    """All that the collection holds now."""
    return b"".join(street.peer.private(METERING, "flex").values())


async def erase(street: Flexible, home: Home, **what: str) -> None:
    cell = json.loads(street.peer.state(METERING)[f"\x00site\x00{home.name}\x00"])["cell"]
    subject = json.dumps({"site": home.name, "cell": cell, **what}).encode()
    await street.metering("flexibility:Erase", subject=subject)


async def purge(street: Flexible, kind: str, day: str) -> int:
    steps = 1
    while await street.metering("flexibility:Purge", kind, day) != b"done":
        steps += 1
    return steps


async def test_a_home_gets_all_that_stands_about_it(street: Flexible) -> None:
    home = (await street.asked())[0]
    found = await street.look("flexibility:GetSubjectDay", home.name, day_name(BEFORE))
    assert found["figure"]["f"][12:14] == [200, 200]
    order = found["orders"]["o-1"]
    assert sorted(order) == ["answer", "dispatch", "frozen", "statements"]
    assert order["statements"]["contributed"] == 750
    assert order["answer"]["state"] == "acknowledged"
    assert len(order["frozen"]["days"]) == 10
    (consented,) = found["site"]["consents"]
    assert consented["enrolment"]["account"] == f"acc-{home.name}"
    quiet = await street.look("flexibility:GetSubjectDay", home.name, day_name(3))
    assert (quiet["orders"], len(quiet["figure"]["f"])) == ({}, 24)
    asked = await street.asked()
    other = next(one for one in street.homes if one not in asked)
    passed = await street.look("flexibility:GetSubjectDay", other.name, day_name(BEFORE))
    assert list(passed["orders"]["o-1"]) == ["frozen"]


async def test_an_erasure_leaves_nothing_of_a_home_and_all_of_its_neighbours(
    street: Flexible,
) -> None:
    home, other = (await street.asked())[:2]
    kept = await street.statement(other)
    result = await street.state()
    day = day_name(BEFORE)
    await refused(erase(street, home, day=day), "too-early")
    street.peer.now = TODAY + 92 * DAY
    body = {"schema": "withdrawal/1", "site": home.name, "device": home.grid.name}
    paper = street.paper({**body, "provider": "aggregator", "to": TODAY + DAY}, home.grid)
    await street.metering("flexibility:WithdrawSite", withdrawal=paper)
    assert home.name.encode() in held(street)
    for number in range(BEFORE + 1):
        await erase(street, home, day=day_name(number))
    await erase(street, home, month="2026-01")
    assert home.name.encode() not in held(street)
    assert await street.statement(other) == kept
    assert await street.state() == result
    await refused(street.statement(home), "not-found")
    await refused(street.look("flexibility:GetFigure", home.name, day), "not-found")
    await erase(street, home, day=day)  # erasing again finds nothing
    found = await street.look("flexibility:GetFigure", other.name, day)
    assert found["figure"]["f"][12:14] == [200, 200]


async def test_a_consent_that_holds_is_withdrawn_before_it_is_erased(street: Flexible) -> None:
    home = street.homes[0]
    await erase(street, home, month="2026-01")
    (left,) = await street.look("flexibility:GetEnrolments", home.name)
    assert left["to"] is None
    nobody = Home("h99", "P0")
    subject = json.dumps({"site": nobody.name, "cell": 0, "month": "2026-01"}).encode()
    await refused(street.metering("flexibility:Erase", subject=subject), "unknown-site")


async def test_shared_days_go_after_185_days_and_what_orders_left_after_456(
    street: Flexible,
) -> None:
    home, last = (await street.asked())[0], day_name(BEFORE)
    street.peer.now = TODAY + 186 * DAY - 1
    await refused(purge(street, "days", last), "too-early")
    await refused(purge(street, "sums", last), "malformed-document")
    street.peer.now = TODAY + 186 * DAY
    assert await purge(street, "days", last) > BEFORE
    assert await purge(street, "days", last) == 1
    await refused(street.look("flexibility:GetFigure", home.name, day_name(0)), "not-found")
    await refused(street.look("flexibility:GetFigure", home.name, last), "not-found")
    assert (await street.statement(home))["contributed"] == 750
    await refused(purge(street, "orders", last), "too-early")
    street.peer.now = EVENT + 457 * DAY
    await purge(street, "orders", last)
    await refused(street.statement(home), "not-found")
    await refused(street.look("flexibility:GetAnswer", "o-1", home.name), "not-found")
    assert b'"statements"' not in held(street)
    assert (await street.state())["state"] == "SETTLED"
