# SPDX-License-Identifier: Apache-2.0
"""The steps' outcomes on each runtime, once a session."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.conformance import driver, facts, memory, record
from tests.conformance.network import network
from tests.conformance.steps import STEPS

RUNTIMES = ("embedded", pytest.param("native", marks=pytest.mark.native))


@pytest.fixture(scope="session")
def recorded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, facts.Fact]:
    """What real Fabric answered when it was recorded; with `--record`, now."""
    if request.config.getoption("--record"):
        record.record(tmp_path_factory.mktemp("recording"))
    return facts.load()


@pytest.fixture(scope="session")
def in_memory() -> dict[str, facts.Fact]:
    """What a peer in memory answers."""
    return asyncio.run(memory.run(STEPS))


@pytest.fixture(scope="session", params=RUNTIMES)
def on_network(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, facts.Fact]]:
    """What a whole network answers."""
    with network(request.param, tmp_path_factory.mktemp("conformance")) as made:
        made.run("up")
        yield asyncio.run(driver.run(made.profiles, STEPS))
