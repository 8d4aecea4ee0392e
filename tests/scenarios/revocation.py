# SPDX-License-Identifier: Apache-2.0
"""An organisation takes a certificate of its own back, by a list on the channel."""

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from fabric_protos.common.common_pb2 import CONFIG_UPDATE, Envelope, SignatureHeader
from fabric_protos.common.configtx_pb2 import (
    Config,
    ConfigGroup,
    ConfigSignature,
    ConfigUpdate,
    ConfigUpdateEnvelope,
)
from fabric_protos.msp.msp_config_pb2 import FabricMSPConfig, MSPConfig

from pedchain_fabric.wire.identity import SigningIdentity
from pedchain_fabric.wire.proposal import new_nonce
from tests.parity.target import CHANNEL, envelope

#: An organisation's MSP stands in both, and both must say the same.
_GROUPS = ("Application", "Orderer")


def revoked(authority: Path, certificate: bytes) -> bytes:
    """A revocation list of the CA in this folder, with one certificate on it (all PEM)."""
    issuer = x509.load_pem_x509_certificate((authority / "cert.pem").read_bytes())
    key = load_pem_private_key((authority / "key.pem").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    now = datetime.datetime.now(datetime.UTC)
    entry = (
        x509.RevokedCertificateBuilder()
        .serial_number(x509.load_pem_x509_certificate(certificate).serial_number)
        .revocation_date(now)
        .build()
    )
    above = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    made = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(now - datetime.timedelta(minutes=5))
        .next_update(now + datetime.timedelta(days=30))
        .add_revoked_certificate(entry)
        .add_extension(above, critical=False)
        .add_extension(x509.CRLNumber(1), critical=False)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM)


def update(config: Config, organization: str, crl: bytes, admin: SigningIdentity) -> Envelope:
    """The configuration update that puts the list into the organisation's MSP."""
    change = ConfigUpdate(channel_id=CHANNEL)
    root = config.channel_group
    change.read_set.version = change.write_set.version = root.version
    for name in _GROUPS:
        whole = root.groups[name].groups[organization]
        for target in (change.read_set, change.write_set):
            target.groups[name].version = root.groups[name].version
            target.groups[name].groups[organization].version = whole.version
        _put_list(change.write_set.groups[name].groups[organization], whole, crl)
    signed = change.SerializeToString()
    header = SignatureHeader(creator=admin.creator, nonce=new_nonce()).SerializeToString()
    signature = ConfigSignature(signature_header=header, signature=admin.sign(header + signed))
    document = ConfigUpdateEnvelope(config_update=signed, signatures=[signature])
    return envelope(admin, document, CONFIG_UPDATE)


def _put_list(target: ConfigGroup, whole: ConfigGroup, crl: bytes) -> None:
    value = whole.values["MSP"]
    msp = MSPConfig.FromString(value.value)
    fabric = FabricMSPConfig.FromString(msp.config)
    fabric.revocation_list.append(crl)
    msp.config = fabric.SerializeToString(deterministic=True)
    changed = target.values["MSP"]
    changed.version = value.version + 1
    changed.mod_policy = value.mod_policy
    changed.value = msp.SerializeToString(deterministic=True)
