# SPDX-License-Identifier: Apache-2.0
"""Ordering as Raft shows it: one orderer's signature, and the same request again ordered again.

Source: orderer/consensus/etcdraft (chain.go, util.go: VerifyConfigMetadata, membership.go),
orderer/common/blockcutter.
"""

import hashlib
from collections.abc import Sequence
from itertools import count

from fabric_protos.common.common_pb2 import Block, Metadata
from fabric_protos.common.configtx_pb2 import Config
from fabric_protos.orderer.configuration_pb2 import ConsensusType
from fabric_protos.orderer.etcdraft.configuration_pb2 import ConfigMetadata, Consenter
from fabric_protos.orderer.etcdraft.metadata_pb2 import BlockMetadata

from pedchain_fabric.embedded import limits
from pedchain_fabric.embedded.orderer import blocks
from pedchain_fabric.embedded.orderer.consensus import Member, Turn, same_key
from pedchain_fabric.embedded.orderer.pool import Cut, Request, request_of
from pedchain_fabric.errors import WireError
from pedchain_fabric.wire import durations
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.messages import parse, serialize

_TIMEOUT_S = 2.0
_INVALID = "invalid new config metadata: "


class Raft:
    """Consensus of type etcdraft. The lowest consenter that takes part leads."""

    def __init__(self) -> None:
        self._requests = count()

    def number(self, config: ChannelConfig, member: Member) -> int | None:
        """The consenter's place in the metadata, from 1."""
        for index, each in enumerate(_metadata(config).consenters, start=1):
            if same_key(each.server_tls_cert, member.tls_certificate):
                return index
        return None

    def size(self, config: ChannelConfig) -> int:
        """Those in the metadata."""
        return len(_metadata(config).consenters)

    def quorum(self, config: ChannelConfig) -> int:
        """More than half."""
        return self.size(config) // 2 + 1

    def request(self, envelope: bytes) -> Request:
        """Never the same as another: who sends twice finds it twice in the chain."""
        asked = request_of(envelope)
        once = hashlib.sha256(b"%d" % next(self._requests)).hexdigest()
        return Request(once, asked.envelope, asked.is_config)

    def pool_size(self, config: ChannelConfig) -> int:
        """As many as our own limit says; Raft's leader makes senders wait instead."""
        return limits.RAFT_POOL_SIZE

    def cut(self, config: ChannelConfig) -> Cut:
        """Count and preferred bytes of the channel's batch size."""
        size = config.batch_size
        most = size.preferred_max_bytes or limits.MAX_MESSAGE_BYTES
        return Cut(max(1, size.max_message_count), most)

    def interval(self, config: ChannelConfig) -> float:
        """The channel's batch timeout."""
        try:
            return durations.seconds(config.batch_timeout)
        except ValueError:
            return _TIMEOUT_S

    def invalid(self, before: ChannelConfig, wanted: Config) -> str:
        """What the chain's ValidateConsensusMetadata says."""
        value = wanted.channel_group.groups["Orderer"].values["ConsensusType"].value
        try:
            after = parse(ConfigMetadata, parse(ConsensusType, value).metadata)
        except WireError as error:
            return f"failed to unmarshal new etcdraft metadata configuration: {error}"
        return _bad_metadata(after) or _membership(_metadata(before), after)

    def refusal(self, _wanted: Config) -> str:
        """A configuration that is valid is ordered."""
        return ""

    def block(self, at: Turn, envelopes: Sequence[bytes]) -> Block:
        """Signed by the leader."""
        number = at.end.number
        size = self.size(at.config)
        raft = BlockMetadata(
            consenter_ids=range(1, size + 1), next_consenter_id=size + 1, raft_index=number
        )
        noted = serialize(Metadata(value=serialize(raft)))
        made = blocks.assemble(at.end, envelopes, consenter_metadata=noted)
        blocks.sign_alone(made, at.present[min(at.present)].identity)
        return made


def _metadata(config: ChannelConfig) -> ConfigMetadata:
    return parse(ConfigMetadata, config.consensus_metadata)


def _bad_metadata(metadata: ConfigMetadata) -> str:
    options = metadata.options
    ticks = (options.heartbeat_tick, options.election_tick, options.max_inflight_blocks)
    if not all(ticks):
        return (
            f"{_INVALID}none of HeartbeatTick ({ticks[0]}), "
            f"ElectionTick ({ticks[1]}) and MaxInflightBlocks ({ticks[2]}) can be zero"
        )
    if options.election_tick <= options.heartbeat_tick:
        return (
            f"{_INVALID}ElectionTick ({options.election_tick}) must "
            f"be greater than HeartbeatTick ({options.heartbeat_tick})"
        )
    if not metadata.consenters:
        return _INVALID + "empty consenter set"
    if len(set(map(_certificate, metadata.consenters))) != len(metadata.consenters):
        return _INVALID + "duplicate consenter"
    return ""


def _membership(before: ConfigMetadata, after: ConfigMetadata) -> str:
    old = set(map(_certificate, before.consenters))
    new = set(map(_certificate, after.consenters))
    added, removed = len(new - old), len(old - new)
    if max(added, removed) > 1:
        return (
            f"update of more than one consenter at a time is not supported, requested "
            f"changes: add {added} node(s), remove {removed} node(s)"
        )
    return ""


def _certificate(consenter: Consenter) -> bytes:
    return consenter.client_tls_cert
