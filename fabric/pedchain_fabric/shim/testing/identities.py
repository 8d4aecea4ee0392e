# SPDX-License-Identifier: Apache-2.0
"""Clients for tests: the same bytes on every run, so that write sets can be compared."""

import datetime
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from pedchain_fabric.shim.clientidentity import ATTRIBUTES_OID
from pedchain_fabric.wire.identity import Identity, certificate_pem

_FROM = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
_UNTIL = datetime.datetime(2120, 1, 1, tzinfo=datetime.UTC)


def creator(
    msp_id: str,
    name: str = "user",
    ous: Sequence[str] = ("client",),
    attributes: Mapping[str, str] | None = None,
) -> bytes:
    """A `SerializedIdentity` whose certificate names these OUs and attributes.

    Self-signed with a key derived from its name: no MSP would accept it.
    """
    return _creator(msp_id, name, tuple(ous), tuple(sorted((attributes or {}).items())))


@cache
def _creator(
    msp_id: str, name: str, ous: tuple[str, ...], attributes: tuple[tuple[str, str], ...]
) -> bytes:
    seed = hashlib.sha256(f"{msp_id}/{name}".encode()).digest()
    key = Ed25519PrivateKey.from_private_bytes(seed)
    subject = x509.Name(
        [
            *(x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, ou) for ou in ous),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"ca.{msp_id}")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(seed[:8]) >> 1 or 1)
        .not_valid_before(_FROM)
        .not_valid_after(_UNTIL)
    )
    if attributes:
        content = json.dumps({"attrs": dict(attributes)}).encode()
        extension = x509.UnrecognizedExtension(ATTRIBUTES_OID, content)
        builder = builder.add_extension(extension, critical=False)
    return Identity(msp_id, certificate_pem(builder.sign(key, None))).creator
