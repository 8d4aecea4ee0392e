# SPDX-License-Identifier: Apache-2.0
"""Two peers of the DSO, without whom nothing is endorsed: one of them is nobody's outage."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from pedchain_fabric.admin import qscc
from pedchain_fabric.admin.endorser import Endorser
from pedchain_fabric.client import profile
from pedchain_fabric.errors import AdminError, CommitError, GatewayError
from pedchain_fabric.wire.block import commit_hash
from pedchain_network.bringup.members import Member, connect
from pedchain_network.state import State
from pedchain_network.topology import reader
from tests.scenarios.conftest import RUNTIMES
from tests.scenarios.harness import NOTES, Network
from tests.scenarios.harness import network as make_network

CHANNEL = "ped"
PATIENCE_S = 30.0


@pytest.fixture(scope="module", params=RUNTIMES)
def network(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Network]:
    directory = tmp_path_factory.mktemp("ha")
    with make_network(request.param, directory, NOTES, reader.highly_available()) as made:
        made.run("up")
        yield made


@asynccontextmanager
async def members_of(network: Network) -> AsyncIterator[dict[str, Member]]:
    state = State(network.state)
    async with connect(state.topology(), state) as members:
        yield {member.organization.name: member for member in members}


async def put(network: Network, key: str, organization: str = "DistrictA") -> None:
    async with await profile.connect(network.profile(organization)) as gateway:
        await gateway.network(CHANNEL).contract("registry").submit("Put", key, "text")


async def test_every_peer_has_a_ledger_and_a_chaincode_of_its_own(network: Network) -> None:
    await put(network, "both")
    async with members_of(network) as members:
        peers = [peer for member in members.values() for peer in member.peers]
        assert len(peers) == 5
        assert [peer.name for peer in members["DSO"].peers] == ["peer0.dso.ped", "peer1.dso.ped"]
        answers = set()
        for peer in peers:
            await reaches(peer.endorser, "both")
            info = await qscc.chain_info(peer.endorser, CHANNEL)
            newest = await qscc.block_by_number(peer.endorser, CHANNEL, info.height - 1)
            answers.add((info.height, commit_hash(newest)))
        assert len(answers) == 1


@pytest.mark.serial
async def test_endorsement_goes_on_while_one_dso_peer_is_away(network: Network) -> None:
    if network.runtime != "native":
        pytest.skip("its peers are one process")
    run = State(network.state).load()
    assert run is not None
    victim = next(each for each in run.processes if each.name == "peer0.dso.ped")
    os.kill(victim.pid, signal.SIGKILL)
    await submitted(network, "away")
    network.run("up")
    async with members_of(network) as members:
        for peer in members["DSO"].peers:
            await reaches(peer.endorser, "away")


async def submitted(network: Network, key: str) -> None:
    """Gateways find out within their next attempts that the peer is gone."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                return await put(network, key)
            except (GatewayError, CommitError):
                await asyncio.sleep(0.1)


async def reaches(endorser: Endorser, key: str) -> None:
    """This very peer's chaincode reads the note from this very peer's ledger."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                if await endorser.query("registry", "Get", key.encode(), channel=CHANNEL):
                    return
            except AdminError:
                pass
            await asyncio.sleep(0.05)
