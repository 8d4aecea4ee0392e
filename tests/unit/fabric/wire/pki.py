# SPDX-License-Identifier: Apache-2.0
"""Certificates for tests, with any one property made wrong at will."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from fabric_protos.msp.msp_config_pb2 import (
    FabricMSPConfig,
    FabricNodeOUs,
    FabricOUIdentifier,
    MSPConfig,
)

from pedchain_fabric.wire.identity import Identity, SigningIdentity, certificate_pem
from pedchain_fabric.wire.keys import Ed25519Signer, P256Signer

START = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
END = datetime.datetime(2034, 1, 1, tzinfo=datetime.UTC)
Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def p256() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def name(common_name: str, units: Sequence[str] = ()) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit) for unit in units]
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name), *attributes])


@dataclass(frozen=True)
class Authority:
    """A CA with its key."""

    certificate: x509.Certificate
    key: Key = field(repr=False)

    @property
    def pem(self) -> bytes:
        return certificate_pem(self.certificate)

    def issue(
        self,
        common_name: str = "someone",
        units: Sequence[str] = ("client",),
        *,
        key: Key | None = None,
        extensions: Sequence[tuple[x509.ExtensionType, bool]] = (),
        start: datetime.datetime = START,
        end: datetime.datetime = END,
        ca: bool = False,
        path_length: int | None = None,
    ) -> "Authority":
        """A certificate below this CA: a leaf, or with `ca` another CA."""
        key = key or p256()
        builder = _builder(name(common_name, units), self.certificate.subject, key, start, end)
        builder = builder.add_extension(
            x509.BasicConstraints(ca, path_length if ca else None), True
        )
        if ca:
            builder = builder.add_extension(_ski(key), False)
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return Authority(_sign(builder, self.key), key)

    def member(self, msp_id: str, *units: str, key: Key | None = None) -> SigningIdentity:
        """A signing identity certified by this CA."""
        issued = self.issue(units=units or ("client",), key=key)
        return issued.signing_identity(msp_id)

    def signing_identity(self, msp_id: str) -> SigningIdentity:
        if isinstance(self.key, ed25519.Ed25519PrivateKey):
            return SigningIdentity(msp_id, self.pem, Ed25519Signer(self.key))
        return SigningIdentity(msp_id, self.pem, P256Signer(self.key))

    def identity(self, msp_id: str) -> Identity:
        return Identity(msp_id, self.pem)


def root(common_name: str = "ca", key: Key | None = None, *, ski: bool = True) -> Authority:
    """A self-signed CA."""
    key = key or p256()
    subject = name(common_name)
    builder = _builder(subject, subject, key, START, END)
    builder = builder.add_extension(x509.BasicConstraints(True, None), True)
    if ski:
        builder = builder.add_extension(_ski(key), False)
    return Authority(_sign(builder, key), key)


def _ski(key: Key) -> x509.SubjectKeyIdentifier:
    return x509.SubjectKeyIdentifier.from_public_key(key.public_key())


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: Key,
    start: datetime.datetime,
    end: datetime.datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )


def _sign(builder: x509.CertificateBuilder, key: Key) -> x509.Certificate:
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(key, algorithm)


def crl(authority: Authority, *serials: int, aki: bool = True, signer: Key | None = None) -> bytes:
    """A revocation list in PEM."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(START)
        .next_update(END)
    )
    for serial in serials:
        revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(START)
        builder = builder.add_revoked_certificate(revoked.build())
    if aki:
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
        builder = builder.add_extension(identifier, False)
    return builder.sign(signer or authority.key, hashes.SHA256()).public_bytes(Encoding.PEM)


def msp_config(
    msp_id: str,
    *roots: Authority,
    intermediates: Sequence[Authority] = (),
    admins: Sequence[bytes] = (),
    crls: Sequence[bytes] = (),
    units: Sequence[str] = ("client", "peer", "admin", "orderer"),
    enable: bool = True,
    certifier: bytes = b"",
) -> FabricMSPConfig:
    """An organisation's configuration, to be changed before `wrapped`."""
    ous = FabricNodeOUs(enable=enable)
    for unit in units:
        identifier = FabricOUIdentifier(certificate=certifier, organizational_unit_identifier=unit)
        getattr(ous, f"{unit}_ou_identifier").CopyFrom(identifier)
    return FabricMSPConfig(
        name=msp_id,
        root_certs=[each.pem for each in roots],
        intermediate_certs=[each.pem for each in intermediates],
        admins=admins,
        revocation_list=crls,
        fabric_node_ous=ous,
    )


def wrapped(config: FabricMSPConfig) -> MSPConfig:
    return MSPConfig(type=0, config=config.SerializeToString())
