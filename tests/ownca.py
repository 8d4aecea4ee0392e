# SPDX-License-Identifier: Apache-2.0
"""An organisation's own CA, as somebody else's software would be: root, intermediate, answers."""

import datetime
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0)


@dataclass
class OwnCa:
    """A root and the intermediate that signs; `days` is how long leaves live."""

    name: str
    days: int = 200
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    root_key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def __post_init__(self) -> None:
        self.root = self.authority(f"root {self.name}", self.root_key, f"root {self.name}", 1)
        self.intermediate = self.authority(f"sub {self.name}", self.key, f"root {self.name}", 0)

    def authority(
        self, name: str, key: ec.EllipticCurvePrivateKey, issuer: str, depth: int
    ) -> x509.Certificate:
        basic = x509.BasicConstraints(ca=True, path_length=depth)
        return (
            begun(named(name), named(issuer), key.public_key(), 1_000)
            .add_extension(basic, critical=True)
            .add_extension(usage(signs=True), critical=True)
            .sign(self.root_key, hashes.SHA256())
        )

    @property
    def bundle(self) -> bytes:
        """The root first."""
        return pem(self.root) + pem(self.intermediate)

    def sign(self, request: x509.CertificateSigningRequest, **other: object) -> x509.Certificate:
        """The answer to a request. `subject`, `hosts`, `uses`, `public` replace what it asks."""
        subject = other.get("subject", request.subject)
        public = other.get("public", request.public_key())
        assert isinstance(subject, x509.Name)
        assert isinstance(public, ec.EllipticCurvePublicKey)
        builder = begun(subject, self.intermediate.subject, public, self.days)
        basic = x509.BasicConstraints(ca=bool(other.get("ca")), path_length=None)
        builder = builder.add_extension(basic, critical=True)
        for extension in request.extensions:
            value = extension.value
            if isinstance(value, x509.SubjectAlternativeName) and "hosts" in other:
                hosts = other["hosts"]
                assert isinstance(hosts, x509.SubjectAlternativeName)
                value = hosts
            if isinstance(value, x509.ExtendedKeyUsage) and "uses" in other:
                uses = other["uses"]
                assert isinstance(uses, x509.ExtendedKeyUsage)
                value = uses
            builder = builder.add_extension(value, critical=False)
        return builder.sign(self.key, hashes.SHA256())


def answer(requests: Path, answers: Path, members: OwnCa, tls: OwnCa) -> None:
    """Sign every request in a directory: those without hosts are members'."""
    answers.mkdir(exist_ok=True)
    (answers / "ca.pem").write_bytes(members.bundle)
    (answers / "tlsca.pem").write_bytes(tls.bundle)
    for path in requests.glob("*.csr"):
        request = x509.load_pem_x509_csr(path.read_bytes())
        authority = tls if len(list(request.extensions)) else members
        (answers / f"{path.stem}.pem").write_bytes(pem(authority.sign(request)))


def begun(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - datetime.timedelta(minutes=5))
        .not_valid_after(now() + datetime.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def named(name: str, unit: str = "") -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    if unit:
        parts.insert(0, x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit))
    return x509.Name(parts)


def usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)
