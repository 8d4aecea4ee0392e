# SPDX-License-Identifier: Apache-2.0
"""A pytest plugin: every test gets a Fabric network as it was when the session began.

Say what runs on it in `conftest.py`:

    @pytest.fixture(scope="session")
    def fabric_chaincodes():
        return [Chaincode("assets", contracts=(Assets(),))]

and use `fabric` in a test, with `await` or without:

    async def test_an_asset_is_created(fabric):
        async with fabric.gateway("Org1") as gateway:
            await gateway.network("test").contract("assets").submit("Create", "a1")

    def test_an_asset_is_unknown_at_first(fabric):
        assert fabric.evaluate("Org2", "assets", "Exists", "a1") == b"false"

Chaincode runs in the tests' own process: breakpoints, coverage and plain prints work in it.
"""

from collections.abc import Iterator, Mapping, Sequence

import pytest

from pedchain_fabric.client import Gateway
from pedchain_fabric.testing.background import Background
from pedchain_fabric.testing.chaincode import Chaincode
from pedchain_fabric.testing.network import TestNetwork
from pedchain_fabric.testing.snapshot import Snapshot
from pedchain_fabric.wire.identity import SigningIdentity


class Fabric:
    """A test network in a thread of its own, for tests with and without an event loop."""

    def __init__(self, network: TestNetwork, background: Background) -> None:
        self.network = network
        self._background = background
        self._changed = False

    @property
    def channel(self) -> str:
        """The channel's name."""
        return self.network.channel

    def identity(
        self,
        organization: str,
        user: str = "user",
        role: str = "client",
        attributes: Mapping[str, str] | None = None,
    ) -> SigningIdentity:
        """A member of the organisation, enrolled now."""
        return self.network.identity(organization, user, role, attributes)

    def gateway(self, organization: str, identity: SigningIdentity | None = None) -> Gateway:
        """A connection to the organisation's peer, for the running event loop."""
        self._changed = True
        return self.network.gateway(organization, identity)

    def submit(
        self,
        organization: str,
        chaincode: str,
        function: str,
        *args: bytes | str,
        identity: SigningIdentity | None = None,
        transient: Mapping[str, bytes] | None = None,
    ) -> bytes:
        """Submit through the organisation's peer and wait for the commit. Raises as
        `Contract.submit` does."""

        async def work() -> bytes:
            async with self.network.gateway(organization, identity) as gateway:
                contract = gateway.network(self.channel).contract(chaincode)
                return await contract.submit(function, *args, transient=transient)

        self._changed = True
        return self._background.run(work())

    def evaluate(
        self,
        organization: str,
        chaincode: str,
        function: str,
        *args: bytes | str,
        identity: SigningIdentity | None = None,
        transient: Mapping[str, bytes] | None = None,
    ) -> bytes:
        """Ask one peer; nothing is written. Raises `GatewayError`."""

        async def work() -> bytes:
            async with self.network.gateway(organization, identity) as gateway:
                contract = gateway.network(self.channel).contract(chaincode)
                return await contract.evaluate(function, *args, transient=transient)

        return self._background.run(work())

    def snapshot(self) -> Snapshot:
        """The ledgers as they are now."""
        return self._background.run(self.network.snapshot())

    def rollback(self, snapshot: Snapshot) -> None:
        """Back to a snapshot, unless nothing can have changed since the last one."""
        if self._changed:
            self._background.run(self.network.rollback(snapshot))
            self._changed = False


@pytest.fixture(scope="session")
def fabric_chaincodes() -> Sequence[Chaincode]:
    """What runs on the network; override it."""
    return ()


@pytest.fixture(scope="session")
def fabric_organizations() -> Sequence[str]:
    """Who takes part; override it to have others."""
    return ("Org1", "Org2")


@pytest.fixture(scope="session")
def fabric_session(
    tmp_path_factory: pytest.TempPathFactory,
    fabric_chaincodes: Sequence[Chaincode],
    fabric_organizations: Sequence[str],
) -> Iterator[tuple[Fabric, Snapshot]]:
    """The network of the whole session and how it began; tests use `fabric`."""
    background = Background()
    network = TestNetwork(
        tmp_path_factory.mktemp("fabric"), fabric_chaincodes, fabric_organizations
    )
    background.run(network.start())
    fabric = Fabric(network, background)
    try:
        yield fabric, fabric.snapshot()
    finally:
        background.run(network.stop())
        background.close()


@pytest.fixture
def fabric(fabric_session: tuple[Fabric, Snapshot]) -> Iterator[Fabric]:
    """The network as it was when the session began; what a test changes is gone after it."""
    network, start = fabric_session
    yield network
    network.rollback(start)
