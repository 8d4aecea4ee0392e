# SPDX-License-Identifier: Apache-2.0
"""Goal: a genesis block real orderers take. Method: read it back, field by field."""

from dataclasses import replace

import pytest
from fabric_protos.common import (
    common_pb2,
    configtx_pb2,
    configuration_pb2,
    policies_pb2,
)
from fabric_protos.msp import msp_config_pb2, msp_principal_pb2
from fabric_protos.orderer import configuration_pb2 as orderer_pb2
from fabric_protos.orderer.etcdraft import configuration_pb2 as etcdraft_pb2
from fabric_protos.orderer.smartbft import configuration_pb2 as smartbft_pb2

from pedchain_fabric.admin.channel import Channel, Consensus, Consenter, Organization
from pedchain_fabric.admin.genesis import genesis_block
from pedchain_fabric.errors import PolicyError
from pedchain_fabric.wire import policy
from pedchain_fabric.wire.block import data_hash
from pedchain_fabric.wire.messages import serialize

NAMES = ("DSO", "DistrictA", "DistrictB", "Aggregator")
ADMINS = "AND('DSOMSP.admin', OutOf(2, 'DistrictAMSP.admin', 'DistrictBMSP.admin'))"
LIFECYCLE = "AND('DSOMSP.peer', 'DistrictAMSP.peer')"
NONCE = bytes(range(24))


def channel(names: tuple[str, ...] = NAMES) -> Channel:
    return Channel(
        channel_id="ped",
        organizations=tuple(
            Organization(
                name=name,
                msp_id=f"{name}MSP",
                root_certificates=(f"ca of {name}".encode(),),
                tls_root_certificates=(f"tls ca of {name}".encode(),),
                orderer_endpoints=("127.0.0.1:7050",),
                anchor_peers=(("127.0.0.1", 7051),),
            )
            for name in names
        ),
        consenters=tuple(
            Consenter(
                id=number,
                host="127.0.0.1",
                port=7050 + number,
                msp_id=f"{name}MSP",
                identity=f"identity of {name}".encode(),
                tls_certificate=f"tls of {name}".encode(),
            )
            for number, name in enumerate(names, start=1)
        ),
        admins=ADMINS,
        lifecycle_endorsement=LIFECYCLE,
    )


def block_of(described: Channel, nonce: bytes = NONCE) -> common_pb2.Block:
    return genesis_block(described, nonce=nonce, timestamp_s=1_700_000_000)


def root_of(block: common_pb2.Block) -> configtx_pb2.ConfigGroup:
    envelope = common_pb2.Envelope.FromString(block.data.data[0])
    payload = common_pb2.Payload.FromString(envelope.payload)
    return configtx_pb2.ConfigEnvelope.FromString(payload.data).config.channel_group


@pytest.fixture(scope="module")
def root() -> configtx_pb2.ConfigGroup:
    return root_of(block_of(channel()))


def signature_policy(
    group: configtx_pb2.ConfigGroup, name: str
) -> policies_pb2.SignaturePolicyEnvelope:
    stored = group.policies[name].policy
    assert stored.type == policies_pb2.Policy.SIGNATURE
    return policies_pb2.SignaturePolicyEnvelope.FromString(stored.value)


def roles(group: configtx_pb2.ConfigGroup, name: str) -> set[str]:
    named = signature_policy(group, name).identities
    found = [msp_principal_pb2.MSPRole.FromString(each.principal).role for each in named]
    return {msp_principal_pb2.MSPRole.MSPRoleType.Name(role).lower() for role in found}


def test_the_same_inputs_give_the_same_bytes() -> None:
    assert serialize(block_of(channel())) == serialize(block_of(channel()))


def test_another_nonce_gives_another_channel_of_the_same_configuration() -> None:
    one, other = block_of(channel()), block_of(channel(), nonce=bytes(24))
    assert one.header.data_hash != other.header.data_hash
    assert root_of(one) == root_of(other)


def test_the_header_holds_the_hash_of_the_data() -> None:
    block = block_of(channel())
    assert block.header.data_hash == data_hash(block.data)
    assert block.header.previous_hash == b""


def test_both_metadata_slots_point_at_block_0() -> None:
    slots = block_of(channel()).metadata.metadata
    assert len(slots) == 5
    signatures = common_pb2.Metadata.FromString(slots[common_pb2.SIGNATURES])
    written = common_pb2.OrdererBlockMetadata.FromString(signatures.value)
    assert written.HasField("last_config")
    assert written.last_config.index == 0


def test_capabilities_are_those_smartbft_needs(root: configtx_pb2.ConfigGroup) -> None:
    groups = {
        "V3_0": root,
        "V2_0": root.groups["Orderer"],
        "V2_5": root.groups["Application"],
    }
    for name, group in groups.items():
        value = configuration_pb2.Capabilities.FromString(group.values["Capabilities"].value)
        assert list(value.capabilities) == [name]


