# SPDX-License-Identifier: Apache-2.0
"""One network of each runtime for all sequences of a session, with a runner on it."""

from collections.abc import AsyncIterator

import pytest

from tests.differential.running import Runner, network, runner

RUNTIMES = ("embedded", pytest.param("native", marks=pytest.mark.native))


@pytest.fixture(scope="session", params=RUNTIMES)
async def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Runner]:
    """A runner on a network that is up."""
    with network(request.param, tmp_path_factory.mktemp("differential")) as made:
        async with runner(made) as found:
            yield found
