# SPDX-License-Identifier: Apache-2.0
"""Scenarios run on the embedded network always, and on real Fabric when asked by `-m native`; those
with the product's contracts also in containers, by `-m docker`.

Networks that scenarios share end with their module: sixteen nodes that idle cost the others' time.
"""

from collections.abc import Iterator

import pytest

from tests.scenarios.harness import NOTES, Network
from tests.scenarios.harness import network as make_network

RUNTIMES = ("embedded", pytest.param("native", marks=pytest.mark.native))
# Images hold the product's contracts, and of tests nothing.
CONTAINERS = pytest.param("docker", marks=[pytest.mark.docker, pytest.mark.timeout(600)])


@pytest.fixture(scope="module", params=(*RUNTIMES, CONTAINERS))
def network(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Network]:
    """The reference consortium with the product's contracts, up."""
    with make_network(request.param, tmp_path_factory.mktemp("network")) as made:
        made.run("up")
        yield made


@pytest.fixture(scope="module", params=RUNTIMES)
def notes_network(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Network]:
    """The same consortium with a small contract of our own, up; scenarios leave it as it was."""
    with make_network(request.param, tmp_path_factory.mktemp("notes"), NOTES) as made:
        made.run("up")
        yield made


@pytest.fixture(params=RUNTIMES)
def fresh_network(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Network]:
    """As `notes_network`, but not yet up and for one scenario alone, which may break it."""
    with make_network(request.param, tmp_path_factory.mktemp("fresh"), NOTES) as made:
        yield made
