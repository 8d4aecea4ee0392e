# SPDX-License-Identifier: Apache-2.0
"""A peer's channels: join, list, read the configuration (`cscc`, core/scc/cscc)."""

from fabric_protos.common.common_pb2 import Block
from fabric_protos.peer.query_pb2 import ChannelQueryResponse

from pedchain_fabric.admin.endorser import Endorser
from pedchain_fabric.wire.messages import parse

_CSCC = "cscc"


async def join(peer: Endorser, block: bytes) -> None:
    """Join the channel whose genesis (or later configuration) block this is. The asking identity
    must be an administrator of the peer's own organisation. Raises `AdminError`."""
    await peer.query(_CSCC, "JoinChain", block)


async def channels(peer: Endorser) -> frozenset[str]:
    """The channels this peer has joined."""
    answer = parse(ChannelQueryResponse, await peer.query(_CSCC, "GetChannels"))
    return frozenset(channel.channel_id for channel in answer.channels)


async def config_block(peer: Endorser, channel: str) -> Block:
    """The channel's newest configuration block, as this peer has it."""
    return parse(Block, await peer.query(_CSCC, "GetConfigBlock", channel.encode()))
