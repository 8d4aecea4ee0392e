# SPDX-License-Identifier: Apache-2.0
"""Scenarios run on the embedded network always, and on real Fabric when asked by `-m native`.

`network` is the reference consortium with the product's contracts, up for the whole session.
Every run on real Fabric leaves `tests/native.json`: what ran there, and on which sources.
"""

from collections import Counter
from collections.abc import Generator, Iterator

import pytest

from pedchain_network import native
from pedchain_network.errors import RuntimeMissingError
from tests.scenarios import evidence
from tests.scenarios.harness import NOTES, Network
from tests.scenarios.harness import network as make_network

RUNTIMES = ("embedded", pytest.param("native", marks=pytest.mark.native))

_outcomes = pytest.StashKey[dict[str, str]]()


@pytest.fixture(scope="session", params=RUNTIMES)
def network(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Network]:
    """The reference consortium with the product's contracts, up."""
    with make_network(request.param, tmp_path_factory.mktemp("network")) as made:
        made.run("up")
        yield made


@pytest.fixture(scope="session", params=RUNTIMES)
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


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Real Fabric is asked for by `-m native`; without its binaries nothing can be asked."""
    if "native" in config.option.markexpr and _fabric_found():
        return
    unwanted = [item for item in items if item.get_closest_marker("native")]
    if unwanted:
        config.hook.pytest_deselected(items=unwanted)
        items[:] = [item for item in items if item not in unwanted]


def pytest_configure(config: pytest.Config) -> None:
    """Room for the outcomes of what ran on real Fabric."""
    config.stash[_outcomes] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep the worst outcome of each native test's phases."""
    report = yield
    if item.get_closest_marker("native"):
        kept = item.config.stash[_outcomes]
        if report.when == "call" or report.outcome != "passed":
            kept[item.nodeid] = report.outcome
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the evidence, if anything ran on real Fabric."""
    outcomes = session.config.stash.get(_outcomes, {})
    if outcomes:
        evidence.write(session.config.rootpath, outcomes, Counter(outcomes.values()))


def _fabric_found() -> bool:
    try:
        native.find()
    except RuntimeMissingError:
        return False
    return True
