# SPDX-License-Identifier: Apache-2.0
"""The tree of a channel's configuration: Channel, its Orderer and Application groups.

Policies go by role: an organisation's certificates for clients order nothing in the
Orderer group, because one MSP stands in both groups and the wider would decide for both.
"""

from fabric_protos.common import configtx_pb2, configuration_pb2, policies_pb2
from fabric_protos.msp import msp_config_pb2
from fabric_protos.orderer import configuration_pb2 as orderer_pb2
from fabric_protos.peer import configuration_pb2 as peer_pb2
from google.protobuf.message import Message

from pedchain_fabric.admin import configpolicy, smartbft
from pedchain_fabric.admin.channel import Channel, Consenter, Organization
from pedchain_fabric.admin.configpolicy import ADMINS, ENDORSEMENT, READERS, WRITERS
from pedchain_fabric.wire.messages import serialize

CHANNEL_CAPABILITY = "V3_0"
ORDERER_CAPABILITY = "V2_0"
APPLICATION_CAPABILITY = "V2_5"

_FABRIC_MSP = 0
_ONE_HASH_WIDTH = 0xFFFFFFFF
_ANY = policies_pb2.ImplicitMetaPolicy.ANY
_MAJORITY = policies_pb2.ImplicitMetaPolicy.MAJORITY


def channel_group(channel: Channel) -> configtx_pb2.ConfigGroup:
    """The root group of a channel whose orderers agree by SmartBFT."""
    group = _governed(channel)
    _put(group, "HashingAlgorithm", configuration_pb2.HashingAlgorithm(name="SHA256"))
    width = configuration_pb2.BlockDataHashingStructure(width=_ONE_HASH_WIDTH)
    _put(group, "BlockDataHashingStructure", width)
    _put(group, "Capabilities", _capability(CHANNEL_CAPABILITY))
    group.groups["Orderer"].CopyFrom(_orderer_group(channel))
    group.groups["Application"].CopyFrom(_application_group(channel))
    return group


def _orderer_group(channel: Channel) -> configtx_pb2.ConfigGroup:
    group = _governed(channel)
    group.policies["BlockValidation"].CopyFrom(configpolicy.block_validation(channel.consenters))
    _put(group, "BatchSize", channel.batch.to_proto())
    timeout = smartbft.duration(channel.batch.interval_ms)
    _put(group, "BatchTimeout", orderer_pb2.BatchTimeout(timeout=timeout))
    _put(group, "ChannelRestrictions", orderer_pb2.ChannelRestrictions())
    _put(group, "Capabilities", _capability(ORDERER_CAPABILITY))
    consensus = orderer_pb2.ConsensusType(
        type="BFT", metadata=serialize(smartbft.options(channel.batch, channel.timers))
    )
    _put(group, "ConsensusType", consensus)
    _put(
        group,
        "Orderers",
        configuration_pb2.Orderers(consenter_mapping=map(_consenter, channel.consenters)),
    )
    for organization in channel.organizations:
        group.groups[organization.name].CopyFrom(_ordering_organization(organization))
    return group


def _application_group(channel: Channel) -> configtx_pb2.ConfigGroup:
    group = _governed(channel)
    group.policies[ENDORSEMENT].CopyFrom(configpolicy.implicit(ENDORSEMENT, _MAJORITY))
    lifecycle = configpolicy.signature(channel.lifecycle_endorsement)
    group.policies["LifecycleEndorsement"].CopyFrom(lifecycle)
    _put(group, "Capabilities", _capability(APPLICATION_CAPABILITY))
    for organization in channel.organizations:
        group.groups[organization.name].CopyFrom(_application_organization(organization))
    return group


def _ordering_organization(organization: Organization) -> configtx_pb2.ConfigGroup:
    group = _member(organization, readers=("orderer", "admin"), writers=("orderer", "admin"))
    addresses = configuration_pb2.OrdererAddresses(addresses=organization.orderer_endpoints)
    _put(group, "Endpoints", addresses)
    return group


def _application_organization(organization: Organization) -> configtx_pb2.ConfigGroup:
    group = _member(organization, readers=("admin", "peer", "client"), writers=("admin", "client"))
    group.policies[ENDORSEMENT].CopyFrom(configpolicy.any_role(organization.msp_id, ("peer",)))
    if organization.anchor_peers:
        anchors = [
            peer_pb2.AnchorPeer(host=host, port=port) for host, port in organization.anchor_peers
        ]
        _put(group, "AnchorPeers", peer_pb2.AnchorPeers(anchor_peers=anchors))
    return group


def _member(
    organization: Organization, *, readers: tuple[str, ...], writers: tuple[str, ...]
) -> configtx_pb2.ConfigGroup:
    group = configtx_pb2.ConfigGroup(mod_policy=ADMINS)
    msp_id = organization.msp_id
    group.policies[READERS].CopyFrom(configpolicy.any_role(msp_id, readers))
    group.policies[WRITERS].CopyFrom(configpolicy.any_role(msp_id, writers))
    group.policies[ADMINS].CopyFrom(configpolicy.any_role(msp_id, ("admin",)))
    _put(group, "MSP", _msp(organization))
    return group


def _governed(channel: Channel) -> configtx_pb2.ConfigGroup:
    group = configtx_pb2.ConfigGroup(mod_policy=ADMINS)
    group.policies[READERS].CopyFrom(configpolicy.implicit(READERS, _ANY))
    group.policies[WRITERS].CopyFrom(configpolicy.implicit(WRITERS, _ANY))
    group.policies[ADMINS].CopyFrom(configpolicy.signature(channel.admins))
    return group


def _msp(organization: Organization) -> msp_config_pb2.MSPConfig:
    """The MSP's verifying half. Role identifiers name no CA certificate, so that a renewed CA's
    certificates keep their roles."""

    def role(name: str) -> msp_config_pb2.FabricOUIdentifier:
        return msp_config_pb2.FabricOUIdentifier(organizational_unit_identifier=name)

    config = msp_config_pb2.FabricMSPConfig(
        name=organization.msp_id,
        root_certs=organization.root_certificates,
        tls_root_certs=organization.tls_root_certificates,
        crypto_config=msp_config_pb2.FabricCryptoConfig(
            signature_hash_family="SHA2", identity_identifier_hash_function="SHA256"
        ),
        fabric_node_ous=msp_config_pb2.FabricNodeOUs(
            enable=True,
            client_ou_identifier=role("client"),
            peer_ou_identifier=role("peer"),
            admin_ou_identifier=role("admin"),
            orderer_ou_identifier=role("orderer"),
        ),
    )
    return msp_config_pb2.MSPConfig(type=_FABRIC_MSP, config=serialize(config))


def _consenter(consenter: Consenter) -> configuration_pb2.Consenter:
    return configuration_pb2.Consenter(
        id=consenter.id,
        host=consenter.host,
        port=consenter.port,
        msp_id=consenter.msp_id,
        identity=consenter.identity,
        client_tls_cert=consenter.tls_certificate,
        server_tls_cert=consenter.tls_certificate,
    )


def _capability(name: str) -> configuration_pb2.Capabilities:
    return configuration_pb2.Capabilities(capabilities={name: configuration_pb2.Capability()})


def _put(group: configtx_pb2.ConfigGroup, key: str, value: Message) -> None:
    group.values[key].CopyFrom(configtx_pb2.ConfigValue(mod_policy=ADMINS, value=serialize(value)))
