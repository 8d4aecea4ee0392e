# SPDX-License-Identifier: Apache-2.0
"""The market end to end, on every runtime: a hundred traders at once, a flood of credits, a lying
and a silent organisation, a session from its opening to its settlement by certified hours, one that
nobody closes, and who can and cannot move what. The scenarios follow each other through one day."""

import asyncio
import hashlib
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from pedchain_domain import canonical
from pedchain_domain.instants import format_day
from pedchain_domain.market.tokenid import Carrier, Product, to_hex
from pedchain_gateway.ledger.port import Invalid, LedgerError, Mismatch, Refused
from tests.scenarios.conftest import RUNTIMES
from tests.scenarios.harness import Network
from tests.scenarios.harness import network as make_network
from tests.scenarios.hostile import Hostile
from tests.scenarios.rivals import insist, race, together
from tests.scenarios.trading import (
    EVENING,
    GATE,
    HOUR,
    NOON,
    POWER,
    RICH,
    SETTLEMENT,
    TODAY,
    Trading,
    command,
    prosumer,
    text,
    trading,
)
from tests.unit.chaincode.exchange import Prosumer, receipt
from tests.unit.chaincode.marketplace import body, reference

pytestmark = pytest.mark.timeout(400)  # what a module stands on counts to its first test
People = dict[str, Prosumer]
HONEST = ("DSO", "DistrictA", "Aggregator")
"""Who ticks: DistrictB lies, and the Aggregator says nothing."""
TRADERS = {"native": 100, "embedded": 40}
"""A hundred on real Fabric; without it fewer show the same."""


@pytest.fixture(scope="module", params=RUNTIMES)
def consortium(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Network]:
    """The reference consortium with the product's contracts, for these scenarios alone."""
    with make_network(request.param, tmp_path_factory.mktemp("market")) as made:
        made.run("up")
        yield made


@pytest.fixture(scope="module")
async def market(consortium: Network) -> AsyncIterator[Trading]:
    """A market whose sessions are open, over a district with certified days."""
    async with trading(consortium) as made:
        yield made


@pytest.fixture(scope="module")
async def people(market: Trading) -> People:
    homes = ("home-1", "home-2", "home-3")
    found = {home: prosumer(home, at) for at, home in enumerate(homes, 1)}
    for one in found.values():
        await market.register(one)
    return found


@pytest.fixture(scope="module")
async def traders(market: Trading) -> list[Prosumer]:
    count = TRADERS[market.network.runtime]
    found = [prosumer(f"trader-{at:03d}", 100 + at) for at in range(count)]
    for start in range(0, count, 20):
        await asyncio.gather(*map(market.register, found[start : start + 20]))
    return found


@pytest.mark.fault(18)
async def test_a_hundred_traders_at_once_lose_no_order(
    market: Trading, traders: list[Prosumer]
) -> None:
    """Each writes only what is its own, so none is in another's way; what a busy machine refuses is
    sent again."""
    failures: Counter[str] = Counter()
    gateways = list(market.ledgers)

    async def place(at: int, one: Prosumer) -> None:
        terms = body("BID" if at % 2 else "OFFER", (EVENING, 100 + at, 150))
        await insist(market, one, terms, gateways[at % len(gateways)], failures)

    await asyncio.gather(*(place(at, one) for at, one in enumerate(traders)))
    for at, one in enumerate(traders):
        by = gateways[at % len(gateways)]
        (order,) = (await market.ask("market:ListOrders", one.name, "", by=by)).values()
        assert [line["quantity"] for line in order["lines"]] == [100 + at]
    assert failures["Invalid"] == 0


async def test_a_flood_of_small_credits_freezes_no_account(market: Trading, people: People) -> None:
    """While strangers credit it without a pause, each of the account's debits counts at once."""
    victim = people["home-3"]
    flood = [
        market.once("tokens:Deposit", receipt=receipt(victim.name, 1, 10_000 + at))
        for at in range(60)
    ]
    tasks = [asyncio.ensure_future(call) for call in flood]
    for limit in range(5):
        signed = victim.signed("tokens", "set-limit", {"limit": RICH + limit})
        await market.unrivalled("tokens:SetLimit", debit=signed)
        victim.counter += 1
    results = await together(tasks)
    assert [each for each in results if isinstance(each, BaseException)] == []
    await market.fold(victim)
    assert await market.balance(victim) == RICH + len(flood)


