# SPDX-License-Identifier: Apache-2.0
"""The tree of a channel's configuration: Channel, its Orderer and Application groups.

Policies go by role: an organisation's certificates for clients order nothing in the
Orderer group, because one MSP stands in both groups and the wider would decide for both.
"""

from collections.abc import Iterable

from fabric_protos.common import configuration_pb2, policies_pb2
from fabric_protos.common.configtx_pb2 import ConfigGroup
from fabric_protos.orderer import configuration_pb2 as orderer_pb2
from fabric_protos.peer import configuration_pb2 as peer_pb2

from pedchain_fabric.admin import configpolicy, consensus
from pedchain_fabric.admin.channel import Channel, Organization
from pedchain_fabric.admin.configpolicy import ENDORSEMENT, READERS, WRITERS
from pedchain_fabric.admin.configvalue import ADMINS, put
from pedchain_fabric.admin.membership import msp_config
from pedchain_fabric.wire.durations import duration

CHANNEL_CAPABILITY = "V3_0"
ORDERER_CAPABILITY = "V2_0"
APPLICATION_CAPABILITY = "V2_5"

_ONE_HASH_WIDTH = 0xFFFFFFFF
_ANY = policies_pb2.ImplicitMetaPolicy.ANY
_MAJORITY = policies_pb2.ImplicitMetaPolicy.MAJORITY


def channel_group(channel: Channel) -> ConfigGroup:
    """The root group. Raises `PolicyError` if one of the channel's policy texts is malformed."""
    group = _governed(channel)
    put(group, "HashingAlgorithm", configuration_pb2.HashingAlgorithm(name="SHA256"))
    width = configuration_pb2.BlockDataHashingStructure(width=_ONE_HASH_WIDTH)
    put(group, "BlockDataHashingStructure", width)
    put(group, "Capabilities", capability(CHANNEL_CAPABILITY))
    group.groups["Orderer"].CopyFrom(_orderer_group(channel))
    group.groups["Application"].CopyFrom(_application_group(channel))
    return group


def _orderer_group(channel: Channel) -> ConfigGroup:
    group = _governed(channel)
    put(group, "BatchSize", channel.batch.to_proto())
    timeout = duration(channel.batch.interval_ms)
    put(group, "BatchTimeout", orderer_pb2.BatchTimeout(timeout=timeout))
    put(group, "ChannelRestrictions", orderer_pb2.ChannelRestrictions())
    put(group, "Capabilities", capability(ORDERER_CAPABILITY))
    consensus.begin(group, channel)
    for organization in channel.organizations:
        if organization.orders:
            group.groups[organization.name].CopyFrom(ordering_member(organization))
    return group


def _application_group(channel: Channel) -> ConfigGroup:
    group = _governed(channel)
    group.policies[ENDORSEMENT].CopyFrom(configpolicy.implicit(ENDORSEMENT, _MAJORITY))
    lifecycle = configpolicy.signature(channel.lifecycle_endorsement)
    group.policies["LifecycleEndorsement"].CopyFrom(lifecycle)
    put(group, "Capabilities", capability(APPLICATION_CAPABILITY))
    for organization in channel.organizations:
        group.groups[organization.name].CopyFrom(application_member(organization))
    return group


def ordering_member(organization: Organization) -> ConfigGroup:
    """The organisation's entry in the Orderer group."""
    group = _member(organization, readers=("orderer", "admin"), writers=("orderer", "admin"))
    put(group, "Endpoints", endpoints(organization.orderer_endpoints))
    return group


def application_member(organization: Organization) -> ConfigGroup:
    """The organisation's entry in the Application group."""
    group = _member(organization, readers=("admin", "peer", "client"), writers=("admin", "client"))
    group.policies[ENDORSEMENT].CopyFrom(configpolicy.any_role(organization.msp_id, ("peer",)))
    if organization.anchor_peers:
        put(group, "AnchorPeers", anchors(organization.anchor_peers))
    return group


def endpoints(addresses: Iterable[str]) -> configuration_pb2.OrdererAddresses:
    """Where an organisation's orderers are reached, each `host:port`."""
    return configuration_pb2.OrdererAddresses(addresses=addresses)


def anchors(addresses: Iterable[tuple[str, int]]) -> peer_pb2.AnchorPeers:
    """The peers by which other organisations' peers find an organisation's."""
    peers = [peer_pb2.AnchorPeer(host=host, port=port) for host, port in addresses]
    return peer_pb2.AnchorPeers(anchor_peers=peers)


def capability(name: str) -> configuration_pb2.Capabilities:
    """The level of one group's rules."""
    return configuration_pb2.Capabilities(capabilities={name: configuration_pb2.Capability()})


def _member(
    organization: Organization, *, readers: tuple[str, ...], writers: tuple[str, ...]
) -> ConfigGroup:
    group = ConfigGroup(mod_policy=ADMINS)
    msp_id = organization.msp_id
    group.policies[READERS].CopyFrom(configpolicy.any_role(msp_id, readers))
    group.policies[WRITERS].CopyFrom(configpolicy.any_role(msp_id, writers))
    group.policies[ADMINS].CopyFrom(configpolicy.any_role(msp_id, ("admin",)))
    put(group, "MSP", msp_config(organization))
    return group


def _governed(channel: Channel) -> ConfigGroup:
    group = ConfigGroup(mod_policy=ADMINS)
    group.policies[READERS].CopyFrom(configpolicy.implicit(READERS, _ANY))
    group.policies[WRITERS].CopyFrom(configpolicy.implicit(WRITERS, _ANY))
    group.policies[ADMINS].CopyFrom(configpolicy.signature(channel.admins))
    return group
