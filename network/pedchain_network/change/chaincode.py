# SPDX-License-Identifier: Apache-2.0
"""`chaincode install | approve | commit`: one organisation's steps, for all that are here."""

from collections.abc import Collection
from functools import partial

from pedchain_fabric.admin.lifecycle import Lifecycle
from pedchain_fabric.admin.package import Package
from pedchain_fabric.errors import AdminError
from pedchain_network.bringup.waiting import until
from pedchain_network.change import chaincodeguards
from pedchain_network.change.chaincodeguards import Reason, refuse_unready
from pedchain_network.change.chaincodereading import Agreed, read
from pedchain_network.change.chaincodestatus import own_peers, standings_of
from pedchain_network.change.reach import Reach
from pedchain_network.errors import ChangeRefusedError
from pedchain_network.progress import Progress
from pedchain_network.runtimes.parts import package_of
from pedchain_network.topology.model import Deployment, Node, Topology

_NOT_FOUND = 404


def deployment_of(topology: Topology, name: str) -> Deployment:
    """The definition of that name in a topology. Raises `ChangeRefusedError`."""
    for each in topology.deployments:
        if each.definition.name == name:
            return each
    known = ", ".join(each.definition.name for each in topology.deployments)
    raise ChangeRefusedError(
        Reason.UNKNOWN_DEFINITION, f"the topology has no definition {name!r}", f"known: {known}"
    )


async def agreed_of(lifecycle: Lifecycle, name: str) -> Agreed | None:
    """What is agreed under a name, as this peer has it; None if nothing is."""
    try:
        return read(name, await lifecycle.agreed(name))
    except AdminError as error:
        if error.status == _NOT_FOUND:
            return None
        raise


def peers_here(reach: Reach, organization: str = "") -> tuple[Node, ...]:
    """Peers that can be administered from here, of one organisation or of all.

    Raises `ChangeRefusedError` if there is none.
    """
    peers = tuple(each for each in own_peers(reach) if organization in {"", each.organization})
    if not peers:
        raise ChangeRefusedError(
            Reason.NO_ADMINISTRATOR,
            f"no administrator's key of {organization or 'any organisation'} is here",
            "run it where the organisation keeps its keys",
        )
    return peers


async def install(reach: Reach, labels: Collection[str], peers: Collection[Node]) -> int:
    """Put packages onto peers that lack them; returns how many were put. Raises `PartError`."""
    count = 0
    for label in labels:
        package = package_of(reach.topology, label)
        for peer in peers:
            lifecycle = reach.lifecycle(peer)
            if package.id not in await lifecycle.installed():
                goal = f"install {label}"
                await until(partial(_install, lifecycle, package), peer.name, goal)
                count += 1
    return count


async def approve(reach: Reach, deployment: Deployment, peers: Collection[Node]) -> int:
    """Approve for the organisations of these peers what they have not; returns how many did.

    Raises `ChangeRefusedError` if the package is not on all of an organisation's peers, for what
    is approved without would stop there once committed.
    """
    package = package_of(reach.topology, deployment.package)
    await _require_installed(reach, package, peers)
    count = 0
    for peer in {each.organization: each for each in reversed(list(peers))}.values():
        lifecycle = reach.lifecycle(peer)
        if not await _approved(lifecycle, deployment, package):
            goal = f"approve {deployment.definition.name}"
            await until(partial(_approve, lifecycle, deployment, package), peer.name, goal)
            count += 1
    return count


async def guard(reach: Reach, deployment: Deployment) -> Agreed | None:
    """What is agreed now, once the definition may follow it. Raises `ChangeRefusedError`."""
    agreed = await agreed_of(reach.lifecycle(peers_here(reach)[0]), deployment.definition.name)
    members = {each.msp_id for each in reach.topology.organizations}
    chaincodeguards.check(agreed, deployment.definition, members)
    return agreed


async def lacking(reach: Reach, deployment: Deployment) -> dict[str, str]:
    """By MSP id, what those whom the definition's policies name have yet to do."""
    standings = await standings_of(reach, deployment)
    return chaincodeguards.lacking(deployment.definition, standings)


async def still_lacking(reach: Reach, deployment: Deployment) -> dict[str, str]:
    """The same; nothing once the definition is agreed."""
    agreed = await guard(reach, deployment)
    if agreed is not None and agreed.sequence == deployment.definition.sequence:
        return {}
    return await lacking(reach, deployment)


async def commit(
    reach: Reach, deployment: Deployment, progress: Progress, *, regardless: bool = False
) -> bool:
    """Make it the channel's; False if it was already. Then every peer here has learnt of it.

    Raises `ChangeRefusedError` as long as somebody its policies name would stop by it, unless
    `regardless`.
    """
    definition = deployment.definition
    agreed = await guard(reach, deployment)
    new = agreed is None or agreed.sequence < definition.sequence
    if new:
        lacks = await lacking(reach, deployment)
        if lacks and not regardless:
            raise refuse_unready(definition, lacks)
        for msp_id, lack in lacks.items():
            progress.step(f"WARNING: {msp_id} {lack} and will endorse {definition.name} no more")
        peer = peers_here(reach)[0]
        await until(
            partial(_commit, reach.lifecycle(peer), deployment),
            peer.name,
            f"commit {definition.name}",
        )
    for peer in own_peers(reach):
        goal = f"learn of {definition.name} sequence {definition.sequence}"
        await until(partial(_known, reach.lifecycle(peer), deployment), peer.name, goal)
    return new


async def _require_installed(reach: Reach, package: Package, peers: Collection[Node]) -> None:
    for peer in peers:
        if package.id not in await reach.lifecycle(peer).installed():
            raise ChangeRefusedError(
                Reason.NOT_INSTALLED,
                f"{peer.name} has no package {package.id}",
                f"ped-network chaincode install {package.label}",
            )


async def _approved(lifecycle: Lifecycle, deployment: Deployment, package: Package) -> bool:
    definition = deployment.definition
    agreed = await agreed_of(lifecycle, definition.name)
    if agreed is not None and agreed.sequence == definition.sequence:
        approvals = agreed.approvals  # readiness is refused for what is agreed already
    else:
        approvals = await lifecycle.readiness(definition)
    if not approvals.get(lifecycle.msp_id):
        return False
    return any(
        (each.name, each.sequence) == (definition.name, definition.sequence)
        and each.source.local_package.package_id == package.id
        for each in await lifecycle.approvals()
    )


async def _install(lifecycle: Lifecycle, package: Package) -> bool:
    await lifecycle.install(package)
    return True


async def _approve(lifecycle: Lifecycle, deployment: Deployment, package: Package) -> bool:
    if not await _approved(lifecycle, deployment, package):
        await lifecycle.approve(deployment.definition, package.id)
    return True


async def _commit(lifecycle: Lifecycle, deployment: Deployment) -> bool:
    if not await _known(lifecycle, deployment):
        await lifecycle.commit_regardless(deployment.definition)
    return True


async def _known(lifecycle: Lifecycle, deployment: Deployment) -> bool:
    definition = deployment.definition
    return (await lifecycle.committed()).get(definition.name, 0) >= definition.sequence
