# SPDX-License-Identifier: Apache-2.0
"""The topology's chaincode onto the channel: installed and approved by all, then agreed."""

import asyncio
from functools import partial

from pedchain_fabric.admin.definition import Definition
from pedchain_fabric.admin.package import Package, service_package
from pedchain_network.members import Member
from pedchain_network.topology import Topology
from pedchain_network.waiting import until


async def install(topology: Topology, members: tuple[Member, ...]) -> None:
    """Every package onto every peer. Raises `PartError`."""
    packages = [service_package(label) for label in topology.chaincode.packages]
    await asyncio.gather(
        *(
            until(partial(_install, member, package), member.peer_name, f"install {package.label}")
            for member in members
            for package in packages
        )
    )


async def agree(topology: Topology, members: tuple[Member, ...]) -> tuple[str, ...]:
    """Every definition approved by every organisation and committed, unless it is already.

    Returns the names that were committed now. Raises `PartError`.
    """
    committed = await members[0].lifecycle.committed()
    new = [
        each
        for each in topology.deployments
        if committed.get(each.definition.name, 0) < each.definition.sequence
    ]
    await asyncio.gather(
        *(_agree(each.definition, service_package(each.package), members) for each in new)
    )
    return tuple(each.definition.name for each in new)


async def _agree(definition: Definition, package: Package, members: tuple[Member, ...]) -> None:
    name = definition.name
    await asyncio.gather(
        *(
            until(
                partial(_approve, member, definition, package),
                member.peer_name,
                f"approve {name}",
            )
            for member in members
        )
    )
    await until(partial(_commit, definition, members), members[0].peer_name, f"commit {name}")
    await asyncio.gather(
        *(
            until(partial(_known, member, definition), member.peer_name, f"learn of {name}")
            for member in members
        )
    )


async def _install(member: Member, package: Package) -> bool:
    return await member.lifecycle.install(package) == package.id


async def _approve(member: Member, definition: Definition, package: Package) -> bool:
    if (await member.lifecycle.standing(definition)).approved:
        return True
    await member.lifecycle.approve(definition, package.id)
    return (await member.lifecycle.standing(definition)).approved


async def _commit(definition: Definition, members: tuple[Member, ...]) -> bool:
    if not await _known(members[0], definition):
        await members[0].lifecycle.commit(definition, [member.lifecycle for member in members])
    return await _known(members[0], definition)


async def _known(member: Member, definition: Definition) -> bool:
    committed = await member.lifecycle.committed()
    return committed.get(definition.name, 0) >= definition.sequence
