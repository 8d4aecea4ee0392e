# SPDX-License-Identifier: Apache-2.0
"""Certificate authorities: one signs an organisation's identities, another its TLS certificates.

Two, because a TLS certificate must never pass for a member: only the first is in the MSP's roots.
"""

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pedchain_network.limits import BACKDATE_S, CERTIFICATE_DAYS


@dataclass(frozen=True, slots=True)
class Credential:
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes

    def __repr__(self) -> str:
        """Never shows the key."""
        return "Credential(...)"


class Authority:
    """A CA with its key in hand. `now` is when its certificates begin."""

    def __init__(self, credential: Credential, now: datetime.datetime) -> None:
        self.credential = credential
        self._certificate = x509.load_pem_x509_certificate(credential.certificate)
        key = load_pem_private_key(credential.key, None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError("the authority's key is not an elliptic curve key")
        self._key = key
        self._now = now

    @classmethod
    def create(cls, name: str, organization: str, now: datetime.datetime) -> "Authority":
        """A new self-signed CA."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _subject(name, organization)
        builder = (
            _builder(subject, subject, key, now)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(sign_certificates=True), critical=True)
        )
        return cls(_credential(builder.sign(key, hashes.SHA256()), key), now)

    def member(self, name: str, organization: str, role: str) -> Credential:
        """An identity; its organisational unit is its role in the MSP (`peer`, `client`...)."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _subject(name, organization, role)
        return self._issue(_builder(subject, self._certificate.subject, key, self._now), key)

    def tls(self, name: str, organization: str, hosts: Sequence[str]) -> Credential:
        """A TLS certificate for both ends of a connection, valid for `hosts` (names or IPs)."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _subject(name, organization)
        both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = (
            _builder(subject, self._certificate.subject, key, self._now)
            .add_extension(x509.ExtendedKeyUsage(both), critical=False)
            .add_extension(
                x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False
            )
        )
        return self._issue(builder, key)

    def _issue(
        self, builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey
    ) -> Credential:
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        certificate = (
            builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(sign_certificates=False), critical=True)
            .add_extension(issuer, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return _credential(certificate, key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime.datetime
) -> x509.CertificateBuilder:
    public = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(seconds=BACKDATE_S))
        .not_valid_after(now + datetime.timedelta(days=CERTIFICATE_DAYS))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _subject(name: str, organization: str, unit: str = "") -> x509.Name:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)]
    if unit:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit))
    parts.append(x509.NameAttribute(NameOID.COMMON_NAME, name))
    return x509.Name(parts)


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _credential(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Credential:
    return Credential(
        certificate.public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )
