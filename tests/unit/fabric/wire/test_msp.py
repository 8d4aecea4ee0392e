# SPDX-License-Identifier: Apache-2.0
"""Whom an MSP takes for a member, and in which roles: units, chains, usages, revocation, keys."""

import contextlib
import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from fabric_protos.msp.msp_principal_pb2 import MSPIdentityAnonymity, MSPPrincipal
from hypothesis import given
from hypothesis import strategies as st

from pedchain_fabric.errors import IdentityError
from pedchain_fabric.wire import policy
from pedchain_fabric.wire.identity import Identity, certificate_pem
from pedchain_fabric.wire.msp import Msp
from tests.unit.fabric.wire import pki
from tests.unit.fabric.wire.organisation import CA, ORG, is_a, msp, refused, roles

LEAF = CA.issue()


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


# The parser warns of oddities it will one day refuse; a warning is an error in our tests only.
@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@given(st.data())
def test_a_damaged_certificate_raises_identity_errors_only(data):
    body = bytearray(LEAF.pem)
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(30, len(body) - 30))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(IdentityError):
        msp().validate(Identity(ORG, bytes(body)))
