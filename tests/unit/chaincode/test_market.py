# SPDX-License-Identifier: Apache-2.0
"""Sessions and orders: what is due, what an order locks, how a session clears (rules K)."""

import contextlib
import random
from typing import Any

import pytest

from pedchain_chaincode.settlement import limits
from pedchain_domain import canonical
from pedchain_domain.market.tokenid import HOUR, MONEY, to_hex
from pedchain_fabric.shim.testing import CommitRefused, TransactionFailed
from tests.unit.chaincode.district import DAY, START
from tests.unit.chaincode.exchange import GATEWAYS, SETTLEMENT, Prosumer
from tests.unit.chaincode.marketplace import (
    GATE,
    LATER,
    NOON,
    POWER,
    VOID,
    WARMTH,
    K,
    Market,
    body,
    reference,
)

RICH = 5_000_000


@pytest.fixture
async def market() -> Market:
    found = Market()
    await found.prepare()
    return found


@pytest.fixture
async def alice(market: Market) -> Prosumer:
    found = Prosumer("alice", 1)
    await market.register(found, RICH)
    return found


@pytest.fixture
async def bob(market: Market) -> Prosumer:
    found = Prosumer("bob", 2)
    await market.register(found, RICH)
    return found


async def refused(awaited: Any, reason: str) -> None:
    with pytest.raises(TransactionFailed, match=reason):
        await awaited


async def account(market: Market, who: Prosumer) -> tuple[int, int]:
    """Open orders and locked deposits."""
    found = await market.ask("tokens:GetAccount", who.name)
    return found["orders"], found["locked"]


async def test_the_papers_offer_mints_promises_and_locks_a_deposit(
    market: Market, alice: Prosumer
) -> None:
    """Paper B, order 1: one offer over heat and electricity, three hours' tokens."""
    lines = ((WARMTH, 100, 10), (POWER, 100, 15), (LATER, 200, 10))
    await market.order(alice, "OFFER", *lines)
    deposit = 100 * 270 + 100 * 265 + 200 * 270
    assert await market.balance(alice) == RICH - deposit
    assert await account(market, alice) == (1, deposit)
    for product, wh, _ in lines:
        assert await market.supply(to_hex(product.minted_by(1).token)) == wh
    assert await market.locked() == deposit
    assert market.peer.events[-1][1:] == ("OrderRegistered", b"{}")


async def test_a_bid_locks_what_it_would_pay_at_its_limit(market: Market, alice: Prosumer) -> None:
    order = await market.order(alice, "BID", (POWER, 1_000, 240))
    assert await market.balance(alice) == RICH - 240_000
    await market.spend(alice, "market", "CancelOrder", "cancel-order", order=order)
    assert await market.balance(alice) == RICH
    assert await account(market, alice) == (0, 0)
    assert await market.locked() == 0


async def test_an_amended_order_locks_only_what_it_needs(market: Market, alice: Prosumer) -> None:
    first = await market.order(alice, "OFFER", (POWER, 1_000, 100), (WARMTH, 100, 100))
    await market.spend(
        alice,
        "market",
        "AmendOrder",
        "amend-order",
        order=first,
        **body("OFFER", (POWER, 400, 200)),
    )
    assert await account(market, alice) == (1, 400 * 80)
    assert await market.supply(to_hex(POWER.minted_by(1).token)) == 400
    assert await market.supply(to_hex(WARMTH.minted_by(1).token)) == 0
    assert await market.balance(alice) == RICH - 400 * 80
    await refused(
        market.spend(alice, "market", "AmendOrder", "amend-order", order=first, **body("OFFER")),
        "not-found",
    )


async def test_an_order_of_someone_else_is_not_found(
    market: Market, alice: Prosumer, bob: Prosumer
) -> None:
    order = await market.order(alice, "BID", (POWER, 100, 1))
    await refused(
        market.spend(bob, "market", "CancelOrder", "cancel-order", order=order), "not-found"
    )


