# SPDX-License-Identifier: Apache-2.0
"""Members and devices that ask to be let in: keys, identities, documents they sign."""

import hashlib
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from pedchain_domain import canonical, der, members, onboarding, signed
from tests.unit.chaincode.district import DAY, OBIS, START, salt

Document = dict[str, Any]
BEGIN = START - 20 * DAY


def key_of(name: str) -> ec.EllipticCurvePrivateKey:
    digest = hashlib.sha256(f"person {name}".encode()).digest()
    return ec.derive_private_key(int.from_bytes(digest[:31], "big"), ec.SECP256R1())


def key_document(key: ec.EllipticCurvePrivateKey) -> Document:
    return {"alg": "ES256", "spki": der.spki_hex(key.public_key())}


def with_signature(
    body: Document, key: ec.EllipticCurvePrivateKey, channel: str = "ped", network: str = "pedchain"
) -> Document:
    """The body signed for a ledger; the same bytes on every run (RFC 6979)."""
    message = signed.message(body, network=network, channel=channel, contract=onboarding.CONTRACT)
    signature = key.sign(message, ec.ECDSA(SHA256(), deterministic_signing=True))
    return {**body, "signature": signature.hex()}


def identity(name: str) -> Document:
    return {"schema": "identity/1", "salt": salt(hash_of(name)).hex(), "name": name}


def hash_of(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")


def membership(name: str, **changes: Any) -> Document:
    body = {
        "schema": "membership/1",
        "district": "DistrictA",
        "key": key_document(key_of(name)),
        "identity": members.identity_digest(identity(name)),
        "from": BEGIN,
        **changes,
    }
    return with_signature(body, key_of(name))


def occupancy(name: str, member: str, site: str, begun: int, to: int | None = None) -> Document:
    body = {
        "schema": "occupancy/1",
        "district": "DistrictA",
        "member": member,
        "site": site,
        "from": begun,
        "to": to,
    }
    return with_signature(body, key_of(name))


def transient(number: int = 900, **documents: Any) -> dict[str, bytes]:
    """The transient map of a call: documents as canonical bytes, and a salt."""
    found = {
        name: value if isinstance(value, bytes) else canonical.encode(value)
        for name, value in documents.items()
    }
    return {"salt": salt(number), **found}


CLAIM = hashlib.sha256(b"claim").hexdigest()[:32]
CODE = "WQ7T2K4M9X3B5C8D6F1GHJNPRS"


def claim(device: str, point: str, **changes: Any) -> Document:
    return {
        "schema": "claim/1",
        "id": CLAIM,
        "device": {
            "schema": "device/1",
            "id": device,
            "point": point,
            "registers": {OBIS[role]: {"role": role} for role in ("I", "E")},
            "from": START - 30 * DAY,
            "to": None,
            "first_counter": 1,
        },
        "code": onboarding.code_digest(CLAIM, CODE),
        "through": 2,
        **changes,
    }


def possession(
    key: ec.EllipticCurvePrivateKey, claim_id: str = CLAIM, channel: str = "ped"
) -> Document:
    body = {"schema": "possession/1", "claim": claim_id, "key": key_document(key)}
    return with_signature(body, key, channel)
