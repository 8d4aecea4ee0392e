# SPDX-License-Identifier: Apache-2.0
"""Clients and contracts of several projects on one network: every test runs with each.

A test takes `clients` (ours, the official Node one) and `chaincode` (the contract on our shim, on
the official Node one). What is not installed is skipped, with the reason.
"""

import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest

from tests import evidence
from tests.interop import environments, table
from tests.interop.environments import CHAINCODE_PYTHON, HFC, NODE, Environment, MissingError
from tests.interop.seen import Seen
from tests.interop.setting import Clients
from tests.interop.setting import network as make_network
from tests.scenarios.harness import Network

RUNTIMES = ("embedded", pytest.param("native", marks=pytest.mark.native))
_seen = pytest.StashKey[Seen]()


def pytest_configure(config: pytest.Config) -> None:
    """The mark of this folder, and room for what its tests show."""
    seen = config.stash[_seen] = Seen()
    config.pluginmanager.register(seen)
    config.addinivalue_line(
        "markers", "interop(row): proves a row of tests/interop/behaviours.toml"
    )


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the evidence of a whole run of this folder, as `make conformance` makes it."""
    whole = session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
    worker = hasattr(session.config, "workerinput")  # the one that began it has all of it
    if worker or not (whole and session.config.getoption("--evidence")):
        return
    for runtime, rows in session.config.stash[_seen].runtimes.items():
        fabric = evidence.fabric_version() if runtime == "native" else ""
        table.record(runtime, rows, fabric)


@pytest.fixture(scope="session")
def missing(request: pytest.FixtureRequest) -> dict[str, str]:
    """Why an environment is not there, by name; made now where the run asks for it."""
    option = request.config.option
    make = option.evidence or environments.asked(option.markexpr)
    found = {}
    for environment in environments.ALL:
        try:
            environments.required(environment, make=make)
        except MissingError as error:
            found[environment.name] = str(error)
    return found


def _demand(environment: Environment, missing: dict[str, str]) -> None:
    if environment.name in missing:
        pytest.skip(missing[environment.name])


@pytest.fixture(scope="package", params=RUNTIMES)
def network(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    missing: dict[str, str],
) -> Iterator[Network]:
    """The consortium with the contract on every shim that is here, up for the whole session."""
    here = {"node": NODE, "fcp": CHAINCODE_PYTHON}
    shims = tuple(name for name, each in here.items() if each.name not in missing)
    with make_network(request.param, tmp_path_factory.mktemp("interop"), shims) as made:
        yield made


@pytest.fixture(scope="package", params=("python", "node"))
async def clients(
    request: pytest.FixtureRequest, network: Network, missing: dict[str, str]
) -> AsyncIterator[Clients]:
    """Clients of one kind."""
    if request.param == "node":
        _demand(NODE, missing)
    async with AsyncExitStack() as stack:
        yield Clients(request.param, network, stack)


@pytest.fixture(scope="package")
async def ours(network: Network) -> AsyncIterator[Clients]:
    """Our clients, for what does not depend on the client."""
    async with AsyncExitStack() as stack:
        yield Clients("python", network, stack)


@pytest.fixture(scope="package")
async def both(network: Network, missing: dict[str, str]) -> AsyncIterator[tuple[Clients, Clients]]:
    """Our clients and Node's, side by side."""
    _demand(NODE, missing)
    async with AsyncExitStack() as stack:
        yield Clients("python", network, stack), Clients("node", network, stack)


@pytest.fixture(params=("ours", "node"))
def chaincode(request: pytest.FixtureRequest, missing: dict[str, str]) -> str:
    """The definition of the contract on one shim."""
    if request.param == "node":
        _demand(NODE, missing)
    return str(request.param)


@pytest.fixture
def fcp(missing: dict[str, str]) -> str:
    """The definition of the contract on fabric-chaincode-python."""
    _demand(CHAINCODE_PYTHON, missing)
    return "fcp"


@pytest.fixture(scope="session")
def hfc(missing: dict[str, str]) -> Environment:
    """The environment of fabric-sdk-py."""
    _demand(HFC, missing)
    return HFC


@pytest.fixture
def key() -> str:
    """A key nobody else writes."""
    return uuid.uuid4().hex
