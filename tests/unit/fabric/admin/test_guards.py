# SPDX-License-Identifier: Apache-2.0
"""Goal: what would lock a consortium out is refused. Method: one change per rule."""

import datetime
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from fabric_protos.common.configtx_pb2 import Config
from fabric_protos.common.configuration_pb2 import OrdererAddresses

from pedchain_fabric.admin import configpolicy, configupdate, consensus
from pedchain_fabric.admin.channel import Consensus
from pedchain_fabric.admin.configvalue import put
from pedchain_fabric.admin.edit import consenters, governance, ordering, organizations
from pedchain_fabric.admin.refusal import EditRefused, Reason
from pedchain_fabric.admin.smartbft import Batch
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.identity import certificate_pem
from tests.unit.fabric.admin import channels
from tests.unit.fabric.admin.channels import CHANNEL, NEW, config, current, keys

WITHOUT_AGGREGATOR = "AND('DSOMSP.admin', 'DistrictAMSP.admin')"


def reason(wanted: Config, kind: Consensus = Consensus.SMARTBFT) -> Reason:
    with pytest.raises(EditRefused) as raised:
        configupdate.prepare(current(kind), wanted)
    return raised.value.reason


def five(kind: Consensus = Consensus.SMARTBFT) -> ChannelConfig:
    """The channel with a fifth organisation that orders."""
    added = organizations.add(config(kind), channels.organization(NEW, port=7900))
    added = consenters.add(added, channels.consenter(NEW, 5, 7900))
    return ChannelConfig.from_config(CHANNEL, added)


def test_a_fifth_organisation_and_its_consenter_may_come_at_once_and_go_at_once() -> None:
    assert configupdate.prepare(current(), five().config)
    without = consenters.remove(five().config, "127.0.0.1", 7950)
    assert configupdate.prepare(five(), organizations.remove(without, NEW))


@pytest.mark.parametrize("kind", list(Consensus))
def test_fewer_consenters_than_survive_a_failure_are_refused(kind: Consensus) -> None:
    fewer, now = config(kind), current(kind)
    if kind is Consensus.RAFT:  # three still survive one that stops
        fewer = consenters.remove(fewer, "127.0.0.1", 7350)
        now = ChannelConfig.from_config(CHANNEL, fewer)
    with pytest.raises(EditRefused) as raised:
        configupdate.prepare(now, consenters.remove(fewer, "127.0.0.1", 7250))
    assert raised.value.reason is Reason.TOO_FEW_CONSENTERS


@pytest.mark.parametrize("kind", list(Consensus))
def test_consenters_change_one_at_a_time(kind: Consensus) -> None:
    wanted = consenters.add(config(kind), channels.consenter("DSO", 5, 7900))
    wanted = consenters.remove(wanted, "127.0.0.1", 7050)
    moved = replace(consenters.of(config(kind))[1], port=1)
    two = consenters.replace(wanted, "127.0.0.1", 7150, moved)
    assert reason(two, kind) is Reason.ONE_CONSENTER_AT_A_TIME


def test_an_organisation_still_named_in_a_policy_does_not_leave() -> None:
    left = organizations.remove(consenters.remove(five().config, "127.0.0.1", 7350), "Aggregator")
    with pytest.raises(EditRefused, match="AggregatorMSP is still named") as raised:
        configupdate.prepare(five(), left)
    assert raised.value.reason is Reason.STILL_NAMED
    mended = governance.set_admins(left, WITHOUT_AGGREGATOR)
    assert configupdate.prepare(five(), mended)


def test_a_policy_names_nobody_outside_the_channel() -> None:
    wanted = governance.set_lifecycle_endorsement(config(), "OR('NobodyMSP.peer')")
    assert reason(wanted) is Reason.UNKNOWN_ORGANIZATION


def test_a_policy_may_name_who_comes_with_the_same_update() -> None:
    wanted = organizations.add(config(), channels.organization(NEW, orders=False))
    wanted = governance.set_lifecycle_endorsement(wanted, f"OR('{NEW}MSP.peer')")
    assert configupdate.prepare(current(), wanted)


def test_a_consenters_organisation_must_order() -> None:
    wanted = organizations.add(config(), channels.organization(NEW, orders=False))
    wanted = consenters.add(wanted, channels.consenter(NEW, 5, 7900))
    assert reason(wanted) is Reason.NOT_ORDERING


@pytest.mark.parametrize(
    "twin",
    [
        lambda one: replace(one, id=1, port=1),
        lambda one: replace(one, id=5, port=1),
    ],
)
def test_no_two_consenters_share_number_or_certificate(
    twin: Callable[[object], object],
) -> None:
    made = twin(channels.consenter("DSO", 5, 7000))
    assert reason(consenters.add(config(), made)) is Reason.DUPLICATE  # type: ignore[arg-type]


def test_no_two_raft_consenters_share_a_tls_certificate() -> None:
    twin = replace(channels.consenter("DSO", 5, 7000), port=1)
    wanted = consenters.add(config(Consensus.RAFT), twin)
    assert reason(wanted, Consensus.RAFT) is Reason.DUPLICATE


def test_block_validation_of_other_bytes_is_refused() -> None:
    wanted = config()
    group = wanted.channel_group.groups["Orderer"]
    rule = configpolicy.signature("OR('DSOMSP.orderer')").policy
    group.policies["BlockValidation"].policy.CopyFrom(rule)
    assert reason(wanted) is Reason.BLOCK_VALIDATION


def test_a_consenter_must_be_a_valid_member() -> None:
    forged = replace(
        channels.consenter("DSO", 5, 7900), identity=keys("Stranger").orderer.certificate
    )
    assert reason(consenters.add(config(), forged)) is Reason.BAD_VALUE


