# SPDX-License-Identifier: Apache-2.0
"""A week of a street with outages and orders (`make soak`); two days of it are a scenario."""

from pathlib import Path

import pytest

from tests.scenarios.agentweek import at_short_notice, week

pytestmark = [pytest.mark.serial, pytest.mark.timeout(1_800)]
EVENTS = [
    at_short_notice("o-1", 2, 18, "down"),
    at_short_notice("o-2", 4, 12, "up"),
    at_short_notice("o-3", 5, 6, "down"),
]


async def test_a_week_offline_and_a_bad_link_change_no_certificate(tmp_path: Path) -> None:
    async with week(tmp_path, "embedded", 7, EVENTS) as made:
        assert await made.live(lost_percent=5) > 0
        await made.check_orders()
        await made.check_as_twin()
