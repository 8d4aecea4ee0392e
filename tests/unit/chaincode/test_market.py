# SPDX-License-Identifier: Apache-2.0
"""Sessions: which step is due when, how an hour clears, what its reference prices are (rules K)."""

import random
from typing import Any

import pytest

from pedchain_chaincode.settlement import limits
from pedchain_domain import canonical
from pedchain_domain.market.tokenid import HOUR, to_hex
from tests.unit.chaincode.district import DAY, START
from tests.unit.chaincode.exchange import GATEWAYS, SETTLEMENT, Prosumer
from tests.unit.chaincode.marketplace import (
    GATE,
    LATER,
    NOON,
    POWER,
    RICH,
    VOID,
    WARMTH,
    K,
    Market,
    account,
    body,
    opened,
    reference,
)
from tests.unit.chaincode.refusals import refused


@pytest.fixture
async def market() -> Market:
    return await opened()


@pytest.fixture
async def alice(market: Market) -> Prosumer:
    return await market.joined("alice", 1)


@pytest.fixture
async def bob(market: Market) -> Prosumer:
    return await market.joined("bob", 2)


async def test_steps_before_they_are_due_are_refused(market: Market) -> None:
    await market.clock(GATE - 1)
    await refused(market.close(), "too-early")
    await refused(market.submit("market:Clear", to_hex(POWER.token)), "wrong-state")
    await refused(market.submit("market:VoidSession", to_hex(POWER.token)), "too-early")
    await refused(market.open(POWER), "already-registered")
    tomorrow = POWER.__class__(POWER.carrier, 1, NOON + DAY)
    await refused(market.open(tomorrow), "too-early")
    await refused(market.submit("market:OpenSession", "9", str(NOON)), "unknown-zone")


OUR_HOUR = (
    [("b1", "BID", 1_000, 240), ("b2", "BID", 1_500, 200), ("b3", "BID", 1_200, 150)],
    [("s1", "OFFER", 900, 90), ("s2", "OFFER", 1_400, 120), ("s3", "OFFER", 900, 120)],
)


async def our_hour(market: Market, order: list[tuple[str, str, int, int]]) -> dict[str, Any]:
    names = sorted(name for name, *_ in order)
    people = {name: Prosumer(name, at + 1) for at, name in enumerate(names)}
    for name in names:
        await market.register(people[name], RICH)
    for name, side, wh, price in order:
        await market.order(people[name], side, (POWER, wh, price))
    return await market.clear()


async def test_our_hour_clears_at_150_and_pairs_from_the_corner(market: Market) -> None:
    found = await our_hour(market, [*OUR_HOUR[0], *OUR_HOUR[1]])
    assert found["price"] == 150 * K
    assert found["trades"] == [
        ["s1", "b1", 900, 150 * K],
        ["s2", "b1", 100, 150 * K],
        ["s2", "b2", 1_300, 150 * K],
        ["s3", "b2", 200, 150 * K],
        ["s3", "b3", 700, 150 * K],
    ]
    assert (await market.session())["state"] == "CLEARED"


async def test_the_order_of_arrival_changes_no_trade() -> None:
    found = []
    for seed in (1, 2):
        market = Market()
        await market.prepare()
        arrival = [*OUR_HOUR[0], *OUR_HOUR[1]]
        random.Random(seed).shuffle(arrival)
        found.append(await our_hour(market, arrival))
    assert found[0] == found[1]


async def test_what_is_not_traded_is_burnt_and_its_deposit_comes_back(market: Market) -> None:
    people = {name: Prosumer(name, at + 1) for at, name in enumerate(("bea", "sam"))}
    for one in people.values():
        await market.register(one, RICH)
    bea, sam = people["bea"], people["sam"]
    await market.order(bea, "BID", (POWER, 1_000, 240))
    await market.order(bea, "BID", (POWER, 500, 90))
    await market.order(sam, "OFFER", (POWER, 1_600, 100))
    found = await market.clear()
    assert found == {"price": 100 * K, "trades": [["sam", "bea", 1_000, 100 * K]]}
    promise = to_hex(POWER.minted_by(2).token)
    assert await market.supply(promise) == 1_000
    for one in (bea, sam):
        await market.take(one)
        await refused(market.take(one), "not-found")
    # what stays locked bounds what either can still owe at the price that was found
    assert await account(market, bea) == (1, 1_000 * 100)
    assert await account(market, sam) == (1, 1_000 * 180)
    assert await market.balance(bea) == RICH - 100_000
    assert await market.balance(sam) == RICH - 180_000
    assert await market.locked() == 280_000


async def test_a_session_nobody_cleared_gives_everything_back(
    market: Market, alice: Prosumer, bob: Prosumer
) -> None:
    """Whether somebody closed it or not, with one organisation silent and one that lies."""
    await market.order(alice, "OFFER", (POWER, 1_000, 100), (LATER, 500, 100))
    await market.order(bob, "BID", (POWER, 700, 200))
    await market.tick(VOID, VOID + 9 * DAY, VOID)  # the fourth stands at START
    await market.close(POWER)
    for product in (POWER, LATER):
        await market.submit("market:VoidSession", to_hex(product.token))
        assert await market.supply(to_hex(product.minted_by(1).token)) == 0
    await refused(market.submit("market:Clear", to_hex(POWER.token)), "wrong-state")
    for one in (alice, bob):
        await market.take(one, POWER, LATER)
        assert await market.balance(one) == RICH
        assert await account(market, one) == (0, 0)
    assert market.lines() == []