@pytest.mark.parametrize(("orderers", "quorum"), [(1, 1), (3, 2), (4, 3)])
def test_block_validation_is_a_quorum_of_the_consenters_in_order(
    orderers: int, quorum: int
) -> None:
    described = replace(
        channel(NAMES[:orderers]), admins="OR('DSOMSP.admin')", lifecycle_endorsement=LIFECYCLE
    )
    group = root_of(block_of(described)).groups["Orderer"]
    rule = signature_policy(group, "BlockValidation")
    assert rule.rule.n_out_of.n == quorum
    assert [each.signed_by for each in rule.rule.n_out_of.rules] == list(range(orderers))
    consenters = configuration_pb2.Orderers.FromString(group.values["Orderers"].value)
    for principal, consenter in zip(rule.identities, consenters.consenter_mapping, strict=True):
        assert principal.principal_classification == msp_principal_pb2.MSPPrincipal.IDENTITY
        assert consenter.identity in principal.principal


def test_the_orderer_group_gives_clients_nothing(root: configtx_pb2.ConfigGroup) -> None:
    for member in root.groups["Orderer"].groups.values():
        assert roles(member, "Readers") == {"orderer", "admin"}
        assert roles(member, "Writers") == {"orderer", "admin"}


def test_the_application_group_goes_by_role(root: configtx_pb2.ConfigGroup) -> None:
    for member in root.groups["Application"].groups.values():
        assert roles(member, "Readers") == {"admin", "peer", "client"}
        assert roles(member, "Writers") == {"admin", "client"}
        assert roles(member, "Admins") == {"admin"}
        assert roles(member, "Endorsement") == {"peer"}


def test_admins_and_lifecycle_are_the_policies_given(root: configtx_pb2.ConfigGroup) -> None:
    for group in (root, root.groups["Orderer"], root.groups["Application"]):
        assert signature_policy(group, "Admins") == policy.parse(ADMINS)
    agreed = signature_policy(root.groups["Application"], "LifecycleEndorsement")
    assert agreed == policy.parse(LIFECYCLE)


def test_smartbft_timers_replace_a_dead_leader_in_seconds(root: configtx_pb2.ConfigGroup) -> None:
    stored = root.groups["Orderer"].values["ConsensusType"].value
    consensus = orderer_pb2.ConsensusType.FromString(stored)
    assert consensus.type == "BFT"
    options = smartbft_pb2.Options.FromString(consensus.metadata)
    assert (
        options.request_batch_max_interval,
        options.request_forward_timeout,
        options.request_complain_timeout,
        options.leader_heartbeat_timeout,
        options.view_change_timeout,
        options.view_change_resend_interval,
        options.request_auto_remove_timeout,
    ) == ("10ms", "500ms", "2s", "3s", "4s", "1s", "3m0s")
    assert options.leader_rotation == smartbft_pb2.Options.ROTATION_UNSPECIFIED


def test_roles_name_no_ca_so_that_a_renewed_ca_keeps_them(root: configtx_pb2.ConfigGroup) -> None:
    for half in ("Orderer", "Application"):
        for name, member in root.groups[half].groups.items():
            wrapped = msp_config_pb2.MSPConfig.FromString(member.values["MSP"].value)
            msp = msp_config_pb2.FabricMSPConfig.FromString(wrapped.config)
            assert msp.name == f"{name}MSP"
            assert msp.fabric_node_ous.enable
            assert msp.fabric_node_ous.client_ou_identifier.certificate == b""


def test_everything_is_changed_by_admins_only(root: configtx_pb2.ConfigGroup) -> None:
    pending = [root]
    while pending:
        group = pending.pop()
        held = [group.mod_policy]
        held += [value.mod_policy for value in group.values.values()]
        held += [rule.mod_policy for rule in group.policies.values()]
        assert set(held) == {"Admins"}
        pending += group.groups.values()


def test_raft_keeps_its_consenters_in_the_metadata() -> None:
    described = replace(channel(), consensus=Consensus.RAFT)
    group = root_of(block_of(described)).groups["Orderer"]
    consensus = orderer_pb2.ConsensusType.FromString(group.values["ConsensusType"].value)
    assert consensus.type == "etcdraft"
    assert "Orderers" not in group.values
    metadata = etcdraft_pb2.ConfigMetadata.FromString(consensus.metadata)
    assert [(each.host, each.port) for each in metadata.consenters] == [
        (each.host, each.port) for each in described.consenters
    ]
    assert {each.client_tls_cert for each in metadata.consenters} == {
        each.tls_certificate for each in described.consenters
    }
    assert (metadata.options.tick_interval, metadata.options.election_tick) == ("100ms", 10)


def test_any_orderer_signs_a_raft_channels_blocks() -> None:
    described = replace(channel(), consensus=Consensus.RAFT)
    stored = root_of(block_of(described)).groups["Orderer"].policies["BlockValidation"].policy
    assert stored.type == policies_pb2.Policy.IMPLICIT_META
    meta = policies_pb2.ImplicitMetaPolicy.FromString(stored.value)
    assert (meta.rule, meta.sub_policy) == (policies_pb2.ImplicitMetaPolicy.ANY, "Writers")


def test_a_peer_only_organisation_orders_nothing() -> None:
    first, *others = channel().organizations
    described = replace(
        channel(), organizations=(first, *(replace(e, orders=False) for e in others))
    )
    group = root_of(block_of(described))
    assert set(group.groups["Orderer"].groups) == {"DSO"}
    assert set(group.groups["Application"].groups) == set(NAMES)


def test_a_malformed_policy_is_refused() -> None:
    with pytest.raises(PolicyError):
        block_of(replace(channel(), admins="AND('DSOMSP.admin'"))
