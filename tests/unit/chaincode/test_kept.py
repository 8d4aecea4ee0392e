# SPDX-License-Identifier: Apache-2.0
"""What came of a large session's orders is written some accounts a step (rules K4, K6)."""

import pytest

from pedchain_chaincode.settlement import limits
from pedchain_domain.market.tokenid import to_hex
from tests.unit.chaincode.marketplace import GATE, POWER, RICH, VOID
from tests.unit.chaincode.settling import ENDS, Energies, Settling
from tests.unit.chaincode.test_coupled import BEYOND, RULES, Coupled

ORDERS = (
    ("s1", "OFFER", 500, 110), ("s2", "OFFER", 300, 120), ("b1", "BID", 400, 140),
    ("b2", "BID", 200, 130), ("b3", "BID", 100, 90),
)  # fmt: skip
ENERGIES: Energies = {"s1": (500, 0), "s2": (300, 0), "b1": (0, 400), "b2": (0, 200), "b3": (0, 9)}
NAME = to_hex(POWER.token)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A document for each account, two of them a step."""
    monkeypatch.setattr(limits, "ACCOUNTS_TOGETHER", 1)
    monkeypatch.setattr(limits, "OUTCOMES_KEPT", 2)


async def settled() -> tuple[int, list[int]]:
    """Steps of clearing, and everybody's money afterwards."""
    market = Settling()
    await market.prepare()
    await market.placed(*ORDERS)
    await market.clock(GATE)
    await market.close()
    taken = await market.steps("Clear")
    await market.clock(ENDS)
    await market.submit("market:Measure", NAME)
    await market.settle(ENERGIES)
    return taken, [await market.balance(one) for one in market.people.values()]


async def test_steps_change_nothing_of_what_comes_of_orders(
    request: pytest.FixtureRequest,
) -> None:
    taken, whole = await settled()
    request.getfixturevalue("small")
    more, parts = await settled()
    assert parts == whole
    assert more == taken + 2


async def test_coupled_sessions_are_kept_together(small: None) -> None:
    """Three accounts in one zone, two in the other: the shorter waits and loses nothing."""
    market = Coupled()
    await market.prepare()
    await market.put([300, 300])
    await market.place(*RULES, ("cem", 1, "BID", 100, 240))
    await market.clear_both()
    for product, names in ((POWER, ("ann", "art", "cem")), (BEYOND, ("bea", "ben"))):
        for name in names:
            asked = (name, to_hex(product.token))
            assert (await market.ask("market:GetOutcome", *asked))["cleared"], asked


async def test_a_session_void_halfway_gives_all_back(small: None) -> None:
    market = Settling()
    await market.prepare()
    await market.placed(*ORDERS)
    await market.clock(GATE)
    await market.close()
    while (await market.session(POWER))["step"].get("next") != 2:
        await market.submit("market:Clear", NAME)
    await market.clock(VOID)
    await market.submit("market:VoidSession", NAME)
    for one in market.people.values():
        assert (await market.ask("market:GetOutcome", one.name, NAME))["cleared"] is None
        await market.take(one)
        assert await market.balance(one) == RICH
