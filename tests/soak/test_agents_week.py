# SPDX-License-Identifier: Apache-2.0
"""A week of a street with outages (`make soak`); two days of it are a scenario."""

from pathlib import Path

import pytest

from tests.scenarios.agentweek import week

pytestmark = [pytest.mark.serial, pytest.mark.timeout(1_800)]


async def test_a_week_offline_and_a_bad_link_change_no_certificate(tmp_path: Path) -> None:
    with week(tmp_path, "embedded", days=7, homes=12) as made:
        assert await made.live(lost_percent=5) > 0
        await made.check_as_twin()