PAST = POWER.__class__(POWER.carrier, POWER.zone, START)
ELSEWHERE = POWER.__class__(POWER.carrier, 3, NOON)


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (body("BID", (POWER, 1_000, 281)), "bad-price"),
        (body("BID", (POWER, 99, 1)), "bad-quantity"),
        (body("BID", (POWER, 0, 1)), "bad-quantity"),
        (body("BID", (POWER, -100, 1)), "bad-quantity"),
        (body("BID", (POWER, 10**12, 1)), "bad-quantity"),
        (body("BID", (POWER, 100, 1), (POWER, 100, 2)), "duplicate-token"),
        (body("BID", (POWER, 100, 1)) | {"prices": []}, "lengths-differ"),
        (body("BID", (PAST, 100, 1)), "unknown-session"),
        (body("BID", (ELSEWHERE, 100, 1)), "wrong-zone"),
        (body("BID", (POWER, 50_000, 280)), "beyond-limit"),
        (body("BID", (POWER, 30_000, 280)), "insufficient-funds"),
        (body("BOTH", (POWER, 100, 1)), "malformed-document"),
        (body("BID", (POWER, 100, 1)) | {"tokens": [to_hex(MONEY)]}, "unknown-token"),
    ],
)
async def test_a_bad_order_has_its_reason_and_changes_nothing(
    market: Market, alice: Prosumer, order: dict[str, Any], reason: str
) -> None:
    before = market.peer.private(SETTLEMENT, "book"), market.peer.state(SETTLEMENT)
    await refused(market.spend(alice, "market", "RegisterOrder", "register-order", **order), reason)
    assert (market.peer.private(SETTLEMENT, "book"), market.peer.state(SETTLEMENT)) == before


async def test_a_register_measures_for_one_account(market: Market, alice: Prosumer) -> None:
    thief = Prosumer("mallory", 9, places=alice.places())
    await refused(market.register(thief, RICH), "already-registered: register")


async def test_an_account_has_at_most_ten_open_orders(market: Market, alice: Prosumer) -> None:
    for _ in range(10):
        await market.order(alice, "BID", (POWER, 100, 1))
    await refused(market.order(alice, "BID", (POWER, 100, 1)), "too-many")


async def test_an_owner_stands_on_one_side_of_an_hour_whatever_its_accounts(
    market: Market, alice: Prosumer
) -> None:
    other = Prosumer("alice2", 7, owner="owner-alice")
    await market.register(other, RICH)
    order = await market.order(alice, "OFFER", (POWER, 100, 100))
    for who in (alice, other):
        await refused(market.order(who, "BID", (POWER, 100, 200)), "both-sides")
    await market.order(other, "BID", (LATER, 100, 200))
    await market.spend(alice, "market", "CancelOrder", "cancel-order", order=order)
    await market.order(other, "BID", (POWER, 100, 200))


async def test_steps_before_they_are_due_are_refused(market: Market) -> None:
    await market.clock(GATE - 1)
    await refused(market.close(), "too-early")
    await refused(market.submit("market:Clear", to_hex(POWER.token)), "wrong-state")
    await refused(market.submit("market:VoidSession", to_hex(POWER.token)), "too-early")
    await refused(market.open(POWER), "already-registered")
    tomorrow = POWER.__class__(POWER.carrier, 1, NOON + DAY)
    await refused(market.open(tomorrow), "too-early")
    await refused(market.submit("market:OpenSession", "9", str(NOON)), "unknown-zone")


async def test_closing_fails_the_orders_in_flight(market: Market, alice: Prosumer) -> None:
    signed = alice.signed("market", "register-order", body("BID", (POWER, 100, 1)))
    held = await market.peer.endorse(
        SETTLEMENT, "market:RegisterOrder", transient=market.fresh(debit=signed)
    )
    await market.clock(GATE)
    await market.close()
    with pytest.raises(CommitRefused):
        market.peer.commit(held)
    await refused(market.order(alice, "BID", (POWER, 100, 1)), "too-late")


