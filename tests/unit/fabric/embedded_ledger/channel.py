# SPDX-License-Identifier: Apache-2.0
"""A channel's genesis configuration for tests, made from the config protobufs alone."""

from collections.abc import Sequence

from fabric_protos.common.common_pb2 import (
    CONFIG,
    Block,
    BlockData,
    BlockHeader,
    BlockMetadata,
    ChannelHeader,
    Envelope,
    Header,
    Payload,
)
from fabric_protos.common.configtx_pb2 import (
    Config,
    ConfigEnvelope,
    ConfigGroup,
    ConfigPolicy,
    ConfigValue,
)
from fabric_protos.common.configuration_pb2 import Capabilities, Capability, Consenter, Orderers
from fabric_protos.common.policies_pb2 import ImplicitMetaPolicy, Policy, SignaturePolicyEnvelope
from fabric_protos.orderer.configuration_pb2 import BatchSize, BatchTimeout, ConsensusType
from google.protobuf.message import Message

from pedchain_fabric.wire import block as wire_block
from pedchain_fabric.wire import policy
from pedchain_fabric.wire.identity import Identity
from pedchain_fabric.wire.quorum import bft_quorum
from tests.unit.fabric.embedded_ledger.organizations import Organization

CHANNEL = "ped"
META = {"Readers": "ANY", "Writers": "ANY", "Admins": "MAJORITY"}


def genesis(organizations: Sequence[Organization]) -> Block:
    """Block 0 of a SmartBFT channel of these organisations, each with a peer and an orderer."""
    config = Config(sequence=0, channel_group=_channel(organizations))
    channel_header = ChannelHeader(type=CONFIG, channel_id=CHANNEL)
    payload = Payload(
        header=Header(channel_header=channel_header.SerializeToString()),
        data=ConfigEnvelope(config=config).SerializeToString(),
    )
    data = BlockData(data=[Envelope(payload=payload.SerializeToString()).SerializeToString()])
    header = BlockHeader(number=0, data_hash=wire_block.data_hash(data))
    return Block(header=header, data=data, metadata=BlockMetadata(metadata=[b""] * 5))


def _channel(organizations: Sequence[Organization]) -> ConfigGroup:
    root = ConfigGroup(mod_policy="Admins")
    _set_meta(root, META)
    _set_value(root, "Capabilities", _capability("V3_0"))
    orderer, application = root.groups["Orderer"], root.groups["Application"]
    _set_orderer(orderer, organizations)
    application.mod_policy = "Admins"
    _set_meta(application, META | {"Endorsement": "MAJORITY"})
    lifecycle = {"LifecycleEndorsement": "Endorsement"}
    for name, sub in lifecycle.items():
        _set_policy(application, name, _meta("MAJORITY", sub))
    _set_value(application, "Capabilities", _capability("V2_5"))
    for each in organizations:
        _set_organization(orderer.groups[each.name], each, "orderer")
        _set_organization(application.groups[each.name], each, "peer")
    return root


def _set_orderer(group: ConfigGroup, organizations: Sequence[Organization]) -> None:
    group.mod_policy = "Admins"
    _set_meta(group, META)
    principals = [
        policy.identity_principal(Identity(each.msp_id, each.orderer.certificate))
        for each in organizations
    ]
    quorum = policy.n_of(bft_quorum(len(organizations)), principals)
    _set_policy(group, "BlockValidation", _signature(quorum))
    consenters = [
        Consenter(id=index, host="localhost", port=7050 + index, msp_id=each.msp_id,
                  identity=each.orderer.certificate)
        for index, each in enumerate(organizations, 1)
    ]  # fmt: skip
    _set_value(group, "Orderers", Orderers(consenter_mapping=consenters))
    _set_value(group, "ConsensusType", ConsensusType(type="BFT"))
    _set_value(group, "BatchSize", BatchSize(max_message_count=100))
    _set_value(group, "BatchTimeout", BatchTimeout(timeout="1s"))
    _set_value(group, "Capabilities", _capability("V2_0"))


def _set_organization(group: ConfigGroup, organization: Organization, node: str) -> None:
    group.mod_policy = "Admins"
    msp_id = organization.msp_id
    rules = {
        "Readers": f"OR('{msp_id}.member')",
        "Writers": f"OR('{msp_id}.member')",
        "Admins": f"OR('{msp_id}.admin')",
        "Endorsement": f"OR('{msp_id}.{node}')",
    }
    for name, rule in rules.items():
        _set_policy(group, name, _signature(policy.parse(rule)))
    _set_value(group, "MSP", organization.msp)


def _set_meta(group: ConfigGroup, rules: dict[str, str]) -> None:
    for name, rule in rules.items():
        _set_policy(group, name, _meta(rule, name))


def _meta(rule: str, sub_policy: str) -> Policy:
    meta = ImplicitMetaPolicy(rule=ImplicitMetaPolicy.Rule.Value(rule), sub_policy=sub_policy)
    return Policy(type=Policy.IMPLICIT_META, value=meta.SerializeToString())


def _signature(envelope: SignaturePolicyEnvelope) -> Policy:
    return Policy(type=Policy.SIGNATURE, value=envelope.SerializeToString())


def _set_policy(group: ConfigGroup, name: str, rule: Policy) -> None:
    group.policies[name].CopyFrom(ConfigPolicy(policy=rule, mod_policy="Admins"))


def _set_value(group: ConfigGroup, name: str, value: Message) -> None:
    held = value.SerializeToString(deterministic=True)
    group.values[name].CopyFrom(ConfigValue(value=held, mod_policy="Admins"))


def _capability(name: str) -> Capabilities:
    return Capabilities(capabilities={name: Capability()})
