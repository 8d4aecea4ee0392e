# SPDX-License-Identifier: Apache-2.0
"""New nodes into a network that runs: keys, processes, joined, as able as the others.

Each function returns whether there was anything to do, so that a broken-off command can go on.
"""

import asyncio
from collections.abc import Sequence
from functools import partial

from pedchain_fabric.admin.lifecycle import Lifecycle
from pedchain_fabric.wire.messages import serialize
from pedchain_network import profiles
from pedchain_network.bringup import joining
from pedchain_network.bringup.waiting import until
from pedchain_network.change import ledgers
from pedchain_network.change.live import Live
from pedchain_network.change.reach import Reach
from pedchain_network.limits import NODE_TIMEOUT_S
from pedchain_network.pki import crypto
from pedchain_network.runtimes import listeners
from pedchain_network.runtimes.parts import package_of
from pedchain_network.topology.model import ORDERER, PEER, Node, Topology


async def keys(live: Live, wanted: Topology) -> bool:
    """Keys and certificates of whatever has none."""
    return bool(crypto.create(live.state.crypto, wanted))


async def started(live: Live, wanted: Topology, nodes: Sequence[Node]) -> bool:
    """These nodes run and listen. Raises `NetworkError`, `PortBusyError` for a stranger's port."""
    dialled = {address: node.name for node in nodes for address in _dialled(node)}
    ours = {
        address
        for part in live.runtime.parts(live.state, live.run)
        for address in part.listens.values()
    }
    listeners.require_free((dialled[each], each) for each in dialled if each not in ours)
    before = await asyncio.gather(*map(listeners.answers, dialled))
    live.start(wanted)
    await asyncio.gather(
        *(
            until(partial(listeners.answers, address), name, "listen", NODE_TIMEOUT_S)
            for address, name in dialled.items()
        )
    )
    return not all(before)


def _dialled(node: Node) -> list[str]:
    """What administrators dial; a peer that cannot reach its chaincode says so later."""
    roles = {ORDERER: ("", "admin"), PEER: ("",)}.get(node.kind, ())
    return [node.listener(each).address for each in roles]


async def orderer_joined(reach: Reach, orderer: Node, model: Node) -> bool:
    """The orderer takes part. It learns of itself from the newest configuration block.

    Raises `PartError`.
    """
    channel, joined = reach.topology.channel, False

    async def join() -> bool:
        nonlocal joined
        own = reach.orderer(orderer)
        block = await reach.orderer(model).block(channel, "config")
        joined |= await joining.orderer_joined(own, channel, serialize(block))
        info = await own.info(channel)
        return (info.relation, info.status) == ("consenter", "active")

    await until(join, orderer.name, f"take part in {channel}")
    return joined


async def peer_joined(reach: Reach, peer: Node, genesis: bytes, model: Node) -> bool:
    """The peer has joined from the genesis block, and holds what the other holds.

    Raises `PartError` or `LedgerDiffersError`.
    """
    joined = False

    async def join() -> bool:
        nonlocal joined
        joined |= await joining.peer_joined(reach.peer(peer), reach.topology.channel, genesis)
        return True

    await until(join, peer.name, f"join {reach.topology.channel}")
    await ledgers.replayed(reach, peer, model)
    return joined


async def installed(reach: Reach, peer: Node) -> bool:
    """Every package is on the peer. Raises `PartError`."""
    lifecycle = reach.lifecycle(peer)
    packages = [
        package_of(reach.topology, each.label) for each in reach.topology.chaincode.packages
    ]
    missing = False

    async def install() -> bool:
        nonlocal missing
        there = await lifecycle.installed()
        for each in packages:
            if each.id not in there:
                missing = True
                await lifecycle.install(each)
        return True

    await until(install, peer.name, "install packages")
    return missing


async def approved(reach: Reach, peer: Node) -> bool:
    """The peer's organisation stands behind every agreed definition, as the others do.

    A definition agreed before may still be approved; without that its peer would not run it.
    Raises `PartError`.
    """
    lifecycle, missing = reach.lifecycle(peer), False

    async def approve() -> bool:
        nonlocal missing
        agreed, own = await lifecycle.committed(), await _approvals(lifecycle)
        for each in reach.topology.deployments:
            name = each.definition.name, each.definition.sequence
            if agreed.get(name[0]) == name[1] and name not in own:
                missing = True
                package = package_of(reach.topology, each.package)
                await lifecycle.approve(each.definition, package.id)
        return True

    await until(approve, peer.name, "approve definitions")
    return missing


async def _approvals(lifecycle: Lifecycle) -> set[tuple[str, int]]:
    return {(each.name, each.sequence) for each in await lifecycle.approvals()}


async def answers(reach: Reach, peer: Node) -> bool:
    """The peer's gateway has every definition's probe endorsed by whom its policy demands.

    Raises `PartError`.
    """
    network = reach.gateway(peer).network(reach.topology.channel)

    async def endorsed(name: str) -> bool:
        await network.contract(name).new_proposal(reach.topology.chaincode.probe).endorse()
        return True

    names = [each.definition.name for each in reach.topology.deployments]
    await asyncio.gather(
        *(until(partial(endorsed, each), peer.name, f"gateway, {each}") for each in names)
    )
    return True


async def written(live: Live, wanted: Topology) -> bool:
    """Profiles and topology say how it is now. The last step: the change is no longer pending."""
    profiles.write(wanted, live.state, live.run.runtime)
    live.finish(wanted)
    return True
