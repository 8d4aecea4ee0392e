# SPDX-License-Identifier: Apache-2.0
"""The proof that the network works: transactions, not open ports."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from pedchain_fabric.errors import EndorsementMismatch
from pedchain_network.bringup.members import Member, PeerAccess
from pedchain_network.bringup.waiting import until
from pedchain_network.errors import CodeDiffersError
from pedchain_network.topology.model import Topology


async def probe(topology: Topology, members: tuple[Member, ...]) -> None:
    """Every definition can be endorsed through every peer's gateway, by the plan its policy
    demands, and one transaction is endorsed by every organisation and committed. What gateways
    need not ask, an organisation's further peers, is asked directly.

    Raises `PartError`, or `CodeDiffersError` if organisations do not run the same contract.
    """
    await asyncio.gather(
        *(
            until(
                partial(_endorsed, topology, peer, deployment.definition.name),
                peer.name,
                f"gateway, {deployment.definition.name}",
            )
            for member in members
            for peer in member.peers
            for deployment in topology.deployments
        ),
        *(
            until(
                partial(_answered, topology, peer, deployment.definition.name),
                peer.name,
                f"chaincode, {deployment.definition.name}",
            )
            for member in members
            for peer in member.peers[1:]
            for deployment in topology.deployments
        ),
    )
    if topology.deployments:
        everybody = partial(_committed, topology, members)
        await until(everybody, members[0].peer_name, "gateway, probe by every organisation")


async def _answered(topology: Topology, peer: PeerAccess, name: str) -> bool:
    await peer.endorser.query(name, topology.chaincode.probe, channel=topology.channel)
    return True


async def _endorsed(topology: Topology, peer: PeerAccess, name: str) -> bool:
    contract = peer.client.network(topology.channel).contract(name)
    with _one_code(name):
        await contract.new_proposal(topology.chaincode.probe).endorse()
    return True


async def _committed(topology: Topology, members: tuple[Member, ...]) -> bool:
    name = topology.deployments[0].definition.name
    contract = members[0].client.network(topology.channel).contract(name)
    everybody = [member.organization.msp_id for member in members]
    with _one_code(name):
        await contract.submit(topology.chaincode.probe, endorsing_organizations=everybody)
    return True


@contextmanager
def _one_code(name: str) -> Iterator[None]:
    """A mismatch is final: the probe reads no state, so no lag can explain it."""
    try:
        yield
    except EndorsementMismatch as error:
        where = "; ".join(map(str, error.details))
        raise CodeDiffersError(
            f"organisations run different code behind {name}: {where}",
            "some servers are older than the sources: ped-network down, then up",
        ) from error
