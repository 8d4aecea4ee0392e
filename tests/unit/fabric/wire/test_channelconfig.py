# SPDX-License-Identifier: Apache-2.0
import contextlib

import pytest
from fabric_protos.common.common_pb2 import (
    CONFIG,
    Block,
    BlockData,
    BlockHeader,
    BlockMetadata,
    ChannelHeader,
    Envelope,
    Header,
    IdentifierHeader,
    Metadata,
    MetadataSignature,
    Payload,
)
from fabric_protos.common.configtx_pb2 import Config, ConfigEnvelope, ConfigGroup, ConfigPolicy
from fabric_protos.common.configuration_pb2 import Capabilities, Capability, Consenter, Orderers
from fabric_protos.common.policies_pb2 import ImplicitMetaPolicy, Policy
from hypothesis import given
from hypothesis import strategies as st

from pedchain_fabric.errors import PolicyError, SignatureInvalid, WireError
from pedchain_fabric.wire import block, policy
from pedchain_fabric.wire.channelconfig import BLOCK_VALIDATION, ChannelConfig
from tests.unit.fabric.wire import pki

CAS = {name: pki.root(name) for name in ("A", "B", "C")}
MEMBERS = {name: ca.member(f"{name}MSP", "peer") for name, ca in CAS.items()}
ORDERERS = {name: ca.member(f"{name}MSP", "orderer") for name, ca in CAS.items()}


def signature_policy(envelope):
    return ConfigPolicy(policy=Policy(type=Policy.SIGNATURE, value=envelope.SerializeToString()))


def meta(rule, sub_policy):
    value = ImplicitMetaPolicy(rule=rule, sub_policy=sub_policy).SerializeToString()
    return ConfigPolicy(policy=Policy(type=Policy.IMPLICIT_META, value=value))


def organization(name):
    group = ConfigGroup()
    config = pki.wrapped(pki.msp_config(f"{name}MSP", CAS[name]))
    group.values["MSP"].value = config.SerializeToString()
    peers = policy.signed_by_any([f"{name}MSP"], "peer")
    group.policies["Endorsement"].CopyFrom(signature_policy(peers))
    return group


def capabilities(*names):
    return Capabilities(capabilities={name: Capability() for name in names}).SerializeToString()


def config():
    root = ConfigGroup()
    root.values["Capabilities"].value = capabilities("V3_0")
    application, orderer = root.groups["Application"], root.groups["Orderer"]
    application.values["Capabilities"].value = capabilities("V2_5")
    for name in CAS:
        application.groups[name].CopyFrom(organization(name))
        orderer.groups[name].CopyFrom(organization(name))
    application.policies["Endorsement"].CopyFrom(meta(ImplicitMetaPolicy.MAJORITY, "Endorsement"))
    application.policies["Any"].CopyFrom(meta(ImplicitMetaPolicy.ANY, "Endorsement"))
    application.policies["All"].CopyFrom(meta(ImplicitMetaPolicy.ALL, "Endorsement"))
    application.policies["Missing"].CopyFrom(meta(ImplicitMetaPolicy.ANY, "Nothing"))
    root.policies["Endorsement"].CopyFrom(meta(ImplicitMetaPolicy.ANY, "Endorsement"))
    consenters = [
        Consenter(id=index + 1, msp_id=f"{name}MSP", identity=each.certificate)
        for index, (name, each) in enumerate(ORDERERS.items())
    ]
    orderer.values["Orderers"].value = Orderers(consenter_mapping=consenters).SerializeToString()
    quorum = policy.n_of(2, [policy.identity_principal(o.identity) for o in ORDERERS.values()])
    orderer.policies["BlockValidation"].CopyFrom(signature_policy(quorum))
    return Config(sequence=4, channel_group=root)


def read(changed=None):
    made = config()
    if changed:
        changed(made.channel_group)
    return ChannelConfig.from_config("ped", made)


def signed_by(*names, message=b"m"):
    return [(MEMBERS[each].creator, message, MEMBERS[each].sign(message)) for each in names]


def config_block(envelope, kind=CONFIG):
    header = Header(channel_header=ChannelHeader(type=kind, channel_id="ped").SerializeToString())
    payload = Payload(header=header, data=envelope.SerializeToString())
    raw = Envelope(payload=payload.SerializeToString()).SerializeToString()
    return Block(data=BlockData(data=[raw]))


def test_a_config_block_says_who_is_in_the_channel():
    found = ChannelConfig.from_block(config_block(ConfigEnvelope(config=config())))
    assert (found.channel_id, found.sequence) == ("ped", 4)
    assert set(found.application_orgs) == set(found.orderer_orgs) == {"A", "B", "C"}
    assert found.msps.ids == ("AMSP", "BMSP", "CMSP")
    assert found.application_capabilities == {"V2_5"}
    assert found.is_bft


def test_reading_leaves_the_configuration_as_it_was():
    bare = Config(channel_group=ConfigGroup())
    bare.channel_group.values["Capabilities"].value = capabilities("V3_0")
    before = bare.SerializeToString(deterministic=True)
    found = ChannelConfig.from_config("ped", bare)
    assert found.config.SerializeToString(deterministic=True) == before
    assert found.orderer_orgs == {}


