# SPDX-License-Identifier: Apache-2.0
"""The topology's chaincode onto the channel: installed and approved by all, then agreed."""

import asyncio
from functools import partial

from pedchain_fabric.admin.definition import Definition
from pedchain_fabric.admin.lifecycle import Lifecycle
from pedchain_fabric.admin.package import Package
from pedchain_network.bringup.members import Member, PeerAccess
from pedchain_network.bringup.waiting import until
from pedchain_network.runtimes import parts
from pedchain_network.topology.model import Topology


async def install(topology: Topology, members: tuple[Member, ...]) -> None:
    """Every package onto every peer: each has a chaincode of its own. Raises `PartError`."""
    labels = [each.label for each in topology.chaincode.packages]
    packages = [parts.package_of(topology, each) for each in labels]
    goal = f"install {', '.join(labels)}"
    await asyncio.gather(
        *(until(partial(_install, each, packages), each.name, goal) for each in _peers(members))
    )


async def agree(topology: Topology, members: tuple[Member, ...]) -> tuple[str, ...]:
    """Every definition approved once by every organisation and committed, unless it is already.

    Returns the names that were committed now. Raises `PartError`.
    """
    committed = await members[0].lifecycle.committed()
    new = [
        each
        for each in topology.deployments
        if committed.get(each.definition.name, 0) < each.definition.sequence
    ]
    await asyncio.gather(
        *(
            _agree(each.definition, parts.package_of(topology, each.package), members)
            for each in new
        )
    )
    agreed = [each.definition for each in topology.deployments]
    await asyncio.gather(
        *(
            until(partial(_known, each.lifecycle, agreed), each.name, "learn of it")
            for each in _peers(members)
        )
    )
    return tuple(each.definition.name for each in new)


async def _agree(definition: Definition, package: Package, members: tuple[Member, ...]) -> None:
    name = definition.name
    await asyncio.gather(
        *(
            until(partial(_approve, each, definition, package), each.peer_name, f"approve {name}")
            for each in members
        )
    )
    await until(partial(_commit, definition, members), members[0].peer_name, f"commit {name}")


async def _install(peer: PeerAccess, packages: list[Package]) -> bool:
    await asyncio.gather(*map(peer.lifecycle.install, packages))
    return True


async def _approve(member: Member, definition: Definition, package: Package) -> bool:
    ready = await member.lifecycle.readiness(definition)
    if not ready.get(member.organization.msp_id):
        await member.lifecycle.approve(definition, package.id)
    return True


async def _commit(definition: Definition, members: tuple[Member, ...]) -> bool:
    if not await _known(members[0].lifecycle, [definition]):
        await members[0].lifecycle.commit(definition, [member.lifecycle for member in members])
    return True


async def _known(lifecycle: Lifecycle, definitions: list[Definition]) -> bool:
    committed = await lifecycle.committed()
    return all(committed.get(each.name, 0) >= each.sequence for each in definitions)


def _peers(members: tuple[Member, ...]) -> tuple[PeerAccess, ...]:
    return tuple(peer for member in members for peer in member.peers)
