# SPDX-License-Identifier: Apache-2.0
"""The orderers' part of a channel's configuration: how they agree, and who they are.

SmartBFT keeps its consenters in the value `Orderers`, and its orderers compare the policy
`BlockValidation` with a quorum of exactly them at every change (smartbft/configverifier.go), so the
two are only ever written together. Raft keeps its consenters in the metadata of `ConsensusType`.
"""

from collections.abc import Sequence
from typing import TypeAlias

from fabric_protos.common.configtx_pb2 import ConfigGroup
from fabric_protos.common.configuration_pb2 import Consenter as BftConsenter
from fabric_protos.common.configuration_pb2 import Orderers
from fabric_protos.common.policies_pb2 import ImplicitMetaPolicy
from fabric_protos.orderer.configuration_pb2 import ConsensusType
from fabric_protos.orderer.etcdraft.configuration_pb2 import ConfigMetadata
from fabric_protos.orderer.etcdraft.configuration_pb2 import Consenter as RaftConsenter

from pedchain_fabric.admin import configpolicy, raft, smartbft
from pedchain_fabric.admin.channel import Channel, Consensus, Consenter
from pedchain_fabric.admin.configpolicy import WRITERS
from pedchain_fabric.admin.configvalue import get, put, put_policy
from pedchain_fabric.admin.refusal import EditRefused, Reason
from pedchain_fabric.wire.messages import parse, serialize

Entry: TypeAlias = BftConsenter | RaftConsenter

BLOCK_VALIDATION = "BlockValidation"
_TYPES = {"BFT": Consensus.SMARTBFT, "etcdraft": Consensus.RAFT}
_NAMES = {kind: name for name, kind in _TYPES.items()}


def begin(group: ConfigGroup, channel: Channel) -> None:
    """Write a new channel's consensus and consenters into its Orderer group."""
    if channel.consensus is Consensus.SMARTBFT:
        metadata = serialize(smartbft.options(channel.batch, channel.timers))
    else:
        metadata = serialize(raft.metadata(channel.raft, ()))
        signer = configpolicy.implicit(WRITERS, ImplicitMetaPolicy.ANY)
        put_policy(group, BLOCK_VALIDATION, signer)
    put(group, "ConsensusType", ConsensusType(type=_NAMES[channel.consensus], metadata=metadata))
    put_entries(group, [entry(channel.consensus, each) for each in channel.consenters])


def kind(group: ConfigGroup) -> Consensus:
    """How the orderers agree. Raises `EditRefused` for consensus this package does not know."""
    name = get(group, "ConsensusType", ConsensusType).type
    if name not in _TYPES:
        raise EditRefused(Reason.BAD_VALUE, f"consensus of type {name!r} is unknown here")
    return _TYPES[name]


def entry(consensus: Consensus, consenter: Consenter) -> Entry:
    """The consenter as the configuration holds it."""
    if consensus is Consensus.RAFT:
        return RaftConsenter(
            host=consenter.host,
            port=consenter.port,
            client_tls_cert=consenter.tls_certificate,
            server_tls_cert=consenter.tls_certificate,
        )
    return BftConsenter(
        id=consenter.id,
        host=consenter.host,
        port=consenter.port,
        msp_id=consenter.msp_id,
        identity=consenter.identity,
        client_tls_cert=consenter.tls_certificate,
        server_tls_cert=consenter.tls_certificate,
    )


def entries(group: ConfigGroup) -> tuple[Entry, ...]:
    """The consenters in the configuration's order."""
    if kind(group) is Consensus.RAFT:
        return tuple(metadata(group).consenters)
    return tuple(get(group, "Orderers", Orderers).consenter_mapping)


def put_entries(group: ConfigGroup, wanted: Sequence[Entry]) -> None:
    """Write the consenters, under SmartBFT with their `BlockValidation`."""
    if kind(group) is Consensus.RAFT:
        stored = metadata(group)
        del stored.consenters[:]
        stored.consenters.extend(each for each in wanted if isinstance(each, RaftConsenter))
        put_metadata(group, serialize(stored))
        return
    mapping = [each for each in wanted if isinstance(each, BftConsenter)]
    put(group, "Orderers", Orderers(consenter_mapping=mapping))
    put_policy(group, BLOCK_VALIDATION, configpolicy.block_validation(mapping))


def metadata(group: ConfigGroup) -> ConfigMetadata:
    """Raft's settings and consenters."""
    return parse(ConfigMetadata, get(group, "ConsensusType", ConsensusType).metadata)


def put_metadata(group: ConfigGroup, content: bytes) -> None:
    """Write the metadata of `ConsensusType`, leaving the rest of it."""
    consensus = get(group, "ConsensusType", ConsensusType)
    consensus.metadata = content
    put(group, "ConsensusType", consensus)
