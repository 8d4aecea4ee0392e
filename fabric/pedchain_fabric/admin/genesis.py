# SPDX-License-Identifier: Apache-2.0
"""A channel's genesis block: the same bytes for the same inputs."""

import hashlib

from fabric_protos.common import common_pb2, configtx_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from pedchain_fabric.admin.channel import Channel
from pedchain_fabric.admin.configgroup import channel_group
from pedchain_fabric.wire.messages import serialize

_HEADER_VERSION = 1
_METADATA_SLOTS = 5


def genesis_block(channel: Channel, *, nonce: bytes, timestamp_s: int) -> common_pb2.Block:
    """Block 0 of `channel` (layout: common/genesis/genesis.go).

    `nonce` (24 random bytes) names the channel's instance: two networks of one topology differ in
    it and so in their genesis hash. `timestamp_s` is Unix time. Raises `PolicyError` if a policy
    text is malformed.
    """
    config = configtx_pb2.ConfigEnvelope(
        config=configtx_pb2.Config(channel_group=channel_group(channel))
    )
    payload = common_pb2.Payload(
        header=_header(channel.channel_id, nonce, timestamp_s),
        data=serialize(config),
    )
    envelope = common_pb2.Envelope(payload=serialize(payload)).SerializeToString()
    return common_pb2.Block(
        header=common_pb2.BlockHeader(number=0, data_hash=hashlib.sha256(envelope).digest()),
        data=common_pb2.BlockData(data=[envelope]),
        metadata=common_pb2.BlockMetadata(metadata=_metadata()),
    )


def _header(channel_id: str, nonce: bytes, timestamp_s: int) -> common_pb2.Header:
    channel_header = common_pb2.ChannelHeader(
        type=common_pb2.CONFIG,
        version=_HEADER_VERSION,
        timestamp=Timestamp(seconds=timestamp_s),
        channel_id=channel_id,
        tx_id=hashlib.sha256(nonce).hexdigest(),
    )
    signature_header = common_pb2.SignatureHeader(nonce=nonce)
    return common_pb2.Header(
        channel_header=serialize(channel_header),
        signature_header=serialize(signature_header),
    )


def _metadata() -> list[bytes]:
    """Where the last configuration is, in the old slot and in the new: block 0 itself."""
    last = common_pb2.LastConfig(index=0)
    slots = [b""] * _METADATA_SLOTS
    slots[common_pb2.SIGNATURES] = _slot(
        serialize(common_pb2.OrdererBlockMetadata(last_config=last))
    )
    slots[common_pb2.LAST_CONFIG] = _slot(serialize(last))
    return slots


def _slot(value: bytes) -> bytes:
    return serialize(common_pb2.Metadata(value=value))
