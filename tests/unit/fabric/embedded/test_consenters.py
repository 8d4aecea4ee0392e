# SPDX-License-Identifier: Apache-2.0
"""Which consenter an orderer is, is told by its key."""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from pedchain_fabric.embedded.orderer.consensus import same_key

NOW = datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC)


def certificate(key: ec.EllipticCurvePrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "orderer0")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW)
        .not_valid_after(NOW + datetime.timedelta(days=1))
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def test_a_renewed_certificate_of_the_same_key_is_the_same_consenter() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    assert same_key(certificate(key), certificate(key))


def test_another_key_is_another_consenter_whatever_its_name() -> None:
    one, other = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    assert not same_key(certificate(one), certificate(other))


def test_what_cannot_be_read_is_nobody() -> None:
    assert not same_key(b"", b"")
    assert not same_key(certificate(ec.generate_private_key(ec.SECP256R1())), b"no certificate")
