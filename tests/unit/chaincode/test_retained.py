# SPDX-License-Identifier: Apache-2.0
"""What settlement forgets at the end of its retention, and what it does not (rules Y)."""

import json
from typing import Any

import pytest

from pedchain_chaincode.settlement import limits
from pedchain_domain.market.tokenid import to_hex
from tests.unit.chaincode.exchange import SETTLEMENT
from tests.unit.chaincode.marketplace import NOON, POWER, Market
from tests.unit.chaincode.refusals import refused
from tests.unit.chaincode.settling import ENDS, Settling


@pytest.fixture
async def place() -> Settling:
    """Two who traded, and what their meters showed of it."""
    found = Settling()
    await found.prepare()
    await found.trade(("sam", "OFFER", 600, 120), ("bea", "BID", 600, 120))
    await found.settle({"sam": (500, 0), "bea": (0, 800)})
    return found


def debits(place: Market) -> list[bytes]:
    """Debits as they are kept in the collection."""
    held = place.peer.private(SETTLEMENT, "book")
    return [value for key, value in held.items() if key.split("\x00")[1] == "debit"]


async def purge(place: Market, period: int, names: Any) -> bytes:
    return await place.submit("tokens:PurgeDebits", str(period), json.dumps(names))


async def test_debits_are_purged_by_period_once_their_retention_is_over(place: Settling) -> None:
    old = len(debits(place))
    await place.submit("tokens:BeginPeriod")
    await refused(place.submit("tokens:BeginPeriod"), "too-early")
    await place.spend(place.people["bea"], "tokens", "Redeem", "redeem", amount=5)
    named = await place.ask("tokens:ListDebits", "0", "")
    assert (len(named), len(await place.ask("tokens:ListDebits", "1", ""))) == (old, 1)
    assert await place.ask("tokens:ListDebits", "0", named[0]) == named[1:]
    await refused(purge(place, 0, named), "too-early")
    await place.clock(ENDS + limits.RETENTION + limits.PERIOD)
    await refused(purge(place, 1, named), "too-early")
    await refused(purge(place, 0, ["no id"]), "malformed-id")
    await refused(purge(place, 0, []), "malformed-document: transactions")
    await purge(place, 0, named)
    assert len(debits(place)) == 1
    assert await place.ask("tokens:ListDebits", "0", "") == []


async def test_whoever_was_forgotten_still_spends_what_it_has_by_its_next_counter(
    place: Settling,
) -> None:
    await place.submit("tokens:BeginPeriod")
    await place.clock(ENDS + limits.RETENTION + limits.PERIOD)
    await purge(place, 0, await place.ask("tokens:ListDebits", "0", ""))
    bea = place.people["bea"]
    before = await place.balance(bea)
    again = bea.signed("tokens", "redeem", {"amount": 5}, counter=bea.counter)
    await refused(place.carry(bea, "tokens:Redeem", again), "wrong-counter")
    await place.spend(bea, "tokens", "Redeem", "redeem", amount=5)
    assert await place.balance(bea) == before - 5


async def test_what_registers_measured_is_purged_hour_by_hour(place: Settling) -> None:
    places = [
        ["metered", "DistrictA", "sam.gcp", NOON],
        ["metered", "DistrictA", "bea.gcp", NOON],
        ["side", "owner-bea", "electricity", NOON],
    ]

    async def forget(what: object) -> None:
        sent = place.fresh(places=json.dumps(what).encode())
        await place.submit("market:PurgeMeasured", transient=sent)

    def held(mark: bytes) -> bool:
        return any(mark in value for value in place.peer.private(SETTLEMENT, "book").values())

    await refused(forget(places), "too-early")
    await place.clock(ENDS + limits.RETENTION)
    for wrong in ([["account", "bea", "x", 0]], [["metered", "DistrictA", "sam.gcp"]], {}):
        await refused(forget(wrong), "malformed-document: places")
    assert held(b'"registers"')
    await forget(places)
    await place.submit("market:PurgeSession", to_hex(POWER.token))
    assert not held(b'"registers"')
