# SPDX-License-Identifier: Apache-2.0
"""One node after the other is restarted, each only when all before it take part again.

An orderer that runs but lags behind is a second fault as soon as the next one goes down, so up and
listening is not enough.
"""

import asyncio
import signal
from collections.abc import Mapping
from functools import partial

from pedchain_fabric.admin import qscc
from pedchain_network.bringup.waiting import until
from pedchain_network.change import nodes
from pedchain_network.change.live import Live
from pedchain_network.change.reach import Reach
from pedchain_network.runtimes.part import Part
from pedchain_network.runtimes.process import Process
from pedchain_network.topology.model import CHAINCODE, ORDERER, PEER, Node

_ALL_NODES = "network"


async def heights(reach: Reach) -> Mapping[str, int]:
    """How many blocks the peers and orderers have that can be asked from here, by kind: the most
    of each, which a node that comes back has to have too. Raises `AdminError`."""
    ours, topology = reach.admins(), reach.topology
    found = {}
    for kind, some in ((PEER, topology.peers()), (ORDERER, topology.orderers())):
        own = [each for each in some if each.organization in ours]
        told = await asyncio.gather(*(_height(reach, each) for each in own))
        found[kind] = max(told, default=0)
    return found


def restart(live: Live, node: Node) -> None:
    """End one node and start it again; nothing if no part plays it. Raises `NetworkError`."""
    part = _part(live, node)
    if part is None:
        return
    if isinstance(part, Process) and part.kind == _ALL_NODES:
        part.signal(signal.SIGHUP)  # it restarts those of its nodes whose files have changed
        return
    live.run = live.runtime.stop(live.state, live.run, live.progress, only=[part.name])
    live.start(live.topology)


def _part(live: Live, node: Node) -> Part | None:
    """What plays the node: a part of its name, or one that listens for it among others."""
    parts = live.runtime.parts(live.state, live.run)
    address = live.topology.address(node)
    named = [each for each in parts if each.name == node.name]
    return next(iter([*named, *(e for e in parts if address in e.listens.values())]), None)


async def healthy(reach: Reach, node: Node, before: Mapping[str, int]) -> None:
    """Return once the node is as far as the others were, and does its work. Raises `PartError`."""
    if node.kind in {PEER, ORDERER}:
        target = before[node.kind]
        await until(partial(_caught_up, reach, node, target), node.name, f"reach block {target}")
    if node.kind == ORDERER:
        await until(partial(_orders, reach), node.name, "order a transaction")
    if node.kind == PEER:
        await nodes.answers(reach, node)
    if node.kind == CHAINCODE:
        for peer in reach.topology.peers():
            if node in reach.topology.servers_of(peer):
                await nodes.answers(reach, peer)


async def _height(reach: Reach, node: Node) -> int:
    channel = reach.topology.channel
    if node.kind == ORDERER:
        return (await reach.orderer(node).info(channel)).height
    return int((await qscc.chain_info(reach.peer(node), channel)).height)


async def _caught_up(reach: Reach, node: Node, target: int) -> bool:
    if node.kind == ORDERER:
        info = await reach.orderer(node).info(reach.topology.channel)
        return (info.relation, info.status) == ("consenter", "active") and info.height >= target
    return await _height(reach, node) >= target


async def _orders(reach: Reach) -> bool:
    """A transaction that writes nothing is ordered and valid: there is a leader."""
    topology = reach.topology
    ours = reach.admins()
    peer = next((each for each in topology.peers() if each.organization in ours), None)
    if peer is None or not topology.deployments:
        return True
    name = topology.deployments[0].definition.name
    network = reach.gateway(peer).network(topology.channel)
    await network.contract(name).submit(topology.chaincode.probe)
    return True
