# SPDX-License-Identifier: Apache-2.0
"""Agents that were offline, lost answers, exchanged a meter and followed orders are certified as a
twin that was never offline. Here two days of 16 homes; the week: tests/soak."""

from pathlib import Path

import pytest

from tests.scenarios.agentweek import at_short_notice, week
from tests.scenarios.conftest import RUNTIMES

pytestmark = pytest.mark.timeout(600)
EVENTS = [at_short_notice("o-1", 0, 18, "down"), at_short_notice("o-2", 1, 12, "up")]


@pytest.mark.fault(29)
@pytest.mark.fault(38)
@pytest.mark.parametrize("runtime", RUNTIMES)
async def test_a_street_with_outages_is_certified_as_its_twin(runtime: str, tmp_path: Path) -> None:
    async with week(tmp_path, runtime, 2, EVENTS) as made:
        assert await made.live(lost_percent=20) > 0
        await made.check_orders()
        await made.check_as_twin()