async def test_two_orders_for_one_balance_never_both_count(market: Trading, people: People) -> None:
    who = people["home-3"]
    lines = [("BID", (EVENING, 20_000 + at, 200)) for at in range(4)]  # 4,000,000 each of 5,000,060
    number = who.counter + 1
    results = await race(
        lambda: [
            market.once(
                "market:RegisterOrder",
                by=by,
                debit=who.signed("market", "register-order", body(side, line), number),
            )
            for (side, line), by in zip(lines, market.ledgers, strict=True)
        ]
    )
    who.counter = number
    failed = [each for each in results if isinstance(each, BaseException)]
    assert len(failed) == len(results) - 1
    assert all(isinstance(each, LedgerError) for each in failed)
    assert len(await market.ask("market:ListOrders", who.name, "")) == 1


async def test_an_order_of_two_hours_is_amended_and_withdrawn(
    market: Trading, people: People
) -> None:
    who = people["home-2"]
    await market.order(who, "BID", (POWER, 200, 100), (EVENING, 300, 100))
    (order,) = await market.ask("market:ListOrders", who.name, "")
    changed = body("BID", (EVENING, 400, 150)) | {"order": order}
    await market.spend(who, "market", "AmendOrder", "amend-order", **changed)
    ((order, found),) = (await market.ask("market:ListOrders", who.name, "")).items()
    assert [line["quantity"] for line in found["lines"]] == [400]
    assert await market.balance(who) == RICH - 400 * 150
    await market.spend(who, "market", "CancelOrder", "cancel-order", order=order)
    assert await market.balance(who) == RICH
    tokens = [to_hex(product.token) for product in (POWER, EVENING, POWER)]
    asked = canonical.encode(tokens).decode()
    assert len(await market.ask("market:DetermineInvolvedMarkets", asked)) == 2
    price = await market.ask("market:DetermineReferencePrice", tokens[0], "home")
    assert (price["retail"], price["feed_in"]) == (280_000, 80_000)


@pytest.mark.fault(42)
async def test_a_ring_cannot_close_and_a_spoof_leaves_nothing(
    market: Trading, people: People
) -> None:
    """Who sells in an hour cannot buy in it, so three cannot sell it round; an order that is placed
    to be withdrawn costs its owner nothing and moves no price, and at the gate none can be."""
    one, other, third = (people[f"home-{at}"] for at in (1, 2, 3))
    await market.order(one, "OFFER", (POWER, 300, 150))
    await market.order(other, "BID", (POWER, 300, 150))
    for who, side in ((other, "OFFER"), (one, "BID")):
        signed = who.signed("market", "register-order", body(side, (POWER, 300, 150)))
        await market.refuses("both-sides", "market:RegisterOrder", debit=signed)
    held = await market.balance(third)
    await market.order(third, "BID", (POWER, 3_000, 280))
    for who in (one, other, third):
        for order, found in (await market.ask("market:ListOrders", who.name, "")).items():
            if found["lines"][0]["session"] == to_hex(POWER.token):
                await market.spend(who, "market", "CancelOrder", "cancel-order", order=order)
    assert await market.balance(third) == held
    assert [await market.balance(who) for who in (one, other)] == [RICH, RICH]


@pytest.mark.fault(43)
async def test_no_wrong_price_comes_into_force_and_an_older_table_stands_in(
    market: Trading,
) -> None:
    """A hundredfold price, one that its proposer alone wants, one that a district never saw; and
    while tomorrow's table is missing today's is used, and the answer says so."""
    tomorrow = TODAY + 86_400
    table = reference("electricity", start=tomorrow)
    dear = {"retail": [28_000 * 1_000] * 24, "feed_in": [80 * 1_000] * 24}
    spike = text(table | {"classes": {"home": dear}})
    await market.refuses("price-jump", "market:ProposeReference", spike)
    await market.refuses("not-permitted", "market:ProposeReference", text(table), by="DistrictA")
    await market.submit("market:ProposeReference", text(table))
    other = hashlib.sha256(spike.encode()).hexdigest()
    for by, reason in (("DistrictA", "not-found"), ("DSO", "not-permitted")):
        approval = ("market:ApproveReference", "electricity", other)
        await market.refuses(reason, *approval, by=by)
    late = to_hex(Product(Carrier.ELECTRICITY, 1, tomorrow).token)
    price = await market.ask("market:DetermineReferencePrice", late, "home")
    assert price == {"retail": 280_000, "feed_in": 80_000, "stands_in": True}


