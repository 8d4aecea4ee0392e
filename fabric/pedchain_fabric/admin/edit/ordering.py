# SPDX-License-Identifier: Apache-2.0
"""How a channel's orderers cut blocks and when they lose patience."""

from fabric_protos.common.configtx_pb2 import Config, ConfigGroup
from fabric_protos.orderer.configuration_pb2 import BatchSize, BatchTimeout, ConsensusType
from fabric_protos.orderer.smartbft.configuration_pb2 import Options

from pedchain_fabric.admin import consensus, raft, smartbft
from pedchain_fabric.admin.channel import Consensus
from pedchain_fabric.admin.configvalue import get, put
from pedchain_fabric.admin.edit.draft import Draft
from pedchain_fabric.admin.raft import RaftTimers
from pedchain_fabric.admin.refusal import EditRefused, Reason
from pedchain_fabric.admin.smartbft import Batch, Timers
from pedchain_fabric.wire.durations import duration, milliseconds
from pedchain_fabric.wire.messages import parse, serialize


def batch(config: Config) -> Batch:
    """How blocks are cut now. Raises `EditRefused` if orderers could not have taken it."""
    group = Draft(config).orderer
    size = get(group, "BatchSize", BatchSize)
    interval = get(group, "BatchTimeout", BatchTimeout).timeout
    if consensus.kind(group) is Consensus.SMARTBFT:
        interval = _options(group).request_batch_max_interval
    try:
        interval_ms = milliseconds(interval)
    except ValueError as error:
        raise _bad(error) from error
    return Batch(
        interval_ms=interval_ms,
        messages=size.max_message_count,
        preferred_bytes=size.preferred_max_bytes,
        absolute_bytes=size.absolute_max_bytes,
    )


def set_batch(config: Config, wanted: Batch) -> Config:
    """Cut blocks so. SmartBFT reads the interval from its own options, which follow."""
    draft = Draft(config)
    group = draft.orderer
    put(group, "BatchSize", wanted.to_proto())
    put(group, "BatchTimeout", BatchTimeout(timeout=duration(wanted.interval_ms)))
    if consensus.kind(group) is Consensus.SMARTBFT:
        options = _options(group)
        smartbft.put_batch(options, wanted)
        consensus.put_metadata(group, serialize(options))
    return draft.config


def timers(config: Config) -> Timers:
    """SmartBFT's timers now. Raises `EditRefused`."""
    group = _of_kind(Draft(config), Consensus.SMARTBFT)
    try:
        return smartbft.timers_of(_options(group))
    except ValueError as error:
        raise _bad(error) from error


def set_timers(config: Config, wanted: Timers) -> Config:
    """Lose patience so (SmartBFT). Raises `EditRefused` on a channel ordered by Raft."""
    draft = Draft(config)
    group = _of_kind(draft, Consensus.SMARTBFT)
    options = _options(group)
    smartbft.put_timers(options, wanted)
    consensus.put_metadata(group, serialize(options))
    return draft.config


def raft_timers(config: Config) -> RaftTimers:
    """Raft's timers now. Raises `EditRefused`."""
    group = _of_kind(Draft(config), Consensus.RAFT)
    try:
        return raft.timers_of(consensus.metadata(group).options)
    except ValueError as error:
        raise _bad(error) from error


def set_raft_timers(config: Config, wanted: RaftTimers) -> Config:
    """Lose patience so (Raft). Raises `EditRefused` on a channel ordered by SmartBFT."""
    draft = Draft(config)
    group = _of_kind(draft, Consensus.RAFT)
    stored = consensus.metadata(group)
    stored.options.CopyFrom(raft.metadata(wanted, ()).options)
    consensus.put_metadata(group, serialize(stored))
    return draft.config


def _options(group: ConfigGroup) -> Options:
    return parse(Options, get(group, "ConsensusType", ConsensusType).metadata)


def _of_kind(draft: Draft, wanted: Consensus) -> ConfigGroup:
    if consensus.kind(draft.orderer) is not wanted:
        raise EditRefused(Reason.BAD_VALUE, f"the channel is not ordered by {wanted}")
    return draft.orderer


def _bad(error: ValueError) -> EditRefused:
    return EditRefused(Reason.BAD_VALUE, f"the channel's ordering settings cannot be read: {error}")
