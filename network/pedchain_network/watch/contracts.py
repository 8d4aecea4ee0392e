# SPDX-License-Identifier: Apache-2.0
"""Asking each peer for its own chaincode's answer, as `status` and `doctor` do.

A proposal to one peer alone: simulated and answered, nothing is ordered. It opens the stream to
the chaincode if there is none, so an answer says that the stream is there.
"""

import asyncio
from collections.abc import Sequence

from pedchain_fabric.admin import configuration
from pedchain_fabric.errors import FabricError
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_network.change.reach import Reach
from pedchain_network.limits import STATUS_CHAINCODE_S
from pedchain_network.state import State
from pedchain_network.topology.model import Deployment, Node, Topology

Answer = bytes | str
"""What the contract answered, or in words why it did not."""


async def ask(
    topology: Topology, state: State, peers: Sequence[Node]
) -> tuple[dict[str, dict[str, str]], dict[int, str]]:
    """By peer and definition why it does not answer (empty: it does), and the consenters' numbers.

    Peers of organisations whose administrator's key is elsewhere are left out.
    """
    async with Reach(topology, state) as reach:
        own = [peer for peer in peers if peer.organization in reach.admins()]
        found, config = await asyncio.gather(
            asyncio.gather(*(answers(reach, peer) for peer in own)),
            configuration_of(reach, own[:1]),
        )
    return {
        peer.name: {name: told if isinstance(told, str) else "" for name, told in each.items()}
        for peer, each in zip(own, found, strict=True)
    }, numbers(topology, config)


async def answers(reach: Reach, peer: Node) -> dict[str, Answer]:
    """What each contract that the peer's organisation should run answers to the probe."""
    wanted = [
        each.definition.name for each in reach.topology.deployments if concerns(reach, each, peer)
    ]
    told = await asyncio.gather(*(_answer(reach, peer, name) for name in wanted))
    return dict(zip(wanted, told, strict=True))


def concerns(reach: Reach, deployment: Deployment, peer: Node) -> bool:
    """Do the definition's policies name the peer's organisation."""
    msp_id = reach.topology.by_name(peer.organization).msp_id
    return msp_id in deployment.definition.organizations()


async def configuration_of(reach: Reach, peers: Sequence[Node]) -> ChannelConfig | None:
    """The channel's configuration from the first peer that tells it."""
    for peer in peers:
        try:
            async with asyncio.timeout(STATUS_CHAINCODE_S):
                return await configuration.from_peer(reach.peer(peer), reach.topology.channel)
        except (FabricError, TimeoutError):
            continue
    return None


def numbers(topology: Topology, config: ChannelConfig | None) -> dict[int, str]:
    """The consenters' numbers in the channel, with the names of the topology's orderers."""
    names = {topology.dialled(node): node.name for node in topology.orderers()}
    found = () if config is None else config.consenters
    addresses = {each.id: f"{each.host}:{each.port}" for each in found}
    return {number: names.get(each, each) for number, each in addresses.items()}


async def _answer(reach: Reach, peer: Node, name: str) -> Answer:
    topology = reach.topology
    try:
        return await reach.peer(peer).query(
            name, topology.chaincode.probe, channel=topology.channel, timeout_s=STATUS_CHAINCODE_S
        )
    except FabricError as error:
        return str(error)
