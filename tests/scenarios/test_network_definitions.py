# SPDX-License-Identifier: Apache-2.0
"""What organisations agreed on is what the channel does."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from pedchain_fabric.admin import cscc, qscc
from pedchain_fabric.admin.definition import Definition
from pedchain_fabric.admin.package import service_package
from pedchain_fabric.errors import AdminError, EndorseError
from pedchain_fabric.wire.block import commit_hash
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_network.bringup.members import Member, connect
from pedchain_network.state import State
from pedchain_network.topology import reader
from tests.scenarios.harness import Network

CHANNEL = "ped"
NOTES = Definition("notes", "1", 1, "AND('DSOMSP.peer', 'DistrictAMSP.peer')")


@pytest.fixture(scope="module")
async def members(notes_network: Network) -> AsyncIterator[dict[str, Member]]:
    async with AsyncExitStack() as stack:
        topology = reader.load(notes_network.topology)
        connected = await stack.enter_async_context(connect(topology, State(notes_network.state)))
        yield {member.organization.name: member for member in connected}


async def test_every_peer_and_orderer_is_on_the_channel(members: dict[str, Member]) -> None:
    for member in members.values():
        assert await cscc.channels(member.peer) == {CHANNEL}
        seen = await member.orderer.info(CHANNEL)
        assert (seen.relation, seen.status) == ("consenter", "active")


async def test_every_peer_has_the_same_definitions(members: dict[str, Member]) -> None:
    for member in members.values():
        committed = await member.lifecycle.committed()
        assert committed.items() >= {
            ("registry", 1),
            ("metering-DistrictA", 1),
            ("metering-DistrictB", 1),
            ("settlement", 1),
        }


async def test_a_definition_has_the_policies_and_collections_of_the_topology(
    notes_network: Network, members: dict[str, Member]
) -> None:
    for deployment in reader.load(notes_network.topology).deployments:
        agreed = await members["Aggregator"].lifecycle.agreed(deployment.definition.name)
        meant = deployment.definition.to_proto()
        assert agreed.validation_parameter == meant.validation_parameter
        assert agreed.collections.config == meant.collections.config
        assert all(agreed.approvals.values())


async def test_an_unknown_definition_is_not_found(members: dict[str, Member]) -> None:
    with pytest.raises(AdminError) as refusal:
        await members["DSO"].lifecycle.agreed("nothing")
    assert refusal.value.status == 404


async def test_peers_have_the_same_blocks(members: dict[str, Member]) -> None:
    for number in range(3):
        blocks = [
            await qscc.block_by_number(member.peer, CHANNEL, number) for member in members.values()
        ]
        assert len({block.header.SerializeToString() for block in blocks}) == 1
        assert len({commit_hash(block) for block in blocks}) == 1


async def test_the_configuration_on_the_ledger_is_the_genesis_block(
    notes_network: Network, members: dict[str, Member]
) -> None:
    block = await cscc.config_block(members["DistrictB"].peer, CHANNEL)
    genesis = State(notes_network.state).genesis(CHANNEL).read_bytes()
    assert block.header.number == 0
    assert block.data.data[0] in genesis
    config = ChannelConfig.from_block(block)
    assert config.channel_id == CHANNEL
    assert len(config.consenters) == len(members)


async def test_an_open_channel_is_joined_once(
    notes_network: Network, members: dict[str, Member]
) -> None:
    genesis = State(notes_network.state).genesis(CHANNEL).read_bytes()
    with pytest.raises(AdminError):
        await cscc.join(members["DSO"].peer, genesis)
    with pytest.raises(AdminError) as refusal:
        await members["DSO"].orderer.join(genesis)
    assert refusal.value.status in {405, 409}


async def test_another_organisations_administrator_cannot_join_a_peer(
    notes_network: Network, members: dict[str, Member]
) -> None:
    stranger = members["DistrictB"].peer.identity
    peer = members["DSO"].peer
    genesis = State(notes_network.state).genesis(CHANNEL).read_bytes()
    mine, peer.identity = peer.identity, stranger
    try:
        with pytest.raises(AdminError):
            await cscc.join(peer, genesis)
    finally:
        peer.identity = mine


async def test_a_commit_waits_for_every_organisation_its_policy_names(
    members: dict[str, Member],
) -> None:
    dso, district = members["DSO"].lifecycle, members["DistrictA"].lifecycle
    package = service_package("registry", "slot0", tls=True)
    with pytest.raises(AdminError, match="DSOMSP has not approved"):
        await dso.commit(NOTES, [dso, district])
    await dso.approve(NOTES, package.id)
    with pytest.raises(AdminError, match="DistrictAMSP has not approved"):
        await dso.commit(NOTES, [dso, district])
    # Another policy under the same name and sequence is another definition.
    await district.approve(replace(NOTES, endorsement="OR('DSOMSP.peer')"), package.id)
    with pytest.raises(AdminError, match="DistrictAMSP has not approved"):
        await dso.commit(NOTES, [dso, district])


async def test_a_majority_without_the_dso_cannot_agree_on_a_definition(
    members: dict[str, Member],
) -> None:
    """Three of four is a majority; the lifecycle policy still asks for the DSO."""
    coup = Definition("coup", "1", 1, "OR('DistrictAMSP.peer')")
    package = service_package("registry", "slot0", tls=True)
    others = [members[name].lifecycle for name in ("DistrictA", "DistrictB", "Aggregator")]
    for member in others:
        await member.approve(coup, package.id)
    with pytest.raises(EndorseError):
        await others[0].commit(coup, others)
    assert "coup" not in await members["DSO"].lifecycle.committed()