@pytest.mark.parametrize(
    ("path", "needed"), [("Any", 1), ("Endorsement", 2), ("All", 3), ("Missing", 9)]
)
def test_implicit_meta_policies_count_organisations(path, needed):
    found = read().policy(f"/Channel/Application/{path}")
    for count, names in enumerate([[], ["A"], ["A", "B"], ["A", "B", "C"]]):
        assert found.satisfied_by(signed_by(*names)) == (count >= needed)


def test_two_signatures_of_one_organisation_count_once():
    second = CAS["A"].member("AMSP", "peer")
    claims = [*signed_by("A"), (second.creator, b"m", second.sign(b"m"))]
    assert not read().policy("/Channel/Application/Endorsement").satisfied_by(claims)


def test_policies_are_found_by_absolute_and_relative_path_and_the_rest_rejects():
    found = read()
    for path in ("/Channel/Application/A/Endorsement", "Application/A/Endorsement"):
        assert found.policy(path).satisfied_by(signed_by("A"))
        assert not found.policy(path).satisfied_by(signed_by("B"))
    assert found.policy("/Channel/Endorsement").satisfied_by(signed_by("A", "B"))
    for path in ("", "/", "Nope", "/Channel/Nope/X", "/Other/Application/Any", "Application"):
        assert not found.policy(path).satisfied_by(signed_by("A", "B", "C"))
        assert not found.policy(path).satisfied_by_identities([MEMBERS["A"].identity])


def test_a_wrong_signature_counts_for_nothing():
    forged = [(MEMBERS["A"].creator, b"m", MEMBERS["B"].sign(b"m"))]
    assert not read().policy("Application/Any").satisfied_by(forged)


def signed_block(*names, number=3):
    header = BlockHeader(number=number)
    signatures = []
    for index, (name, orderer) in enumerate(ORDERERS.items()):
        if name in names:
            own = IdentifierHeader(identifier=index + 1).SerializeToString()
            message = block.signed_message(b"v", own, header)
            signatures.append(
                MetadataSignature(identifier_header=own, signature=orderer.sign(message))
            )
    slot = Metadata(value=b"v", signatures=signatures).SerializeToString()
    return Block(header=header, metadata=BlockMetadata(metadata=[slot]))


def test_a_block_needs_a_quorum_of_the_consenters():
    found = read()
    found.check_orderers(signed_block("A", "C"))
    with pytest.raises(SignatureInvalid, match="block 3"):
        found.check_orderers(signed_block("A"))


def test_a_block_whose_header_was_changed_is_refused():
    made = signed_block("A", "B", "C")
    made.header.previous_hash = b"x"
    with pytest.raises(SignatureInvalid):
        read().check_orderers(made)


def test_a_consenter_counts_once_however_often_it_signed():
    made = signed_block("A")
    slot = Metadata.FromString(made.metadata.metadata[0])
    slot.signatures.append(slot.signatures[0])
    made.metadata.metadata[0] = slot.SerializeToString()
    with pytest.raises(SignatureInvalid):
        read().check_orderers(made)


def other_msp(root):
    config = pki.wrapped(pki.msp_config("AMSP", CAS["B"]))
    root.groups["Orderer"].groups["A"].values["MSP"].value = config.SerializeToString()


def unknown_policy(root):
    root.policies["X"].policy.type = 9


def nil_policy(root):
    root.policies["X"].mod_policy = "Admins"


def broken_policy(root):
    root.policies["X"].CopyFrom(signature_policy(policy.n_of(1, [])))
    root.policies["X"].policy.value = b"\xff"


def uncompilable_policy(root):
    envelope = policy.parse("OR('A.peer')")
    del envelope.identities[:]
    root.policies["X"].CopyFrom(signature_policy(envelope))


def old_capability(root):
    root.values["Capabilities"].value = capabilities("V1_1")


def broken_value(root):
    root.groups["Orderer"].values["BatchSize"].value = b"\xff"


def too_deep(root):
    for _ in range(30):
        root = root.groups["deeper"]


@pytest.mark.parametrize(
    "change",
    [
        other_msp,
        unknown_policy,
        nil_policy,
        broken_policy,
        uncompilable_policy,
        old_capability,
        broken_value,
        too_deep,
    ],
)
def test_a_configuration_we_cannot_follow_is_a_wire_error(change):
    with pytest.raises(WireError):
        read(change)


def test_policy_errors_are_wire_errors_of_their_own():
    with pytest.raises(PolicyError):
        read(nil_policy)


@pytest.mark.parametrize(
    "bad",
    [
        Block(),
        Block(data=BlockData(data=[b"", b""])),
        Block(data=BlockData(data=[b"\xff"])),
        config_block(ConfigEnvelope()),
        config_block(ConfigEnvelope(config=Config())),
        config_block(ConfigEnvelope(config=config()), kind=3),
    ],
)
def test_what_is_no_config_block_is_refused(bad):
    with pytest.raises(WireError):
        ChannelConfig.from_block(bad)


def test_block_validation_is_where_fabric_has_it():
    assert BLOCK_VALIDATION == "/Channel/Orderer/BlockValidation"


@given(st.data())
def test_a_damaged_config_block_raises_wire_errors_only(data):
    made = config_block(ConfigEnvelope(config=config()))
    raw = bytearray(made.data.data[0])
    for _ in range(data.draw(st.integers(1, 5))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(WireError):
        ChannelConfig.from_block(Block(data=BlockData(data=[bytes(raw)])))