async def test_a_prosumer_trades_from_the_command_line(
    market: Trading, people: People, tmp_path: Path
) -> None:
    who = people["home-2"]
    evening = f"{format_day(EVENING.start // 86_400)}T20:00Z"
    line = f"electricity:1:{evening}:500:0.2"
    placed = await command(market, who, tmp_path, "place", "BID", line)
    assert "with its origin; the most you can lose by it: 0.100000" in placed
    table = tmp_path / "orders.csv"
    table.write_text(f"side,carrier,zone,hour,wh,price\nBID,electricity,1,{evening},300,0.15\n")
    assert "order 1 of 1: BID of 1 lines placed" in await command(
        market, who, tmp_path, "import", str(table)
    )
    listed = await command(market, who, tmp_path, "list")
    assert listed.count("electricity") == 2
    assert "500 Wh at 0.200" in listed
    held = await command(market, who, tmp_path, "balance")
    assert "0.145000" in held  # 0.100000 and 0.045000 are locked
    for order in await market.ask("market:ListOrders", who.name, ""):
        assert "cancelled" in await command(market, who, tmp_path, "cancel", order)
    told = await command(market, who, tmp_path, "history", order)
    assert [each for each in ("register-order", "cancel-order", "OPEN") if each not in told] == []
    assert await market.balance(who) == RICH
    wrong = await command(market, who, tmp_path, "place", "BID", f"electricity:1:{evening}:1:0.2")
    assert "bad-quantity" in wrong


@pytest.mark.fault(42)
@pytest.mark.parametrize(
    ("what", "reason"),
    [
        (body("BID", (EVENING, 100, 400)), "bad-price"),
        (body("BID", (EVENING, 99, 1)), "bad-quantity"),
        (body("BID", (EVENING, 0, 1)), "bad-quantity"),
        (body("BID", (EVENING, -100, 1)), "bad-quantity"),
        (body("BID", (EVENING, 10**15, 1)), "bad-quantity"),
        (body("BID", (EVENING, 100, 1), (EVENING, 100, 1)), "duplicate-token"),
        (body("BID", (EVENING, 100, 1)) | {"prices": []}, "lengths-differ"),
        (body("BID", (EVENING, 100, 1)) | {"tokens": ["00" * 32]}, "unknown-token"),
        (body("BID", (EVENING, 30_000, 200)), "beyond-limit"),
        (body("OFFER", (EVENING, 100, 100)), "both-sides"),
    ],
)
async def test_a_bad_order_has_its_reason_and_counts_for_nothing(
    market: Trading, people: People, what: dict[str, Any], reason: str
) -> None:
    who = people["home-3"]
    before = await market.ask("tokens:GetAccount", who.name)
    signed = who.signed("market", "register-order", what)
    await market.refuses(reason, "market:RegisterOrder", debit=signed)
    assert await market.ask("tokens:GetAccount", who.name) == before


async def test_nobody_else_spends_for_a_member(market: Trading, people: People) -> None:
    """Not a gateway with a key of its own, not another member, not an organisation alone."""
    victim, other = people["home-1"], people["home-2"]
    victim_s, other_s = victim.key, other.key
    victim.key = other_s
    forged = victim.signed("tokens", "set-limit", {"limit": 0})
    victim.key = victim_s
    await market.refuses("bad-signature", "tokens:SetLimit", debit=forged)
    (order,) = await market.ask("market:ListOrders", people["home-3"].name, "")
    foreign = other.signed("market", "cancel-order", {"order": order})
    await market.refuses("not-found", "market:CancelOrder", debit=foreign)
    again = victim.signed("tokens", "set-limit", {"limit": 1}, victim.counter)
    await market.refuses("wrong-counter", "tokens:SetLimit", debit=again)
    signed = victim.signed("tokens", "set-limit", {"limit": 0})
    async with Hostile(market.network) as hostile:
        transient = {"debit": signed, "salt": secrets.token_bytes(16)}
        attack = await hostile.endorse(
            SETTLEMENT, "tokens:SetLimit", by=["DSO", "Aggregator"], transient=transient
        )
        assert await hostile.send(attack) == "ENDORSEMENT_POLICY_FAILURE"


async def test_one_lying_tick_neither_closes_nor_voids(market: Trading) -> None:
    await market.clock(NOON + 90 * 86_400, "DistrictB")
    for step in ("CloseSession", "VoidSession"):
        await market.refuses("too-early", f"market:{step}", to_hex(POWER.token))


async def test_two_zones_clear_together_within_the_limit_between_them(market: Trading) -> None:
    """One offers 500 Wh at 100, the other asks for them at 200, and 300 may flow."""
    near, far = (Product(Carrier.ELECTRICITY, zone, NOON + HOUR) for zone in (1, 3))
    zone = {"schema": "zone/1", "number": 3, "id": "z3", "carrier": "electricity"}
    await market.submit("market:PutZone", text({**zone, "pricing": "uniform", "lot": 100}))
    limits = {"schema": "limits/1", "zones": [1, 3], "start": near.start, "limits": [[300, 0]]}
    await market.submit("market:PutLimits", text(limits))
    seller, buyer = prosumer("near", 11), prosumer("far", 12, zone=3)
    for one, side, what in ((seller, "OFFER", (near, 500, 100)), (buyer, "BID", (far, 500, 200))):
        await market.register(one)
        await market.submit("market:OpenSession", str(what[0].zone), str(what[0].start))
        await market.order(one, side, what)
    await market.clock(GATE, *HONEST)
    await market.submit("market:CloseSession", to_hex(near.token))
    await market.refuses("wrong-state", "market:Clear", to_hex(near.token))
    await market.submit("market:CloseSession", to_hex(far.token), by="DistrictA")
    await market.steps("Clear", far, by="DistrictB")
    for product in (near, far):
        found = await market.ask("market:GetTrades", to_hex(product.token))
        assert found["trades"] == [[seller.name, buyer.name, 300, 200_000, 100_000]]
    await market.refuses("too-late", "market:PutLimits", text(limits))
    await market.take(seller, near)
    await market.take(buyer, far)
    assert await market.balance(seller) == RICH - 300 * (280 - 100)
    assert await market.balance(buyer) == RICH - 300 * 200


