# SPDX-License-Identifier: Apache-2.0
import contextlib
import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from fabric_protos.msp.msp_config_pb2 import FabricOUIdentifier, MSPConfig
from fabric_protos.msp.msp_principal_pb2 import (
    CombinedPrincipal,
    MSPIdentityAnonymity,
    MSPPrincipal,
    OrganizationUnit,
)
from hypothesis import given
from hypothesis import strategies as st

from pedchain_fabric.errors import IdentityError, WireError
from pedchain_fabric.wire import der, policy
from pedchain_fabric.wire.certchain import canonical_der
from pedchain_fabric.wire.identity import Identity, certificate_pem
from pedchain_fabric.wire.keys import ORDERS
from pedchain_fabric.wire.msp import Msp, Msps
from tests.unit.fabric.wire import pki

CA = pki.root()
LEAF = CA.issue()
ORG = "OrgMSP"


def msp(*roots, **options):
    return Msp.from_config(pki.wrapped(pki.msp_config(ORG, *(roots or (CA,)), **options)))


def roles(identity, where=None):
    return set((where or msp()).validate(identity).roles)


def refused(identity, words, where=None):
    with pytest.raises(IdentityError, match=words):
        (where or msp()).validate(identity)


def is_a(role, identity, where=None):
    return (where or msp()).satisfies(identity, policy.principal(ORG, role))


@pytest.mark.parametrize("unit", ["client", "peer", "admin", "orderer"])
def test_the_unit_of_a_certificate_marks_its_role(unit):
    identity = CA.issue(units=[unit, "other"]).identity(ORG)
    assert roles(identity) == {"member", unit}
    assert is_a("member", identity)
    held = {role for role in ("client", "peer", "admin", "orderer") if is_a(role, identity)}
    assert held == {unit}


@pytest.mark.parametrize("units", [[], ["other"], ["client", "peer"], ["peer", "peer"]])
def test_a_certificate_needs_exactly_one_unit_that_marks_a_role(units):
    identity = CA.issue(units=units).identity(ORG)
    refused(identity, "exactly one")
    assert not is_a("member", identity)


def test_without_node_units_there_are_members_and_listed_admins_only():
    admin, other = CA.issue(units=["peer"]), CA.issue(units=["peer"])
    where = msp(enable=False, admins=[admin.pem])
    assert roles(admin.identity(ORG), where) == {"member", "admin"}
    assert roles(other.identity(ORG), where) == {"member"}
    assert is_a("admin", admin.identity(ORG), where)
    assert not any(is_a(role, other.identity(ORG), where) for role in ("admin", "peer", "orderer"))


def test_another_msps_identity_or_principal_does_not_fit():
    identity = CA.issue().identity(ORG)
    refused(CA.issue().identity("Else"), "expected MSP ID")
    assert not msp().satisfies(identity, policy.principal("Else", "member"))


def test_a_certificate_of_an_unknown_ca_is_refused():
    refused(pki.root().issue().identity(ORG), "0 chains")


def test_a_ca_is_no_identity():
    refused(CA.identity(ORG), "CA")


def test_expiry_is_not_judged_but_exposed():
    old = CA.issue(end=pki.START + datetime.timedelta(days=1))
    assert msp().validate(old.identity(ORG)).not_after == pki.START + datetime.timedelta(days=1)


def test_a_leaf_made_before_its_ca_was_valid_is_refused():
    early = CA.issue(start=pki.START - datetime.timedelta(days=1))
    refused(early.identity(ORG), "0 chains")


def test_a_leaf_made_after_its_ca_expired_is_refused():
    late = CA.issue(
        start=pki.END + datetime.timedelta(days=1), end=pki.END + datetime.timedelta(days=9)
    )
    refused(late.identity(ORG), "0 chains")


def test_an_intermediate_ca_certifies_and_its_root_then_no_longer_may():
    middle = CA.issue("middle", [], ca=True)
    where = msp(CA, intermediates=[middle])
    assert roles(middle.issue().identity(ORG), where) == {"member", "client"}
    refused(CA.issue().identity(ORG), "last CA", where)


def test_a_path_length_is_respected():
    short = CA.issue("short", [], ca=True, path_length=0)
    below = short.issue("below", [], ca=True)
    refused(below.issue().identity(ORG), "0 chains", msp(CA, intermediates=[short, below]))
    assert roles(short.issue().identity(ORG), msp(CA, intermediates=[short]))


