# SPDX-License-Identifier: Apache-2.0
"""A whole week of two districts' trade and sharing (`make soak`); a day of it is a scenario."""

from pathlib import Path

import pytest

from tests.scenarios.harness import network as make_network
from tests.scenarios.test_market_week import lived_and_audited

pytestmark = [pytest.mark.serial, pytest.mark.timeout(1_800)]


async def test_a_week_of_electricity_and_heat_is_traded_shared_and_audited(tmp_path: Path) -> None:
    with make_network("embedded", tmp_path) as consortium:
        consortium.run("up")
        await lived_and_audited(consortium, tmp_path, days=7)