@pytest.mark.fault(42)
async def test_an_hour_is_traded_measured_and_settled(market: Trading, people: People) -> None:
    """home-1 fed in 731 Wh at noon and sold 500; home-2 drew 307 and bought 500: 307 settle at
    100, and for the other 193 the buyer makes good 100 - 80."""
    seller, buyer = people["home-1"], people["home-2"]
    await market.order(seller, "OFFER", (POWER, 600, 100))
    await market.order(buyer, "BID", (POWER, 500, 200))
    held = buyer.signed("market", "register-order", body("BID", (POWER, 100, 200)))
    await market.clock(GATE, *HONEST)
    await market.submit("market:CloseSession", to_hex(POWER.token), by="Aggregator")
    await market.refuses("too-late", "market:RegisterOrder", debit=held)
    (order,) = await market.ask("market:ListOrders", seller.name, "")
    firm = seller.signed("market", "cancel-order", {"order": order})
    await market.refuses("too-late", "market:CancelOrder", debit=firm)
    await market.steps("Clear", by="DistrictB")
    for one in (seller, buyer):
        await market.take(one)
    assert await market.balance(seller) == RICH - 500 * (280 - 100)
    assert await market.balance(buyer) == RICH - 500 * 100
    await market.clock(NOON + HOUR, *HONEST)
    await market.submit("market:Measure", to_hex(POWER.token))
    await market.refuses("not-attached", "market:Settle", to_hex(POWER.token))
    for home in ("home-1", "home-2"):
        await market.attach(f"{home}.gcp", NOON)
    await market.steps("Settle")
    await market.refuses("wrong-state", "market:Settle", to_hex(POWER.token))
    for one in (seller, buyer):
        await market.take(one)
        again = one.signed("market", "take", {"sessions": [to_hex(POWER.token)]})
        await market.refuses("not-found", "market:Take", debit=again)
    moved = 307 * 100 + (500 - 307) * (100 - 80)
    assert await market.balance(seller) == RICH + moved
    assert await market.balance(buyer) == RICH - moved
    promise = to_hex(POWER.minted_by(seller.number).token)
    assert await market.balance(buyer, promise) == 307
    assert await market.state() == "SETTLED"


async def test_an_owner_and_its_operator_never_both_spend_one_balance(
    market: Trading, people: People
) -> None:
    """Two keys, two counters, one row: of 307 Wh each wants 200."""
    owner, operator = people["home-2"], people["home-3"]
    promise = to_hex(POWER.minted_by(people["home-1"].number).token)
    approval = {"operator": operator.name, "approved": True}
    await market.spend(owner, "tokens", "SetApprovalForAll", "set-approval-for-all", **approval)
    what = {"from": owner.name, "to": "acc-home-1", "tokens": [promise], "quantities": [200]}
    results = await race(
        lambda: [
            market.once(
                "tokens:SafeTransferFrom",
                by=by,
                debit=who.signed("tokens", "safe-transfer-from", what),
            )
            for who, by in ((owner, "DSO"), (operator, "DistrictA"))
        ]
    )
    failed = [each for each in results if isinstance(each, BaseException)]
    assert len(failed) == 1
    assert isinstance(failed[0], Invalid | Mismatch | Refused)
    assert await market.balance(owner, promise) == 107


async def test_a_session_nobody_closed_gives_every_deposit_back(
    market: Trading, traders: list[Prosumer]
) -> None:
    """DistrictB has lied and the Aggregator has been silent all the time."""
    await market.submit("market:VoidSession", to_hex(EVENING.token), by="Aggregator")
    for start in range(0, len(traders), 20):
        part = traders[start : start + 20]
        await asyncio.gather(*(market.take(one, EVENING) for one in part))
    for one in traders:
        about = await market.ask("tokens:GetAccount", one.name)
        assert (about["orders"], about["locked"]) == (0, 0)
        assert await market.balance(one) == RICH
