# SPDX-License-Identifier: Apache-2.0
"""Fills an archive from a peer: raw blocks, and private data as far as the caller may read it."""

from pathlib import Path

from fabric_protos.peer.events_pb2 import BlockAndPrivateData
from pedchain_fabric.client import profile

from pedchain_audit.archive import Archive
from pedchain_audit.errors import ArchiveError


async def collect(profile_path: Path, folder: Path, *, user: str = "auditor") -> Archive:
    """Copies the peer's ledger up to its present height into `folder`.

    The genesis block comes from the profile, not from the peer. An archive that is there already
    is continued. Raises `ArchiveError` for an empty channel and `GatewayError` where the peer
    refuses.
    """
    described = profile.load(profile_path)
    archive = Archive(folder)
    archive.write_genesis(described.genesis.read_bytes())
    async with await profile.connect(described, user=user) as gateway:
        network = gateway.network(described.channel)
        height = await network.height()
        if height == 0:
            raise ArchiveError("the channel has no blocks")
        start = archive.height()
        if start < height:
            stream = network.block_and_private_data_events(start_block=start)
            async for item in stream:
                keep(archive, item)
                if item.block.header.number + 1 >= height:
                    break
    return archive


def keep(archive: Archive, item: BlockAndPrivateData) -> None:
    """One block as the peer serialises it, and its private data beside it."""
    number = item.block.header.number
    block = item.block.SerializeToString(deterministic=True)
    private = BlockAndPrivateData()
    private.CopyFrom(item)
    private.ClearField("block")
    archive.write(number, block, private.SerializeToString(deterministic=True))
