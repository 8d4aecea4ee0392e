# SPDX-License-Identifier: Apache-2.0
"""Two zones with limits between them, cleared and settled together (rules K8)."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pedchain_domain import canonical
from pedchain_domain.market.tokenid import HOUR, MONEY, to_hex
from tests.unit.chaincode.exchange import Prosumer
from tests.unit.chaincode.marketplace import GATE, LATER, NOON, POWER, K
from tests.unit.chaincode.refusals import refused
from tests.unit.chaincode.settling import ENDS, RICH, Energies, Settling

BEYOND = replace(POWER, zone=3)
NEAR, FAR = to_hex(POWER.token), to_hex(BEYOND.token)
Placed = tuple[str, int, str, int, int]
RULES: tuple[Placed, ...] = (
    ("ann", 1, "BID", 500, 250),
    ("art", 1, "OFFER", 2_000, 100),
    ("bea", 3, "BID", 1_200, 260),
    ("ben", 3, "OFFER", 500, 220),
)
"""The rules' example: a flow of 1,200 Wh if nothing limits it."""


def limits(*rows: list[int], start: int = NOON, zones: tuple[int, int] = (1, 3)) -> bytes:
    return canonical.encode(
        {"schema": "limits/1", "zones": [*zones], "start": start, "limits": [*rows]}
    )


class Coupled(Settling):
    """A market over zones 1 and 3."""

    async def put(self, *rows: list[int], **about: Any) -> None:
        await self.submit("market:PutLimits", limits(*rows, **about))

    async def place(self, *placed: Placed) -> None:
        for at, (name, zone, side, wh, price) in enumerate(placed):
            if name not in self.people:
                one = Prosumer(name, at + 1)
                places = one.places()
                places["electricity"]["zone"] = zone
                self.people[name] = Prosumer(name, at + 1, places=places)
                await self.register(self.people[name], RICH)
            await self.order(self.people[name], side, (replace(POWER, zone=zone), wh, price))

    async def clear_both(self) -> None:
        await self.clock(GATE)
        for product in (POWER, BEYOND):
            await self.close(product)
        await self.steps("Clear", BEYOND)

    async def settle_both(self, energies: Energies) -> None:
        await self.clock(ENDS)
        for name in (NEAR, FAR):
            await self.submit("market:Measure", name)
        certified = await self.certify(energies)
        for name in sorted(energies):
            await self.attach(certified.proofs(f"{name}.gcp", NOON))
        await self.steps("Settle", POWER)
        for placed in self.people.values():
            zone = placed.about["places"]["electricity"]["zone"]
            await self.take(placed, replace(POWER, zone=zone))

    async def rent(self) -> int:
        credits_ = await self.ask("tokens:ListCredits", "congestion", "")
        return sum(one["amount"] for one in credits_.values())


@pytest.fixture
async def market() -> Coupled:
    found = Coupled()
    await found.prepare()
    return found


ALL: Energies = {"ann": (0, 900), "art": (5_000, 0), "bea": (0, 2_000), "ben": (600, 0)}


async def test_beyond_the_limit_the_rules_example_pays_48_000_to_congestion(
    market: Coupled,
) -> None:
    await market.put([300, 0])
    await market.place(*RULES)
    await market.clear_both()
    near = await market.ask("market:GetTrades", NEAR)
    far = await market.ask("market:GetTrades", FAR)
    across = ["art", "bea", 300, 260 * K, 100 * K]
    assert near == {"price": 100 * K, "trades": [["art", "ann", 500, 100 * K], across]}
    assert far == {"price": 260 * K, "trades": [across, ["ben", "bea", 500, 260 * K]]}
    await market.settle_both(ALL)
    assert await market.rent() == 48_000
    assert await market.gains() == {
        "ann": -50_000,
        "art": 80_000,
        "bea": -208_000,
        "ben": 130_000,
    }
    art, bea = market.people["art"], market.people["bea"]
    promise = to_hex(POWER.minted_by(art.number).token)
    assert await market.balance(bea, promise) == 300
    assert await market.supply(promise) == 800
    assert await market.supply(to_hex(MONEY)) == 4 * RICH
    assert [(await market.session(one))["state"] for one in (POWER, BEYOND)] == ["SETTLED"] * 2