def test_two_chains_to_trusted_roots_are_one_too_many():
    twin = pki.Authority(pki.root("ca", CA.key).certificate, CA.key)
    refused(CA.issue().identity(ORG), "2 chains", msp(CA, twin))


@pytest.mark.parametrize(
    ("usage", "is_valid"),
    [
        ([ExtendedKeyUsageOID.CLIENT_AUTH], False),
        ([ExtendedKeyUsageOID.SERVER_AUTH], True),
        ([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE], True),
    ],
)
def test_an_extended_usage_must_allow_servers_as_gos_default_wants(usage, is_valid):
    leaf = CA.issue(extensions=[(x509.ExtendedKeyUsage(usage), False)]).identity(ORG)
    if is_valid:
        assert roles(leaf)
    else:
        refused(leaf, "server authentication")


def test_a_critical_extension_nobody_knows_is_refused_an_attribute_one_is_fine():
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5.6.7.8.1"), b"{}")
    refused(CA.issue(extensions=[(unknown, True)]).identity(ORG), "not understood")
    assert roles(CA.issue(extensions=[(unknown, False)]).identity(ORG))


def test_a_ca_limited_to_certain_names_is_not_trusted_a_leaf_may_say_what_it_likes():
    limit = x509.NameConstraints([x509.DNSName("org")], None)
    middle = CA.issue("middle", [], ca=True, extensions=[(limit, True)])
    where = msp(CA, intermediates=[middle])
    refused(middle.issue().identity(ORG), "0 chains", where)
    assert roles(CA.issue(extensions=[(limit, False)]).identity(ORG))


def test_a_ca_that_may_not_sign_certificates_does_not():
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    middle = CA.issue("middle", [], ca=True, extensions=[(usage, True)])
    refused(middle.issue().identity(ORG), "0 chains", msp(CA, intermediates=[middle]))


def test_a_revoked_certificate_is_refused_by_its_serial_number():
    bad, good = CA.issue(), CA.issue()
    where = msp(crls=[pki.crl(CA, bad.certificate.serial_number)])
    refused(bad.identity(ORG), "revoked", where)
    assert roles(good.identity(ORG), where)


def test_a_revocation_list_of_another_ca_or_forged_is_ignored():
    leaf, other = CA.issue(), pki.root("other")
    serial = leaf.certificate.serial_number
    forged = pki.crl(CA, serial, signer=other.key)
    assert roles(leaf.identity(ORG), msp(CA, other, crls=[pki.crl(other, serial), forged]))


def test_a_revocation_list_without_authority_blocks_everyone_as_in_fabric():
    where = msp(CA)
    assert roles(CA.issue().identity(ORG), where)
    with pytest.raises(IdentityError, match="authority"):
        msp(crls=[pki.crl(CA, 1, aki=False)]).validate(CA.issue().identity(ORG))


def test_a_revoked_listed_administrator_stays_one_as_in_fabric():
    admin = CA.issue(units=["admin"])
    crl = pki.crl(CA, admin.certificate.serial_number)
    where = msp(admins=[admin.pem], crls=[crl])
    assert is_a("admin", admin.identity(ORG), where)
    assert not is_a("member", admin.identity(ORG), where)


def mirrored(issued):
    """The same certificate with its signature's other S: other bytes, as valid to OpenSSL."""
    certificate = issued.certificate
    r, s = der.read_signature(certificate.signature)
    other = der.signature(r, ORDERS["secp256r1"] - s)
    body, _ = der.read(certificate.public_bytes(Encoding.DER), der.SEQUENCE)
    _, rest = der.read(body, der.SEQUENCE)
    algorithm, _ = der.read(rest, der.SEQUENCE)
    return x509.load_der_x509_certificate(
        der.sequence(
            certificate.tbs_certificate_bytes,
            der.sequence(algorithm),
            der.encode(der.BIT_STRING, b"\0" + other),
        )
    )


def test_two_encodings_of_one_certificate_are_one_identity():
    member = CA.member(ORG, "peer")
    twin = mirrored(pki.Authority(member.identity.x509, CA.key))
    other = Identity(ORG, certificate_pem(twin))
    assert other.certificate != member.certificate
    assert msp().validate(other).id == msp().validate(member.identity).id
    assert canonical_der(twin, CA.certificate) == canonical_der(
        member.identity.x509, CA.certificate
    )
    claims = [(who.creator, b"m", member.sign(b"m")) for who in (member, other)]
    assert len(Msps({ORG: msp()}).signers(claims)) == 1


