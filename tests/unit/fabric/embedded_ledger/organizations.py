# SPDX-License-Identifier: Apache-2.0
"""Organisations for tests: a CA each, identities told apart by organisational unit."""

import datetime
from dataclasses import dataclass
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fabric_protos.msp.msp_config_pb2 import (
    FabricCryptoConfig,
    FabricMSPConfig,
    FabricNodeOUs,
    FabricOUIdentifier,
    MSPConfig,
)

from pedchain_fabric.wire.identity import SigningIdentity, certificate_pem
from pedchain_fabric.wire.keys import P256Signer

START = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
END = datetime.datetime(2044, 1, 1, tzinfo=datetime.UTC)


@dataclass(frozen=True)
class Organization:
    """A member of the consortium, with one identity of each kind."""

    name: str
    authority: x509.Certificate
    peer: SigningIdentity
    orderer: SigningIdentity
    admin: SigningIdentity
    client: SigningIdentity

    @property
    def msp_id(self) -> str:
        return f"{self.name}MSP"

    @property
    def msp(self) -> MSPConfig:
        """The membership rules as the channel configuration holds them."""

        def unit(name: str) -> FabricOUIdentifier:
            return FabricOUIdentifier(organizational_unit_identifier=name)

        config = FabricMSPConfig(
            name=self.msp_id,
            root_certs=[certificate_pem(self.authority)],
            crypto_config=FabricCryptoConfig(
                signature_hash_family="SHA2", identity_identifier_hash_function="SHA256"
            ),
            fabric_node_ous=FabricNodeOUs(
                enable=True,
                client_ou_identifier=unit("client"),
                peer_ou_identifier=unit("peer"),
                admin_ou_identifier=unit("admin"),
                orderer_ou_identifier=unit("orderer"),
            ),
        )
        return MSPConfig(type=0, config=config.SerializeToString())


@cache
def organization(name: str) -> Organization:
    """The organisation of this name; made once per process, keys are slow."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"ca.{name}")])
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=True, crl_sign=True,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    authority = (
        _builder(subject, subject, key.public_key())
        .add_extension(x509.BasicConstraints(True, None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .sign(key, hashes.SHA256())
    )
    members = [
        _member(name, unit, key, authority) for unit in ("peer", "orderer", "admin", "client")
    ]
    return Organization(name, authority, *members)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(START)
        .not_valid_after(END)
    )


def _member(
    name: str, unit: str, issuer_key: ec.EllipticCurvePrivateKey, issuer: x509.Certificate
) -> SigningIdentity:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, f"{unit}.{name}"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
        ]
    )
    above = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    certificate = (
        _builder(subject, issuer.subject, key.public_key())
        .add_extension(x509.BasicConstraints(False, None), critical=True)
        .add_extension(above, critical=False)
        .sign(issuer_key, hashes.SHA256())
    )
    return SigningIdentity(f"{name}MSP", certificate_pem(certificate), P256Signer(key))
