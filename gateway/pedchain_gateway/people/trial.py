# SPDX-License-Identifier: Apache-2.0
"""An issuer for trying, on loopback alone: `ped-gateway token` makes its key and its tokens."""

import json
import time
from collections.abc import Sequence
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from pedchain_gateway import limits
from pedchain_gateway.config import People

PEOPLE = People(issuer="urn:pedchain:trial", audience="pedchain", algorithms=("ES256",),
                keys=Path("trial-key.pem"))  # fmt: skip
_FILE, _NAME = "trial-key.pem", "trial"


def token(
    state: Path,
    subject: str,
    roles: Sequence[str],
    districts: Sequence[str],
    accounts: Sequence[str],
) -> str:
    """A token of an hour. Makes the key where there is none. Raises `OSError`."""
    now = int(time.time())
    claims = {
        "iss": PEOPLE.issuer,
        "aud": PEOPLE.audience,
        "sub": subject,
        "iat": now,
        "exp": now + limits.TOKEN_S,
        "ped_roles": list(roles),
        "ped_districts": list(districts),
        "ped_accounts": list(accounts),
    }
    return jwt.encode(claims, _key(state), algorithm="ES256", headers={"kid": _NAME})


def keys(state: Path) -> jwt.PyJWKSet:
    """The public key, as issuers publish theirs. Raises `OSError` where there is none yet."""
    private = serialization.load_pem_private_key((state / _FILE).read_bytes(), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    found = json.loads(ECAlgorithm.to_jwk(private.public_key()))
    return jwt.PyJWKSet.from_dict({"keys": [{**found, "kid": _NAME, "alg": "ES256"}]})


def _key(state: Path) -> ec.EllipticCurvePrivateKey:
    path = state / _FILE
    if not path.exists():
        made = ec.generate_private_key(ec.SECP256R1())
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600, exist_ok=False)
        path.write_bytes(
            made.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
    found = serialization.load_pem_private_key(path.read_bytes(), None)
    assert isinstance(found, ec.EllipticCurvePrivateKey)
    return found
