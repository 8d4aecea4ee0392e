# SPDX-License-Identifier: Apache-2.0
"""A certificate's successor: the same subject, names and uses, a later end. Pure.

With the same key nobody who knows a node by its key has to be told (from Fabric 3.1.2 on, orderers
compare keys); with a new one, the channel's configuration must name an orderer's certificate first.
"""

import datetime
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from pedchain_network.errors import RenewalError
from pedchain_network.limits import BACKDATE_S

_OWN = (x509.SubjectKeyIdentifier.oid, x509.AuthorityKeyIdentifier.oid)


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes

    def __repr__(self) -> str:
        """Never shows the key."""
        return "Pair(...)"


def days_left(certificate: bytes, now: datetime.datetime) -> float:
    """Until the PEM certificate ends; negative if it has."""
    end = x509.load_pem_x509_certificate(certificate).not_valid_after_utc
    return (end - now) / datetime.timedelta(days=1)


def days_of(certificate: bytes) -> float:
    """How long it was issued for."""
    found = x509.load_pem_x509_certificate(certificate)
    return (found.not_valid_after_utc - found.not_valid_before_utc) / datetime.timedelta(days=1)


def issued_by(certificate: bytes, authority: bytes) -> bool:
    """Did this very CA sign it."""
    found = x509.load_pem_x509_certificate(certificate)
    try:
        found.verify_directly_issued_by(x509.load_pem_x509_certificate(authority))
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def renewed(
    authority: Pair, old: Pair, now: datetime.datetime, days: int, *, new_key: bool
) -> Pair:
    """The successor of `old`, valid for `days` but never longer than its CA.

    Raises `RenewalError` if the CA is not the one of `old`, or has no day left itself.
    """
    issuer = x509.load_pem_x509_certificate(authority.certificate)
    before = x509.load_pem_x509_certificate(old.certificate)
    if not issued_by(old.certificate, authority.certificate):
        raise RenewalError(
            f"{issuer.subject.rfc4514_string()} did not issue {before.subject.rfc4514_string()}",
            "have it renewed by its own CA",
        )
    end = min(now + datetime.timedelta(days=days), issuer.not_valid_after_utc)
    if end <= now:
        raise RenewalError(
            f"{issuer.subject.rfc4514_string()} has itself ended {end:%Y-%m-%d}",
            "the organisation needs a new CA: ped-network org",
        )
    key = ec.generate_private_key(ec.SECP256R1()) if new_key else _key(old.key)
    builder = (
        x509.CertificateBuilder()
        .subject_name(before.subject)
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(max(_begin(now), issuer.not_valid_before_utc))
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(_key(authority.key).public_key()),
            critical=False,
        )
    )
    for extension in before.extensions:
        if extension.oid not in _OWN:
            builder = builder.add_extension(extension.value, critical=extension.critical)
    certificate = builder.sign(_key(authority.key), hashes.SHA256())
    return Pair(
        certificate.public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )


def matching(pair: Pair) -> bool:
    """Is it the certificate's key."""
    certified = x509.load_pem_x509_certificate(pair.certificate).public_key()
    return _spki(certified) == _spki(_key(pair.key).public_key())


def _spki(key: object) -> bytes:
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise RenewalError("a certificate's key is not an elliptic curve key")
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _begin(now: datetime.datetime) -> datetime.datetime:
    return now - datetime.timedelta(seconds=BACKDATE_S)


def _key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError) as error:
        raise RenewalError("a private key cannot be read") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise RenewalError("a private key is not an elliptic curve key")
    return key