async def test_at_the_gate_orders_are_firm(market: Market, alice: Prosumer) -> None:
    order = await market.order(alice, "BID", (POWER, 100, 1))
    await market.clock(GATE)
    await market.close()
    await refused(
        market.spend(alice, "market", "CancelOrder", "cancel-order", order=order), "too-late"
    )


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


@pytest.mark.parametrize("seed", range(4))
async def test_money_and_energy_are_conserved_whatever_happens(seed: int) -> None:
    """Random orders, amendments, cancellations, folds; then clear or void; after each: all money
    is in rows, credits and deposits, all promises of a producer are locked in its lines."""
    chance = random.Random(seed)
    market = Market()
    await market.prepare()
    people = [Prosumer(f"p{at}", at + 1) for at in range(4)]
    for one in people:
        await market.register(one, 1_000_000)
    for _ in range(25):
        await act(market, chance.choice(people), chance)
        await conserved(market, people)
    placed = [name for _, name, _ in market.peer.events if name == "OrderRegistered"]
    assert len(placed) > 3
    await market.clock(VOID if seed % 2 else GATE)
    for product in (POWER, LATER, WARMTH):
        await finish(market, product, void=bool(seed % 2))
    for one in people:
        for product in (POWER, LATER, WARMTH):
            with contextlib.suppress(TransactionFailed):  # who has no order there takes nothing
                await market.take(one, product)
    await conserved(market, people)
    for one in people:
        locked = (await account(market, one))[1]
        mine = [line["deposit"] for line in market.lines() if line["account"] == one.name]
        assert locked == sum(mine)
    assert not (seed % 2 and market.lines())


async def act(market: Market, who: Prosumer, chance: random.Random) -> None:
    products = chance.sample([POWER, LATER, WARMTH], chance.randint(1, 3))
    lines = [(p, chance.randint(100, 900), chance.randint(0, 280)) for p in products]
    side = chance.choice(["OFFER", "BID"])
    open_ = sorted(await market.ask("market:ListOrders", who.name, ""))
    wish = chance.choice(["place", "place", "cancel", "amend", "fold"])
    # What is refused must change nothing: `conserved` looks after each wish.
    with contextlib.suppress(TransactionFailed):
        if wish == "fold":
            await market.fold(who)
        elif wish == "place" or not open_:
            await market.order(who, side, *lines)
        elif wish == "cancel":
            await market.spend(who, "market", "CancelOrder", "cancel-order", order=open_[0])
        else:
            changed = body(side, *lines) | {"order": open_[-1]}
            await market.spend(who, "market", "AmendOrder", "amend-order", **changed)


async def finish(market: Market, product: Any, *, void: bool) -> None:
    if void:
        await market.submit("market:VoidSession", to_hex(product.token))
    else:
        await market.close(product)
        await market.steps("Clear", product)


async def conserved(market: Market, people: list[Prosumer]) -> None:
    money = await market.locked()
    for one in people:
        money += await market.balance(one)
        money += (await market.waiting(one)).get(to_hex(MONEY), 0)
    assert money == await market.supply() == 1_000_000 * len(people)
    asks = market.lines(("ask",))
    for one in people:
        mine = sum(line["quantity"] for line in asks if line["account"] == one.name)
        minted = 0
        for product in (POWER, LATER, WARMTH):
            minted += await market.supply(to_hex(product.minted_by(one.number).token))
        assert minted == mine


async def test_nothing_public_names_an_account_or_an_order_s_terms(
    market: Market, alice: Prosumer
) -> None:
    await market.order(alice, "OFFER", (POWER, 4_321, 123))
    public = repr(market.peer.state(SETTLEMENT)) + repr(market.peer.events)
    for secret in ("alice", "4321", str(123 * K)):
        assert secret not in public


async def test_hours_of_other_days_have_sessions_of_their_own(market: Market) -> None:
    await market.clock(START + DAY)
    tomorrow = POWER.__class__(POWER.carrier, 1, NOON + DAY)
    await market.open(tomorrow)
    found = await market.session(tomorrow)
    assert found["times"]["gate"] == START + DAY + 17 * HOUR
    assert found["stands_in"] is True
