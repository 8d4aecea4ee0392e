# SPDX-License-Identifier: Apache-2.0
"""A renewed certificate is the old one with a later end."""

import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pedchain_network.errors import RenewalError
from pedchain_network.pki import renewal
from pedchain_network.pki.renewal import Pair

NOW = datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)


def name(text: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "orderer"),
            x509.NameAttribute(NameOID.COMMON_NAME, text),
        ]
    )


def issue(subject: str, days: int, issuer: Pair | None = None) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    signer = renewal._key(issuer.key) if issuer else key
    issued_by = x509.load_pem_x509_certificate(issuer.certificate).subject if issuer else None
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(issued_by or name(subject))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - 10 * DAY)
        .not_valid_after(NOW + days * DAY)
        .add_extension(x509.BasicConstraints(issuer is None, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(subject)]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )
    certificate = builder.sign(signer, hashes.SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Pair(certificate.public_bytes(Encoding.PEM), private)


@pytest.fixture(scope="module")
def authority() -> Pair:
    return issue("ca", 1000)


def load(pair: Pair) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pair.certificate)


@pytest.mark.parametrize("new_key", [False, True])
def test_subject_names_and_uses_stay_and_the_end_is_later(authority: Pair, new_key: bool) -> None:
    old = issue("orderer0.dso.ped", 3, authority)
    new = renewal.renewed(authority, old, NOW, 365, new_key=new_key)
    before, after = load(old), load(new)
    assert after.subject == before.subject
    assert after.not_valid_after_utc == NOW + 365 * DAY
    assert after.serial_number != before.serial_number
    for kind in (x509.SubjectAlternativeName, x509.ExtendedKeyUsage, x509.BasicConstraints):
        old_one = before.extensions.get_extension_for_class(kind)
        assert after.extensions.get_extension_for_class(kind) == old_one
    after.verify_directly_issued_by(load(authority))
    assert renewal.matching(new)
    assert (new.key == old.key) is not new_key
    assert (after.public_key() == before.public_key()) is not new_key


def test_nothing_outlives_its_authority(authority: Pair) -> None:
    new = renewal.renewed(authority, issue("a", 3, authority), NOW, 5000, new_key=False)
    assert load(new).not_valid_after_utc == load(authority).not_valid_after_utc


def test_an_authority_that_has_ended_renews_nothing() -> None:
    ended = issue("ca", -1)
    with pytest.raises(RenewalError, match="ended"):
        renewal.renewed(ended, issue("a", -2, ended), NOW, 10, new_key=False)


def test_another_authority_renews_nothing(authority: Pair) -> None:
    stranger = issue("ca", 1000)
    with pytest.raises(RenewalError, match="did not issue"):
        renewal.renewed(stranger, issue("a", 3, authority), NOW, 10, new_key=False)


def test_a_key_is_told_from_another_and_never_shown(authority: Pair) -> None:
    one, other = issue("a", 3, authority), issue("b", 3, authority)
    assert renewal.matching(one)
    assert not renewal.matching(Pair(one.certificate, other.key))
    assert "PRIVATE" not in repr(one)


def test_days_are_counted_to_the_end(authority: Pair) -> None:
    assert renewal.days_left(issue("a", 3, authority).certificate, NOW) == pytest.approx(3)
    assert renewal.days_left(issue("a", -2, authority).certificate, NOW) == pytest.approx(-2)
