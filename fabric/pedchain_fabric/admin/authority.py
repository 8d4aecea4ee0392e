# SPDX-License-Identifier: Apache-2.0
"""Certificate authorities: one signs an organisation's identities, another its TLS certificates.

Two, because a TLS certificate must never pass for a member: only the first is in the MSP's roots.
"""

import datetime
import ipaddress
import json
from collections.abc import Mapping, Sequence
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

from pedchain_fabric.admin.limits import BACKDATE_S

_ATTRIBUTES = x509.ObjectIdentifier("1.2.3.4.5.6.7.8.1")
BOTH_ENDS = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
"""What a TLS certificate of ours may be used for: nodes are servers and clients of each other."""


@dataclass(frozen=True, slots=True)
class Credential:
    """A certificate and its private key, both PEM."""

    certificate: bytes
    key: bytes

    def __repr__(self) -> str:
        """Never shows the key."""
        return "Credential(...)"


class Authority:
    """A CA with its key in hand. `now` is when its certificates begin; none outlives it."""

    def __init__(self, credential: Credential, now: datetime.datetime) -> None:
        self.credential = credential
        self._certificate = x509.load_pem_x509_certificate(credential.certificate)
        self._key = load_key(credential.key)
        self._now = now

    @classmethod
    def create(
        cls, name: str, organization: str, now: datetime.datetime, *, days: int
    ) -> "Authority":
        """A new self-signed CA."""
        key = new_key()
        named = subject(name, organization)
        end = now + datetime.timedelta(days=days)
        builder = (
            _builder(named, named, key.public_key(), now, end)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(sign_certificates=True), critical=True)
        )
        return cls(_credential(builder.sign(key, hashes.SHA256()), key), now)

    def member(
        self,
        name: str,
        organization: str,
        role: str,
        *,
        days: int,
        key: ec.EllipticCurvePrivateKey | None = None,
        attributes: Mapping[str, str] | None = None,
    ) -> Credential:
        """An identity, of a new key unless one is given; its organisational unit is its role in
        the MSP (`peer`, `client`...). Contracts can ask for its `attributes`, which stand in the
        certificate as Fabric CA writes them (lib/attrmgr)."""
        own = key or new_key()
        named = subject(name, organization, role)
        builder = self._leaf(named, own.public_key(), days)
        if attributes:
            content = json.dumps({"attrs": dict(attributes)}, sort_keys=True).encode()
            extension = x509.UnrecognizedExtension(_ATTRIBUTES, content)
            builder = builder.add_extension(extension, critical=False)
        return _credential(self._issue(builder), own)

    def tls(
        self,
        name: str,
        organization: str,
        hosts: Sequence[str],
        *,
        days: int,
        key: ec.EllipticCurvePrivateKey | None = None,
    ) -> Credential:
        """A TLS certificate for both ends of a connection, valid for `hosts` (names or IPs)."""
        own = key or new_key()
        builder = (
            self._leaf(subject(name, organization), own.public_key(), days)
            .add_extension(x509.ExtendedKeyUsage(BOTH_ENDS), critical=False)
            .add_extension(alternative_names(hosts), critical=False)
        )
        return _credential(self._issue(builder), own)

    def _leaf(
        self, named: x509.Name, public: ec.EllipticCurvePublicKey, days: int
    ) -> x509.CertificateBuilder:
        end = min(self._now + datetime.timedelta(days=days), self._certificate.not_valid_after_utc)
        return _builder(named, self._certificate.subject, public, self._now, end)

    def _issue(self, builder: x509.CertificateBuilder) -> x509.Certificate:
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return (
            builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(sign_certificates=False), critical=True)
            .add_extension(issuer, critical=False)
            .sign(self._key, hashes.SHA256())
        )


def new_key() -> ec.EllipticCurvePrivateKey:
    """A P-256 key, the only curve our hardware tokens and all Fabric clients share."""
    return ec.generate_private_key(ec.SECP256R1())


def load_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    """The key in a PEM text. Raises `ValueError` if it is none, or of another kind."""
    key = load_pem_private_key(pem, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("not an elliptic curve key")
    return key


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The key as PKCS #8, unencrypted: whoever writes it down guards the file."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def subject(name: str, organization: str, unit: str = "") -> x509.Name:
    """The subject of a certificate of ours; the unit is a member's role, and TLS has none."""
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization)]
    if unit:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit))
    parts.append(x509.NameAttribute(NameOID.COMMON_NAME, name))
    return x509.Name(parts)


def alternative_names(hosts: Sequence[str]) -> x509.SubjectAlternativeName:
    """The hosts a TLS certificate is valid for, as names or addresses."""
    return x509.SubjectAlternativeName([_host(host) for host in hosts])


def _builder(
    named: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    now: datetime.datetime,
    end: datetime.datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(seconds=BACKDATE_S))
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


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
    return Credential(certificate.public_bytes(Encoding.PEM), key_pem(key))
