# SPDX-License-Identifier: Apache-2.0
"""Fills an archive from a peer: raw blocks, and private data as far as the caller may read it."""

from pathlib import Path

from fabric_protos.common.ledger_pb2 import BlockchainInfo
from fabric_protos.peer.events_pb2 import BlockAndPrivateData

from pedchain_audit.archive import Archive
from pedchain_audit.errors import ArchiveError
from pedchain_fabric.client import Network, profile
from pedchain_fabric.wire.messages import parse


async def collect(profile_path: Path, folder: Path, *, user: str = "auditor") -> Archive:
    """Copies the peer's ledger up to its present height into `folder`.

    The genesis block comes from the profile, not from the peer. An archive that is there already
    is continued. Raises `ArchiveError` for an empty channel and `GatewayError` where the peer
    refuses.
    """
    described = profile.load(profile_path)
    if described.genesis is None:
        raise ArchiveError("the profile names no genesis block to trust")
    archive = Archive(folder)
    archive.write_genesis(described.genesis.read_bytes())
    async with await profile.connect(described, user=user) as gateway:
        network = gateway.network(described.channel)
        height = await chain_height(network)
        start = archive.height()
        if start < height:
            async with network.block_and_private_data_events(
                start_block=start, stop_block=height - 1
            ) as stream:
                async for item in stream:
                    keep(archive, item)
    return archive


async def chain_height(network: Network) -> int:
    """Number of blocks the peer has."""
    answer = await network.contract("qscc").evaluate("GetChainInfo", network.name)
    return parse(BlockchainInfo, answer).height


def keep(archive: Archive, item: BlockAndPrivateData) -> None:
    """One block as the peer serialises it, and its private data beside it."""
    number = item.block.header.number
    block = item.block.SerializeToString(deterministic=True)
    private = BlockAndPrivateData()
    private.CopyFrom(item)
    private.ClearField("block")
    archive.write(number, block, private.SerializeToString(deterministic=True))
