# SPDX-License-Identifier: Apache-2.0
"""All organisations of a channel: whose creator it is, and whose signatures count."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from pedchain_fabric.errors import IdentityError, WireError
from pedchain_fabric.wire import der, policy
from pedchain_fabric.wire.certchain import canonical_der
from pedchain_fabric.wire.identity import Identity, certificate_pem
from pedchain_fabric.wire.keys import ORDERS
from pedchain_fabric.wire.msp import Msp, Msps
from tests.unit.fabric.wire import pki
from tests.unit.fabric.wire.organisation import CA, ORG, msp


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
