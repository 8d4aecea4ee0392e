# SPDX-License-Identifier: Apache-2.0
"""A generator that stands still in the hours the baseline is adjusted by, beside neighbours whose
generation runs: such a site neither earns nor helps the portfolio (rules D17)."""

import json
from typing import Any

import pytest

from tests.unit.chaincode.district import DAY, METERING, calendar
from tests.unit.chaincode.flexing import BEFORE, EVENT, HOUR, NOTICE, order, usual
from tests.unit.chaincode.test_flexibility_conserved import Filled

ROOF_W, SUN = 5_000, range(5, 20)


class Sunny(Filled):
    """Four homes, each with a roof that is metered."""

    async def shine(self, dark: str) -> None:
        """The event's day: all draw 300 Wh in its two hours, and the roof of `dark` stands still
        all day."""
        layout: dict[int, dict[str, Any]] = {}
        for at, home in enumerate(self.homes):
            cell = json.loads(self.peer.state(METERING)[f"\x00site\x00{home.name}\x00"])["cell"]
            drawn = [300 if hour in (12, 13) else usual(at, BEFORE, hour) for hour in range(24)]
            made = [2_000 if hour in SUN and home.name != dark else 0 for hour in range(24)]
            figure = {"f": drawn, "c": "M" * 24, "g": made, "gw": ROOF_W, "p": [[0, 24]]}
            layout.setdefault(cell, {})[home.name] = figure
        about = {"day": calendar()["rows"][BEFORE], "run": "F", "grain": HOUR}
        days = [[cell, {**about, "sites": sites}] for cell, sites in layout.items()]
        await self.metering("filling:Put", days=json.dumps(days).encode())


@pytest.fixture
async def street() -> Sunny:
    found = Sunny()
    await found.prepare()
    await found.clock(NOTICE)
    return found


async def settled(street: Sunny, dark: str) -> dict[str, Any]:
    await street.issue(order(power_w=1_600, low_accuracy=True))
    await street.accept(1_600, plant=True)
    await street.steps("FreezeOrder")
    await street.dispatch()
    await street.answer(street.homes)
    await street.shine(dark)
    await street.clock(EVENT + 12 * DAY)
    return await street.settle()


@pytest.mark.fault(41)
async def test_a_roof_switched_off_beside_running_ones_earns_and_helps_nothing(
    street: Sunny,
) -> None:
    """Four homes of 300 Wh an hour; without the one whose roof stood still 900 Wh are left."""
    result = await settled(street, street.homes[0].name)
    found = {home.name: await street.statement(home) for home in street.homes}
    assert found[street.homes[0].name]["flags"] == ["generation-off"]
    assert found[street.homes[0].name]["money"] == 0
    assert all(one["flags"] == [] for name, one in found.items() if name != street.homes[0].name)
    assert result["delivered_wh"] < 2 * 1_000
    assert result["users"] == sum(one["money"] for one in found.values())


async def test_roofs_that_all_run_are_paid(street: Sunny) -> None:
    result = await settled(street, "")
    assert result["delivered_wh"] > 2 * 1_200
    for home in street.homes:
        assert (await street.statement(home))["money"] > 0
