# SPDX-License-Identifier: Apache-2.0
"""Agents that were offline, lost answers and exchanged a meter are certified as a twin that was
not. Here two days of three homes; the week of more: tests/soak."""

from pathlib import Path

import pytest

from tests.scenarios.agentweek import week
from tests.scenarios.conftest import RUNTIMES

pytestmark = pytest.mark.timeout(400)


@pytest.mark.fault(29)
@pytest.mark.fault(38)
@pytest.mark.parametrize("runtime", RUNTIMES)
async def test_a_street_with_outages_is_certified_as_its_twin(runtime: str, tmp_path: Path) -> None:
    with week(tmp_path, runtime, days=2, homes=3) as made:
        assert await made.live(lost_percent=20) > 0
        await made.check_as_twin()
