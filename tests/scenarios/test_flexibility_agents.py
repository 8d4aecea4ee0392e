# SPDX-License-Identifier: Apache-2.0
"""Six orders over the demo's two districts, up and down, one and both, followed by agents at their
gateways, settled, told to every home, and redone by the auditor. A month of it: tests/soak."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pedchain_audit.collect import collect
from pedchain_audit.verify import verify
from pedchain_gateway.ledger import Refused
from tests.scenarios.conftest import RUNTIMES
from tests.scenarios.flexmonth import A, B, Districts, Event, districts
from tests.scenarios.harness import Network
from tests.scenarios.harness import network as make_network

pytestmark = pytest.mark.timeout(900)
DAYS = 11
EVENTS = [
    Event("o-1", 8, 18, {A: 3_000}, notice_hours=26),
    Event("o-2", 8, 12, {B: 3_000}, "up", notice_hours=20),
    Event("o-3", 9, 17, {A: 2_000, B: 3_000}, notice_hours=3),
    Event("o-4", 9, 20, {A: 2_000}, "up", notice_hours=6),
    Event("o-5", 10, 18, {B: 4_000}, more={"rule": "mean10", "toe_price": 0}),
    Event("o-6", 10, 14, {A: 2_000, B: 2_000}, "up", notice_hours=4),
]


@pytest.fixture(scope="module", params=RUNTIMES)
async def consortium(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Network]:
    with make_network(request.param, tmp_path_factory.mktemp("agents")) as made:
        made.run("up")
        yield made


async def test_agents_follow_six_orders_and_the_auditor_redoes_them(
    consortium: Network, tmp_path: Path
) -> None:
    await lived_and_audited(consortium, tmp_path, EVENTS, DAYS)


async def lived_and_audited(
    consortium: Network, tmp_path: Path, events: list[Event], days: int
) -> list[dict[str, Any]]:
    """So many days with their orders, then the audit of all of it; the results."""
    async with districts(consortium, tmp_path, days) as made:
        await made.run(events, days)
        await others_cannot_carry_an_order(made, events[2].name)
        results = await made.settle(events, days)
        told = await made.statements(events, tmp_path / "statements")
    for event in events:
        result = results[event.name]
        assert result["delivered_wh"] > 0, event
        assert result["pools"].keys() == event.parts.keys()
    assert sum(one["money"] for one in told) == sum(one["users"] for one in results.values())
    texts = sorted((tmp_path / "statements").glob("*.txt"))
    assert len(texts) == len(told) == len(sorted((tmp_path / "statements").glob("*.svg")))
    figures = verify(await collect(consortium.profile("DSO"), tmp_path / "ledger"))
    assert (figures.orders, figures.not_checked) == (len(events), [])
    assert figures.statements == len(told)
    return list(results.values())


async def others_cannot_carry_an_order(made: Districts, name: str) -> None:
    """A district's own gateway reads only its own `flex`: every step is refused there."""
    flex = made.flexibility(A)
    for step in ("FreezeOrder", "SettleDistrict", "PayDistrict"):
        with pytest.raises(Refused, match="not-permitted"):
            await asyncio.wait_for(flex._submit("settlement", step, name, B), 60)
    with pytest.raises(Refused, match="not-permitted"):
        await flex._submit("settlement", "FinishOrder", name)
