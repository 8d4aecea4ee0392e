# SPDX-License-Identifier: Apache-2.0
"""A channel's configuration, read as Fabric reads it (common/channelconfig)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from fabric_protos.common.common_pb2 import (
    CONFIG,
    Block,
    ChannelHeader,
    Envelope,
    Payload,
)
from fabric_protos.common.configtx_pb2 import Config, ConfigEnvelope, ConfigGroup
from fabric_protos.common.configuration_pb2 import (
    Capabilities,
    Consenter,
    OrdererAddresses,
    Orderers,
)
from fabric_protos.msp.msp_config_pb2 import FabricMSPConfig, MSPConfig
from fabric_protos.orderer.configuration_pb2 import BatchSize, BatchTimeout, ConsensusType
from fabric_protos.peer.configuration_pb2 import ACLs, AnchorPeers
from google.protobuf.message import Message

from pedchain_fabric.errors import SignatureInvalid, WireError
from pedchain_fabric.wire.block import orderer_signatures
from pedchain_fabric.wire.messages import parse, require
from pedchain_fabric.wire.msp import Msp, Msps
from pedchain_fabric.wire.policytree import Policy, PolicyTree

M = TypeVar("M", bound=Message)

BLOCK_VALIDATION: Final = "/Channel/Orderer/BlockValidation"
_BFT: Final = "V3_0"
# The capabilities from which on MSPs follow the rules of `wire.msp` (MSPVersion).
_MSP_CAPABILITIES: Final = {"V1_4_3", "V2_0", _BFT}


@dataclass(frozen=True, slots=True)
class Organization:
    """An organisation's entry: in the Application group with anchor peers, in the Orderer
    group with orderer endpoints, each `(host, port)` or `host:port` as configured."""

    name: str
    msp_id: str
    anchor_peers: tuple[tuple[str, int], ...] = ()
    endpoints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChannelConfig:
    """What a channel's members agreed on.

    `sequence` counts its versions. `batch_timeout` is Go's text for a duration ("2s").
    `consenters` are those of SmartBFT; other orderers keep theirs in `consensus_metadata`.
    """

    channel_id: str
    sequence: int
    config: Config
    capabilities: frozenset[str]
    orderer_capabilities: frozenset[str]
    application_capabilities: frozenset[str]
    application_orgs: Mapping[str, Organization]
    orderer_orgs: Mapping[str, Organization]
    msps: Msps
    consensus_type: str
    consensus_metadata: bytes
    consenters: tuple[Consenter, ...]
    batch_size: BatchSize
    batch_timeout: str
    acls: Mapping[str, str]
    policies: PolicyTree = field(repr=False)

    @classmethod
    def from_block(cls, block: Block) -> "ChannelConfig":
        """The configuration in a config block, the genesis block included.

        Raises `WireError` if it holds none, or one Fabric would refuse.
        """
        require(len(block.data.data) == 1, "not a config block")
        payload = parse(Payload, parse(Envelope, block.data.data[0]).payload)
        header = parse(ChannelHeader, payload.header.channel_header)
        require(header.type == CONFIG, "not a config block")
        envelope = parse(ConfigEnvelope, payload.data)
        require(envelope.HasField("config"), "config envelope without config")
        return cls.from_config(header.channel_id, envelope.config)

    @classmethod
    def from_config(cls, channel_id: str, config: Config) -> "ChannelConfig":
        """The same from the bare configuration. Raises `WireError`."""
        require(config.HasField("channel_group"), "config without channel group")
        root = config.channel_group
        orderer, application = _group(root, "Orderer"), _group(root, "Application")
        capabilities = _capabilities(root)
        require(capabilities & _MSP_CAPABILITIES, "channel capability V1_4_3 or later is needed")
        msps = _msps((orderer, application), ed25519=_BFT in capabilities)
        consensus = _value(orderer, "ConsensusType", ConsensusType)
        return cls(
            channel_id=channel_id,
            sequence=config.sequence,
            config=config,
            capabilities=capabilities,
            orderer_capabilities=_capabilities(orderer),
            application_capabilities=_capabilities(application),
            application_orgs=_organizations(application),
            orderer_orgs=_organizations(orderer),
            msps=msps,
            consensus_type=consensus.type,
            consensus_metadata=consensus.metadata,
            consenters=tuple(_value(orderer, "Orderers", Orderers).consenter_mapping),
            batch_size=_value(orderer, "BatchSize", BatchSize),
            batch_timeout=_value(orderer, "BatchTimeout", BatchTimeout).timeout,
            acls={
                name: acl.policy_ref for name, acl in _value(application, "ACLs", ACLs).acls.items()
            },
            policies=PolicyTree.of(root, msps),
        )

    @property
    def is_bft(self) -> bool:
        """Whether orderers tolerate traitors, and blocks name their signers by number."""
        return _BFT in self.capabilities

    def policy(self, path: str) -> Policy:
        """The policy at `path` (`/Channel/Application/Writers`, or below Channel without it).

        One nobody satisfies, as in Fabric, if there is none.
        """
        return self.policies.find(path)

    def check_orderers(self, block: Block) -> int:
        """Raise `SignatureInvalid` unless enough orderers signed the block's header and metadata.

        Returns how many orderers' signatures it carries. The configuration must be the one in
        force when the block was made. Raises `WireError` for malformed metadata. The data is
        checked by `block.check_data`.
        """
        consenters = self.consenters if self.is_bft else ()
        claims = orderer_signatures(block.header, block.metadata, consenters)
        if not self.policy(BLOCK_VALIDATION).satisfied_by(claims):
            raise SignatureInvalid(f"block {block.header.number}: not signed by enough orderers")
        return len(claims)


def _group(root: ConfigGroup, name: str) -> ConfigGroup:
    """A group, empty if there is none: reading must not add one to the configuration."""
    return root.groups[name] if name in root.groups else ConfigGroup()


def _value(group: ConfigGroup, name: str, kind: type[M]) -> M:
    """A group's configuration value, empty if it has none."""
    return parse(kind, group.values[name].value if name in group.values else b"")


def _capabilities(group: ConfigGroup) -> frozenset[str]:
    return frozenset(_value(group, "Capabilities", Capabilities).capabilities)


def _organizations(group: ConfigGroup) -> Mapping[str, Organization]:
    return {
        name: Organization(
            name=name,
            msp_id=parse(FabricMSPConfig, _value(org, "MSP", MSPConfig).config).name,
            anchor_peers=tuple(
                (peer.host, peer.port)
                for peer in _value(org, "AnchorPeers", AnchorPeers).anchor_peers
            ),
            endpoints=tuple(_value(org, "Endpoints", OrdererAddresses).addresses),
        )
        for name, org in sorted(group.groups.items())
    }


def _msps(groups: tuple[ConfigGroup, ...], *, ed25519: bool) -> Msps:
    """One MSP per id; an organisation in both groups must have the same in both."""
    configs: dict[str, MSPConfig] = {}
    for group in groups:
        for org in group.groups.values():
            config = _value(org, "MSP", MSPConfig)
            msp_id = parse(FabricMSPConfig, config.config).name
            if configs.setdefault(msp_id, config) != config:
                raise WireError(f"two different definitions of MSP {msp_id}")
    return Msps(
        {msp_id: Msp.from_config(each, ed25519=ed25519) for msp_id, each in configs.items()}
    )
