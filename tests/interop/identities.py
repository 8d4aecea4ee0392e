# SPDX-License-Identifier: Apache-2.0
"""Users with keys of other kinds than the network's own, certified by their organisation's CA."""

import datetime
import json
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from tests.scenarios.harness import Network

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
USER: Final = "guest"
_DAY: Final = datetime.timedelta(days=1)


def new_key(kind: str) -> PrivateKey:
    """A key: P-384 or Ed25519."""
    if kind == "Ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(ec.SECP384R1())


def profile(network: Network, organization: str, key: PrivateKey, folder: Path) -> Path:
    """The organisation's profile with one user more, `guest`, of this key."""
    known = json.loads(network.run("profile", organization).stdout)
    authority = network.state / "crypto" / organization / "ca"
    certificate, private = folder / "cert.pem", folder / "key.pem"
    certificate.write_bytes(_issued(authority, organization, key).public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    known["users"][USER] = {"certificate": str(certificate), "key": str(private)}
    made = folder / "profile.json"
    made.write_text(json.dumps(known))
    return made


def _issued(authority: Path, organization: str, key: PrivateKey) -> x509.Certificate:
    issuer = x509.load_pem_x509_certificate((authority / "cert.pem").read_bytes())
    signer = load_pem_private_key((authority / "key.pem").read_bytes(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    now = datetime.datetime.now(datetime.UTC)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "client"),
            x509.NameAttribute(NameOID.COMMON_NAME, USER),
        ]
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(issuer.not_valid_before_utc)  # Fabric looks whether both were valid then
        .not_valid_after(now + _DAY)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
        .sign(signer, hashes.SHA256())
    )