def test_ed25519_counts_from_v3_on():
    key = ed25519.Ed25519PrivateKey.generate()
    identity = CA.member(ORG, "client", key=key).identity
    assert roles(identity) == {"member", "client"}
    config = pki.wrapped(pki.msp_config(ORG, CA))
    refused(identity, "Ed25519", Msp.from_config(config, ed25519=False))


def test_an_ed25519_ca_may_certify():
    ca = pki.root("edward", ed25519.Ed25519PrivateKey.generate())
    where = msp(ca)
    assert roles(ca.issue().identity(ORG), where) == {"member", "client"}
    stranger = pki.root("eve", ed25519.Ed25519PrivateKey.generate()).issue()
    refused(stranger.identity(ORG), "0 chains", where)
    nominal = MSPIdentityAnonymity(anonymity_type=MSPIdentityAnonymity.NOMINAL)
    principal = MSPPrincipal(
        principal_classification=MSPPrincipal.ANONYMITY, principal=nominal.SerializeToString()
    )
    assert where.satisfies(stranger.identity(ORG), principal)


def test_an_rsa_member_is_refused():
    builder = x509.CertificateBuilder().subject_name(pki.name("r", ["client"]))
    leaf = (
        builder.issuer_name(CA.certificate.subject)
        .public_key(rsa.generate_private_key(65537, 2048).public_key())
        .serial_number(1)
        .not_valid_before(pki.START)
        .not_valid_after(pki.END)
        .sign(CA.key, x509.load_pem_x509_certificate(CA.pem).signature_hash_algorithm)
    )
    refused(Identity(ORG, certificate_pem(leaf)), "neither")


def test_an_identity_principal_is_exactly_that_certificate():
    one, two = CA.issue().identity(ORG), CA.issue().identity(ORG)
    assert msp().satisfies(one, policy.identity_principal(one))
    assert not msp().satisfies(two, policy.identity_principal(one))
    stranger = pki.root().issue().identity(ORG)
    assert not msp().satisfies(one, policy.identity_principal(stranger))


def unit_principal(unit, certifiers, msp_id=ORG):
    content = OrganizationUnit(
        msp_identifier=msp_id,
        organizational_unit_identifier=unit,
        certifiers_identifier=certifiers,
    )
    return MSPPrincipal(
        principal_classification=MSPPrincipal.ORGANIZATION_UNIT,
        principal=content.SerializeToString(),
    )


def test_a_unit_principal_names_the_unit_and_the_chain_that_certified_it():
    identity = CA.issue(units=["client", "billing"]).identity(ORG)
    certifiers = msp().resolve(identity).certifiers
    assert msp().satisfies(identity, unit_principal("billing", certifiers))
    assert not msp().satisfies(identity, unit_principal("sales", certifiers))
    assert not msp().satisfies(identity, unit_principal("billing", b"other"))
    assert not msp().satisfies(identity, unit_principal("billing", certifiers, "Else"))


def combined(*parts):
    return MSPPrincipal(
        principal_classification=MSPPrincipal.COMBINED,
        principal=CombinedPrincipal(principals=parts).SerializeToString(),
    )


def test_a_combined_principal_wants_all_its_parts():
    identity = CA.issue(units=["peer"]).identity(ORG)
    member, peer, admin = (policy.principal(ORG, role) for role in ("member", "peer", "admin"))
    assert msp().satisfies(identity, combined(member, combined(peer)))
    assert not msp().satisfies(identity, combined(member, admin))
    assert not msp().satisfies(identity, combined())
    deep = member
    for _ in range(40):
        deep = combined(deep)
    assert not msp().satisfies(identity, deep)


@given(st.integers(0, 5), st.binary(max_size=40))
def test_a_garbled_principal_is_satisfied_by_nobody(kind, content):
    principal = MSPPrincipal(principal_classification=kind, principal=content)
    identity = CA.issue().identity(ORG)
    nominal = kind == MSPPrincipal.ANONYMITY
    assert nominal or not msp().satisfies(identity, principal)


def test_units_bound_to_a_ca_count_only_from_it():
    one, two = pki.root("one"), pki.root("two")
    where = msp(one, two, certifier=one.pem)
    assert roles(one.issue().identity(ORG), where)
    refused(two.issue().identity(ORG), "another CA", where)