async def test_within_the_limit_both_zones_have_one_price(market: Coupled) -> None:
    await market.put([1_200, 0])
    await market.place(*RULES)
    await market.clear_both()
    found = [await market.ask("market:GetTrades", name) for name in (NEAR, FAR)]
    assert [one["price"] for one in found] == [100 * K] * 2
    await market.settle_both(ALL)
    assert await market.rent() == 0
    assert (await market.gains())["art"] == 1_700 * 100


@pytest.mark.parametrize(
    ("delivered", "drawn", "seller", "buyer", "rent"),
    [
        (800, 800, 80_000, -208_000, 48_000),
        (500, 800, 500 * 100 - 187 * 180 - 113 * 20, -687 * 260 + 113 * 20, 187 * 160),
        (800, 500, 688 * 100 + 112 * 20, -500 * 260 - 112 * 20 - 188 * 180, 188 * 160),
    ],
)
async def test_who_falls_short_across_the_limit_makes_good_the_others_price(
    market: Coupled, delivered: int, drawn: int, seller: int, buyer: int, rent: int
) -> None:
    """300 Wh cross, bought at 260 and sold at 100: retail is 280, feed-in 80."""
    await market.put([300, 0])
    await market.place(*RULES)
    await market.clear_both()
    await market.settle_both({**ALL, "art": (delivered, 0), "bea": (0, drawn)})
    gains = await market.gains()
    assert (gains["art"], gains["bea"], await market.rent()) == (seller, buyer, rent)
    assert sum(gains.values()) == -rent


async def test_a_session_waits_for_its_partner_to_close(market: Coupled) -> None:
    await market.put([300, 0])
    await market.clock(GATE)
    await market.close(POWER)
    await refused(market.submit("market:Clear", NEAR), "wrong-state")
    await market.close(BEYOND)
    await market.steps("Clear", POWER)
    assert [(await market.session(one))["partner"] for one in (POWER, BEYOND)] == [FAR, NEAR]


async def test_a_partner_that_was_never_opened_holds_nobody_up(
    market: Coupled,
) -> None:
    await market.put([300, 0], start=NOON + HOUR)
    await market.clock(GATE)
    await market.close(LATER)
    await market.steps("Clear", LATER)
    assert (await market.session(LATER))["partner"] is None


async def test_limits_are_published_before_the_gate_and_for_one_pair_of_zones(
    market: Coupled,
) -> None:
    await market.put([300, 0], [400, 0])
    await market.put([200, 100])
    await refused(market.put([1, 1], zones=(1, 9)), "unknown-zone")
    await refused(market.put([1, 1], zones=(1, 2)), "wrong-zone")
    await refused(market.put([-1, 1]), "malformed-document")
    await refused(market.put([1, 1], start=NOON + 1), "malformed-document")
    await refused(market.put(*[[1, 1]] * 26), "too-large")
    await refused(market.put(), "malformed-document")
    await market.clock(GATE)
    await refused(market.put([1, 1]), "too-late")


async def test_heat_networks_are_never_coupled(market: Coupled) -> None:
    await refused(market.put([1, 1], zones=(2, 3)), "wrong-zone")


orders = st.lists(
    st.tuples(st.sampled_from((1, 3)), st.sampled_from(("BID", "OFFER")),
              st.integers(100, 900), st.integers(90, 270)),
    min_size=2, max_size=7,
)  # fmt: skip


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(orders, st.integers(1, 600), st.integers(0, 600), st.data())
async def test_nothing_is_made_or_lost_between_two_zones(
    placed: list[tuple[int, str, int, int]], there: int, back: int, data: st.DataObject
) -> None:
    """Money, deposits and energy over random books, limits and meters."""
    market = Coupled()
    await market.prepare()
    await market.put([there, back])
    await market.place(*((f"p{at}", *one) for at, one in enumerate(placed)))
    await market.clear_both()
    wh = st.one_of(st.none(), st.integers(0, 1_000))
    energies: Energies = {}
    for name in market.people:
        drawn = data.draw(wh)
        energies[name] = None if drawn is None else (drawn, drawn)
    await market.settle_both(energies)
    assert market.lines() == []
    gains, rent = await market.gains(), await market.rent()
    assert sum(gains.values()) == -rent <= 0
    held = minted = 0
    for one in market.people.values():
        zone = one.about["places"]["electricity"]["zone"]
        token = to_hex(replace(POWER, zone=zone).minted_by(one.number).token)
        minted += await market.supply(token)
        for other in market.people.values():
            held += await market.balance(other, token)
    assert held == minted
