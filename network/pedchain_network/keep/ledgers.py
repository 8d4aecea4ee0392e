# SPDX-License-Identifier: Apache-2.0
"""What nodes hold, told by themselves: to be written into a backup, and compared after it."""

import asyncio
from collections.abc import Sequence

from pedchain_fabric.admin import qscc
from pedchain_fabric.errors import AdminError
from pedchain_fabric.wire.block import commit_hash, header_hash
from pedchain_network.change.reach import Reach
from pedchain_network.errors import BackupError
from pedchain_network.keep.archive import Ledger
from pedchain_network.topology.model import Node


async def look(reach: Reach) -> tuple[Ledger, ...]:
    """Every node of the organisations whose administrators are here. Raises `AdminError`."""
    ours = reach.admins()
    topology = reach.topology
    peers = [_peer(reach, each) for each in topology.peers() if each.organization in ours]
    orderers = [_orderer(reach, each) for each in topology.orderers() if each.organization in ours]
    return tuple(await asyncio.gather(*peers, *orderers))


async def require_at_least(reach: Reach, ledgers: Sequence[Ledger]) -> None:
    """Every node holds what it held then, and it is the same. Raises `BackupError`."""
    await asyncio.gather(*(_require(reach, each) for each in ledgers))


async def require_same(reach: Reach) -> None:
    """All peers hold the same state at the height that all of them have. Raises `BackupError`.

    The commit hash runs over every write since the genesis block.
    """
    channel = reach.topology.channel
    peers = {each.name: reach.peer(each) for each in reach.topology.peers()}
    infos = [await qscc.chain_info(each, channel) for each in peers.values()]
    number = min(info.height for info in infos) - 1
    hashes = {
        name: commit_hash(await qscc.block_by_number(each, channel, number))
        for name, each in peers.items()
    }
    if len(set(hashes.values())) > 1:
        told = ", ".join(f"{name} {each.hex()[:16]}" for name, each in hashes.items())
        raise BackupError(
            f"peers do not hold the same state at block {number}: {told}",
            "restore another backup into another directory",
        )


async def _peer(reach: Reach, node: Node) -> Ledger:
    peer, channel = reach.peer(node), reach.topology.channel
    info = await qscc.chain_info(peer, channel)
    newest = await qscc.block_by_number(peer, channel, info.height - 1)
    return Ledger(
        node.name, info.height, header_hash(newest.header).hex(), commit_hash(newest).hex()
    )


async def _orderer(reach: Reach, node: Node) -> Ledger:
    newest = await reach.orderer(node).block(reach.topology.channel, "newest")
    return Ledger(node.name, newest.header.number + 1, header_hash(newest.header).hex())


async def _require(reach: Reach, then: Ledger) -> None:
    node, number = reach.topology.find(then.node), then.height - 1
    channel = reach.topology.channel
    try:
        if then.commit_hash:
            block = await qscc.block_by_number(reach.peer(node), channel, number)
        else:
            block = await reach.orderer(node).block(channel, number)
    except AdminError as error:
        raise BackupError(
            f"{then.node} does not hold block {number}, which it held when the backup was made: "
            f"{error}",
            "restore another backup into another directory",
        ) from error
    same = header_hash(block.header).hex() == then.block_hash
    if not same or (then.commit_hash and commit_hash(block).hex() != then.commit_hash):
        raise BackupError(
            f"{then.node} holds another block {number} than when the backup was made",
            "end it: ped-network down; then ask whether somebody restored twice",
        )