async def test_one_lying_tick_neither_closes_nor_voids(market: Market) -> None:
    await market.submit("clock:Tick", str(VOID), creator=GATEWAYS["AggregatorMSP"])
    await refused(market.close(), "too-early")
    await refused(market.submit("market:VoidSession", to_hex(POWER.token)), "too-early")


async def test_anyone_may_take_a_step_that_is_due(market: Market) -> None:
    await market.clock(GATE)
    await market.close(creator=GATEWAYS["AggregatorMSP"])
    for product, who in ((LATER, "DistrictBMSP"), (WARMTH, "DistrictAMSP")):
        await market.close(product, creator=GATEWAYS[who])
    assert await market.ask("market:GetSessionHistory", to_hex(POWER.token)) == ["OPEN", "CLOSED"]


async def test_a_hundred_parallel_orders_all_commit(market: Market) -> None:
    people = [Prosumer(f"p{at}", at + 1) for at in range(100)]
    for one in people:
        await market.register(one)
    endorsed = []
    for at, one in enumerate(people):
        side = "BID" if at % 2 else "OFFER"
        signed = one.signed("market", "register-order", body(side, (POWER, 100 + at, 100)))
        endorsed.append(
            await market.peer.endorse(
                SETTLEMENT, "market:RegisterOrder", transient=market.fresh(debit=signed)
            )
        )
    for outcome in reversed(endorsed):
        market.peer.commit(outcome)
    found = await market.clear()
    wanted = sum(100 + at for at in range(0, 100, 2))
    assert sum(wh for *_, wh, _ in found["trades"]) == wanted
    session = await market.session()
    assert (session["price"], session["volume"]) == (100 * K, wanted)


async def test_prices_of_few_are_not_printed(market: Market) -> None:
    await our_hour(market, [*OUR_HOUR[0], *OUR_HOUR[1]])
    session = await market.session()
    assert (session["price"], session["volume"]) == (None, None)


async def test_clearing_in_small_steps_is_clearing_at_once(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LINES_COLLECTED", 2)
    monkeypatch.setattr(limits, "ACCOUNTS_TOGETHER", 2)
    found = await our_hour(market, [*OUR_HOUR[0], *OUR_HOUR[1]])
    assert found["price"] == 150 * K
    assert sum(wh for *_, wh, _ in found["trades"]) == 3_200


async def test_prices_of_one_feed_do_not_reach_the_ledger(market: Market) -> None:
    """A proposal is checked, and in force only once a district has agreed to these very bytes."""
    next_day = START + 2 * DAY
    jump = {"home": {"retail": [28_000 * K] * 24, "feed_in": [80 * K] * 24}}
    propose = "market:ProposeReference"
    wrong = reference("electricity", start=next_day, classes=jump)
    await refused(market.submit(propose, canonical.encode(wrong)), "price-jump")
    late = canonical.encode(reference("electricity"))
    await refused(market.submit(propose, late), "already-registered")
    good = canonical.encode(reference("electricity", start=next_day))
    await refused(market.submit(propose, good, creator=GATEWAYS["DistrictAMSP"]), "not-permitted")
    await market.submit(propose, good)
    approve = ("market:ApproveReference", "electricity", "00" * 32)
    await refused(market.submit(*approve, creator=GATEWAYS["DistrictAMSP"]), "not-found")
    await refused(market.submit(*approve), "not-permitted")


async def test_the_reference_of_a_token_is_found_by_its_hour(market: Market) -> None:
    ask = "market:DetermineReferencePrice"
    found = await market.ask(ask, to_hex(POWER.token), "home")
    assert found == {"retail": 280 * K, "feed_in": 80 * K, "stands_in": False}
    later = POWER.__class__(POWER.carrier, 1, NOON + 3 * DAY)
    assert (await market.ask(ask, to_hex(later.token), "home"))["stands_in"] is True
    before = POWER.__class__(POWER.carrier, 1, START)
    await refused(market.ask(ask, to_hex(before.token), "home"), "no-reference")
    tokens = canonical.encode([to_hex(POWER.token), to_hex(WARMTH.token), to_hex(POWER.token)])
    involved = await market.ask("market:DetermineInvolvedMarkets", tokens)
    assert involved == sorted([to_hex(POWER.token), to_hex(WARMTH.token)])


async def test_hours_of_other_days_have_sessions_of_their_own(market: Market) -> None:
    await market.clock(START + DAY)
    tomorrow = POWER.__class__(POWER.carrier, 1, NOON + DAY)
    await market.open(tomorrow)
    found = await market.session(tomorrow)
    assert found["times"]["gate"] == START + DAY + 17 * HOUR
    assert found["stands_in"] is True