def test_an_msp_may_take_only_certain_units():
    config = pki.msp_config(ORG, CA)
    config.organizational_unit_identifiers.append(
        FabricOUIdentifier(certificate=CA.pem, organizational_unit_identifier="billing")
    )
    where = Msp.from_config(pki.wrapped(config))
    assert roles(CA.issue(units=["client", "billing"]).identity(ORG), where)
    refused(CA.issue(units=["client"]).identity(ORG), "belong", where)


def changed(**fields):
    config = pki.msp_config(ORG, CA)
    for name, value in fields.items():
        getattr(config, name).extend(value)
    return config


def test_a_configuration_fabric_refuses_is_a_wire_error():
    stranger, leaf = pki.root("stranger"), CA.issue()
    no_roots = pki.msp_config(ORG)
    no_admins = pki.msp_config(ORG, CA, enable=False)
    sha3 = pki.msp_config(ORG, CA)
    sha3.crypto_config.signature_hash_family = "SHA3"
    strange_hash = pki.msp_config(ORG, CA, certifier=CA.pem)
    strange_hash.crypto_config.identity_identifier_hash_function = "MD5"
    cases = [
        no_roots,
        no_admins,
        sha3,
        strange_hash,
        changed(root_certs=[b"garbage"]),
        changed(root_certs=[leaf.pem]),
        changed(intermediate_certs=[stranger.issue("m", [], ca=True).pem]),
        changed(tls_root_certs=[leaf.pem]),
        changed(revocation_list=[b"garbage"]),
        changed(admins=[CA.issue(units=["peer"]).pem]),
        changed(admins=[stranger.issue(units=["admin"]).pem]),
        pki.msp_config(ORG, CA, certifier=stranger.pem),
        pki.msp_config(ORG, pki.root(ski=False)),
    ]
    for config in cases:
        with pytest.raises(WireError):
            Msp.from_config(pki.wrapped(config))
    with pytest.raises(WireError, match=r"X\.509"):
        Msp.from_config(MSPConfig(type=1))


@given(st.binary(max_size=100))
def test_a_garbled_configuration_raises_wire_errors_only(data):
    with pytest.raises(WireError):
        Msp.from_config(MSPConfig(config=data))


def test_msps_find_the_organisation_of_a_creator():
    other_ca = pki.root("other")
    other = Msp.from_config(pki.wrapped(pki.msp_config("ElseMSP", other_ca)))
    msps = Msps({ORG: msp(), "ElseMSP": other})
    assert msps.ids == ("ElseMSP", ORG)
    member = other_ca.member("ElseMSP", "peer")
    found = msps.validate(member.creator)
    assert (found.msp_id, set(found.roles)) == ("ElseMSP", {"member", "peer"})
    assert msps.satisfies(found, policy.principal("ElseMSP", "peer"))
    assert not msps.satisfies(found, policy.principal(ORG, "peer"))
    with pytest.raises(IdentityError, match="not defined"):
        msps.validate(member.identity.__class__("Nope", member.certificate).creator)
    with pytest.raises(WireError):
        msps.validate(b"\xff")


def test_signers_leaves_out_what_does_not_verify_and_counts_each_once():
    one, two = CA.member(ORG, "peer"), CA.member(ORG, "client")
    stranger = pki.root().member(ORG, "peer")
    msps = Msps({ORG: msp()})
    claims = [
        (one.creator, b"m", two.sign(b"m")),
        (one.creator, b"m", one.sign(b"m")),
        (one.creator, b"m", one.sign(b"m")),
        (stranger.creator, b"m", stranger.sign(b"m")),
        (b"\xff", b"m", b"s"),
        (two.creator, b"m", two.sign(b"m")),
    ]
    assert msps.signers(claims) == [one.identity, two.identity]


def test_a_false_signature_first_does_not_hide_the_true_one():
    one = CA.member(ORG, "peer")
    claims = [(one.creator, b"m", b"bad"), (one.creator, b"m", one.sign(b"m"))]
    assert Msps({ORG: msp()}).signers(claims) == [one.identity]


# The parser warns of oddities it will one day refuse; a warning is an error in our tests only.
@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@given(st.data())
def test_a_damaged_certificate_raises_identity_errors_only(data):
    body = bytearray(LEAF.pem)
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(30, len(body) - 30))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(IdentityError):
        msp().validate(Identity(ORG, bytes(body)))