def test_a_new_ca_must_still_vouch_for_the_consenters() -> None:
    other = certificate_pem(keys("Stranger").authority)
    described = replace(channels.organization("DSO"), root_certificates=(other,))
    assert reason(organizations.set_membership(config(), described)) is Reason.BAD_VALUE


def test_the_kind_of_consensus_stays() -> None:
    wanted = config()
    raft = config(Consensus.RAFT).channel_group.groups["Orderer"].values["ConsensusType"]
    wanted.channel_group.groups["Orderer"].values["ConsensusType"].CopyFrom(raft)
    assert reason(wanted) is Reason.BAD_VALUE


def test_consensus_nobody_knows_is_refused() -> None:
    wanted = config()
    group = wanted.channel_group.groups["Orderer"]
    group.values["ConsensusType"].value = b"\x0a\x04solo"
    with pytest.raises(EditRefused, match="solo"):
        consensus.kind(group)
    assert reason(wanted) is Reason.BAD_VALUE


def test_who_orders_has_an_endpoint() -> None:
    wanted = config()
    group = wanted.channel_group.groups["Orderer"].groups["DSO"]
    put(group, "Endpoints", OrdererAddresses())
    assert reason(wanted) is Reason.BAD_VALUE


def test_a_channel_is_not_left_by_everybody() -> None:
    wanted = config()
    wanted.channel_group.groups["Application"].groups.clear()
    assert reason(wanted) is Reason.LAST_ORGANIZATION
    nobody = config()
    del nobody.channel_group.groups["Orderer"]
    assert reason(nobody) is Reason.LAST_ORGANIZATION


def test_two_organisations_have_two_msp_ids() -> None:
    twin = replace(channels.organization(NEW, orders=False), msp_id="DSOMSP")
    assert reason(organizations.add(config(), twin)) is Reason.DUPLICATE


def test_an_organisation_keeps_its_msp_id() -> None:
    now = ChannelConfig.from_config(
        CHANNEL, organizations.add(config(), channels.organization(NEW, orders=False))
    )
    renamed = replace(channels.organization(NEW, orders=False), msp_id="OtherMSP")
    wanted = organizations.add(organizations.remove(now.config, NEW), renamed)
    with pytest.raises(EditRefused, match="MSP id") as raised:
        configupdate.prepare(now, wanted)
    assert raised.value.reason is Reason.BAD_VALUE


def test_two_versions_of_one_msp_are_refused() -> None:
    wanted = config()
    other = organizations.set_membership(
        config(),
        replace(
            channels.organization("DSO"),
            tls_root_certificates=(certificate_pem(keys("Stranger").authority),),
        ),
    ).channel_group.groups["Application"]
    wanted.channel_group.groups["Application"].CopyFrom(other)
    assert reason(wanted) is Reason.BAD_VALUE


@pytest.mark.parametrize(
    "batch",
    [
        Batch(messages=0),
        Batch(preferred_bytes=2_000, absolute_bytes=1_000),
        Batch(absolute_bytes=50 << 20),
    ],
)
def test_batches_no_orderer_or_peer_could_take_are_refused(batch: Batch) -> None:
    assert reason(ordering.set_batch(config(), batch)) is Reason.BAD_VALUE


# Revocation lists


def revocations(
    authority: x509.Certificate, key: ec.EllipticCurvePrivateKey, *, named: bool = True
) -> bytes:
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    one = x509.RevokedCertificateBuilder().serial_number(1).revocation_date(now).build()
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.subject)
        .last_update(now)
        .next_update(now + datetime.timedelta(days=1))
        .add_revoked_certificate(one)
    )
    if named:
        public = authority.public_key()
        assert isinstance(public, ec.EllipticCurvePublicKey)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(public)
        builder = builder.add_extension(identifier, critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


@pytest.fixture(scope="module")
def authority() -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Another CA of the DSO's, with its key in hand."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "second")])
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=True, crl_sign=True,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    start = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=7_000))
        .add_extension(x509.BasicConstraints(True, None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .sign(key, hashes.SHA256())
    )
    return made, key


def with_second(authority: x509.Certificate) -> Config:
    described = channels.organization("DSO")
    roots = (*described.root_certificates, certificate_pem(authority))
    return organizations.set_membership(config(), replace(described, root_certificates=roots))


def test_a_list_by_one_of_the_cas_revokes(
    authority: tuple[x509.Certificate, ec.EllipticCurvePrivateKey],
) -> None:
    revoked = organizations.revoke(with_second(authority[0]), "DSO", [revocations(*authority)])
    assert configupdate.prepare(current(), revoked)
    again = organizations.revoke(revoked, "DSO", [revocations(*authority)[:-1] + b"\n"])
    groups = [again.channel_group.groups[half].groups["DSO"] for half in ("Application", "Orderer")]
    assert groups[0].values["MSP"].value == groups[1].values["MSP"].value


def test_a_list_that_names_no_ca_would_revoke_everybody(
    authority: tuple[x509.Certificate, ec.EllipticCurvePrivateKey],
) -> None:
    nameless = revocations(*authority, named=False)
    wanted = organizations.revoke(with_second(authority[0]), "DSO", [nameless])
    with pytest.raises(EditRefused, match="AuthorityKeyIdentifier") as raised:
        configupdate.prepare(current(), wanted)
    assert raised.value.reason is Reason.BAD_VALUE


def test_a_list_by_a_stranger_would_revoke_nobody(
    authority: tuple[x509.Certificate, ec.EllipticCurvePrivateKey],
) -> None:
    assert reason(organizations.revoke(config(), "DSO", [revocations(*authority)])) is (
        Reason.BAD_VALUE
    )


def test_what_is_no_list_is_refused() -> None:
    assert reason(organizations.revoke(config(), "DSO", [b"nothing"])) is Reason.BAD_VALUE
