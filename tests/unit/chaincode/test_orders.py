# SPDX-License-Identifier: Apache-2.0
"""Orders: what one locks, who may change it and until when, why one is refused (rules K)."""

from typing import Any

import pytest

from pedchain_domain.market.tokenid import HOUR, MONEY, to_hex
from pedchain_fabric.shim.testing import CommitRefused
from tests.unit.chaincode.district import START
from tests.unit.chaincode.exchange import SETTLEMENT, Prosumer
from tests.unit.chaincode.marketplace import (
    GATE,
    LATER,
    NOON,
    POWER,
    RICH,
    WARMTH,
    K,
    Market,
    account,
    body,
    opened,
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
    held = market.peer.private(SETTLEMENT, "book")
    cancel = market.spend(bob, "market", "CancelOrder", "cancel-order", order=order)
    await refused(cancel, "not-found")
    changed = body("BID", (POWER, 200, 1)) | {"order": order}
    amend = market.spend(bob, "market", "AmendOrder", "amend-order", **changed)
    await refused(amend, "not-found")
    assert market.peer.private(SETTLEMENT, "book") == held


async def test_an_hour_that_is_over_takes_no_order(market: Market, alice: Prosumer) -> None:
    await market.clear()
    await market.clock(NOON + HOUR)
    await market.submit("market:Measure", to_hex(POWER.token))
    held = market.peer.private(SETTLEMENT, "book")
    await refused(market.order(alice, "BID", (POWER, 100, 1)), "past-hour")
    assert market.peer.private(SETTLEMENT, "book") == held


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
        (body("BID", (POWER, 100, 1)) | {"origin": "mine"}, "malformed-document"),
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


async def test_an_owner_says_for_all_of_an_hour_whether_the_origin_follows(
    market: Market, alice: Prosumer
) -> None:
    apart = {"origin": "energy-only"}
    order = await market.order(alice, "OFFER", (POWER, 100, 100), **apart)
    await refused(market.order(alice, "OFFER", (POWER, 100, 100)), "origin-differs")
    changed = {**body("OFFER", (POWER, 100, 120)), "order": order}
    amend = market.spend(alice, "market", "AmendOrder", "amend-order", **changed)
    await refused(amend, "origin-differs")
    await market.spend(alice, "market", "AmendOrder", "amend-order", **changed, **apart)
    (order,) = await market.ask("market:ListOrders", alice.name, "")
    await market.spend(alice, "market", "CancelOrder", "cancel-order", order=order)
    await market.order(alice, "OFFER", (POWER, 100, 100), origin="follows")


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


async def test_nothing_public_names_an_account_or_an_order_s_terms(
    market: Market, alice: Prosumer
) -> None:
    await market.order(alice, "OFFER", (POWER, 4_321, 123))
    public = repr(market.peer.state(SETTLEMENT)) + repr(market.peer.events)
    for secret in ("alice", "4321", str(123 * K)):
        assert secret not in public
