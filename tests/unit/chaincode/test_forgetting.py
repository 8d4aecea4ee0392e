# SPDX-License-Identifier: Apache-2.0
"""Erasing who lived at a site: only who has left, and nothing that is public changes."""

import json
from typing import Any

import pytest

from pedchain_fabric.shim.testing import TransactionFailed
from tests.unit.chaincode.district import (
    DAY,
    METERING,
    OPERATOR,
    START,
    Home,
    Ledger,
    Meter,
    day_name,
)
from tests.unit.chaincode.people import identity, membership, occupancy, transient
from tests.unit.chaincode.test_privacy import finished
from tests.unit.chaincode.wallets import Origin

ANN, BOB = "ann", "bob"


async def call(ledger: Ledger, function: str, **sent: Any) -> None:
    await ledger.submit(f"membership:{function}", creator=OPERATOR, transient=transient(**sent))


async def member(ledger: Ledger, name: str) -> str:
    await call(ledger, "Enrol", membership=membership(name), identity=identity(name))
    found = await ledger.ask("membership:GetMemberOfKey", membership(name)["key"]["spki"])
    return str(found["member"])


@pytest.fixture
async def lived() -> Origin:
    """Ann lived here a day and left the district, Bob moved in after her."""
    ledger = await finished()
    ann, bob = await member(ledger, ANN), await member(ledger, BOB)
    await call(ledger, "Occupy", document=occupancy(ANN, ann, "home-1", START))
    out = {"schema": "vacate/1", "member": ann, "site": "home-1", "from": START, "to": START + DAY}
    await call(ledger, "Vacate", document=out)
    await call(ledger, "Leave", document={"schema": "leave/1", "member": ann, "to": START + DAY})
    await call(ledger, "Occupy", document=occupancy(BOB, bob, "home-1", START + DAY))
    return ledger


async def erase(ledger: Origin, first: str, last: str) -> None:
    about = {"site": "home-1", "cell": 0, "person": 1, "first": first, "last": last}
    sent = {"subject": json.dumps(about).encode(), **ledger.fresh()}
    await ledger.submit("privacy:Erase", creator=OPERATOR, transient=sent)


async def people(ledger: Origin, first: str, last: str) -> list[Any]:
    found = await ledger.ask("privacy:GetSubjectPeople", "home-1", first, last)
    return [(one["identity"] or {}).get("name") for one in found["people"]]


def private(ledger: Origin) -> str:
    return repr(ledger.peer.private(METERING, "readings"))


async def test_who_has_left_is_forgotten_and_who_lives_here_is_not(lived: Origin) -> None:
    both = (day_name(0), day_name(1))
    assert await people(lived, day_name(0), day_name(0)) == [ANN]
    assert await people(lived, *both) == [ANN, BOB]
    assert '"name":"ann"' in private(lived)
    before = lived.peer.state(METERING)
    await erase(lived, *both)
    assert '"name":"ann"' not in private(lived)
    assert '"name":"bob"' in private(lived)
    assert await people(lived, *both) == [BOB]
    after = lived.peer.state(METERING)
    assert all(after[key] == value for key, value in before.items())
    told = [json.loads(after[key]) for key in after if key not in before]
    assert all(one in ({}, {"documents": 1}) for one in told)


async def test_erasing_again_finds_nobody(lived: Origin) -> None:
    await erase(lived, day_name(0), day_name(0))
    await erase(lived, day_name(0), day_name(0))
    assert await people(lived, day_name(0), day_name(0)) == []
    assert await people(lived, day_name(1), day_name(1)) == [BOB]


async def test_a_new_term_fits_behind_a_forgotten_one(lived: Origin) -> None:
    """The site's list is written anew in its other place, and found there."""
    await erase(lived, day_name(0), day_name(0))
    bob = (await lived.ask("membership:GetMemberOfKey", membership(BOB)["key"]["spki"]))["member"]
    out = {"schema": "vacate/1", "member": bob, "site": "home-1", "from": START + DAY}
    await call(lived, "Vacate", document={**out, "to": START + 2 * DAY})
    carl = await member(lived, "carl")
    await call(lived, "Occupy", document=occupancy("carl", carl, "home-1", START + 2 * DAY))
    assert await people(lived, day_name(1), day_name(2)) == [BOB, "carl"]


async def test_what_a_meter_read_at_its_exchange_is_erased_with_its_day() -> None:
    ledger = await finished()
    home = Home("home-1")
    at = START + 12 * 3_600
    fresh = Meter("home-1.grid2", home.grid.point, ("I", "E"))
    await ledger.submit("Register", json.dumps([fresh.document(**{"from": at})]))
    await ledger.exchange(
        {
            "schema": "exchange/1",
            "point": home.grid.point,
            "old": home.grid.name,
            "new": fresh.name,
            "final": {"I": 7_654_321, "E": 0},
            "initial": {"I": 0, "E": 0},
            "at": at,
        }
    )
    assert "7654321" in private(ledger)
    for day, gone in ((1, False), (0, True)):
        about = {"site": "home-1", "cell": 0, "day": day_name(day)}
        sent = {"subject": json.dumps(about).encode(), **ledger.fresh()}
        await ledger.submit("privacy:Erase", creator=OPERATOR, transient=sent)
        assert ("7654321" not in private(ledger)) == gone


async def test_a_stay_of_unknown_days_is_refused(lived: Origin) -> None:
    with pytest.raises(TransactionFailed, match="unknown-day"):
        await erase(lived, "2031-01-01", "2031-01-02")
