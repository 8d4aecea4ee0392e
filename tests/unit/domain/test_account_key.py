# SPDX-License-Identifier: Apache-2.0
"""An account's key as it lies in a file."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from pedchain_domain import debit


def pem(
    key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey,
    encryption: KeySerializationEncryption | None = None,
) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


def test_a_p256_key_is_read_as_it_was_written() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    assert pem(debit.private_key(pem(key))) == pem(key)


def test_any_other_key_is_refused() -> None:
    others = (
        pem(ec.generate_private_key(ec.SECP384R1())),
        pem(ed25519.Ed25519PrivateKey.generate()),
        pem(ec.generate_private_key(ec.SECP256R1()), BestAvailableEncryption(b"secret")),
        b"no key",
    )
    for data in others:
        with pytest.raises(ValueError, match=r"P-256|encrypted|PEM|deserialize"):
            debit.private_key(data)
