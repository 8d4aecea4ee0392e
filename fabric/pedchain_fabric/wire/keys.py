# SPDX-License-Identifier: Apache-2.0
"""Signing and verifying as Fabric does: ECDSA with SHA-256 and low S, or Ed25519.

Other hashes can be signed with, as in the official clients, but not verified here: Fabric's nodes
verify members' signatures with SHA-256, whatever the curve. (An MSP whose configuration names the
SHA3 family is verified with SHA3-256; configtxgen never writes one, and neither do we.)
"""

from typing import Final, Protocol

from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from pedchain_fabric.errors import IdentityError, SignatureInvalid, WireError
from pedchain_fabric.wire import der
from pedchain_fabric.wire.limits import KEY_BYTES_MAX, SIGNATURE_BYTES_MAX

# The order of each curve's base point (FIPS 186-4, D.1.2). Fabric knows no other curves.
ORDERS: Final = {
    "secp224r1": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFF16A2E0B8F03E13DD29455C5C2A3D,
    "secp256r1": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "secp384r1": int(
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF"
        "581A0DB248B0A77AECEC196ACCC52973",
        16,
    ),
    "secp521r1": int(
        "01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFA"
        "51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409",
        16,
    ),
}


class Signer(Protocol):
    """Signs the whole message (not a digest) in the form Fabric accepts."""

    def sign(self, message: bytes) -> bytes:
        """The signature over `message`."""
        ...


_SHA256: Final = SHA256()


class EcdsaSigner:
    """ECDSA over a curve Fabric knows, S in the lower half of the order.

    `algorithm` is the hash of the message: SHA-256 whatever the curve is what Fabric's nodes
    verify; SHA384, SHA3_256 and SHA3_384 of the cryptography package are for other verifiers.
    """

    def __init__(
        self, private_key: ec.EllipticCurvePrivateKey, algorithm: HashAlgorithm = _SHA256
    ) -> None:
        if private_key.curve.name not in ORDERS:
            raise IdentityError(f"Fabric knows no curve {private_key.curve.name}")
        self._key = private_key
        self._scheme = ec.ECDSA(algorithm)

    @property
    def public_key(self) -> PublicKeyTypes:
        """The key that verifies what this signs."""
        return self._key.public_key()

    def sign(self, message: bytes) -> bytes:
        """The DER signature over `message`."""
        return low_s(self._key.sign(message, self._scheme), self._key.curve.name)


class P256Signer(EcdsaSigner):
    """The curve that our own keys and all hardware tokens share, and no other."""

    def __init__(self, private_key: ec.EllipticCurvePrivateKey) -> None:
        if private_key.curve.name != "secp256r1":
            raise IdentityError("the signing key is not on P-256")
        super().__init__(private_key)


class Ed25519Signer:
    """Ed25519 (RFC 8032) over the message itself; needs the channel capability V3_0."""

    def __init__(self, private_key: ed25519.Ed25519PrivateKey) -> None:
        self._key = private_key

    @property
    def public_key(self) -> PublicKeyTypes:
        """The key that verifies what this signs."""
        return self._key.public_key()

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature over `message`."""
        return self._key.sign(message)


def load_signer(pem: bytes, algorithm: HashAlgorithm = _SHA256) -> EcdsaSigner | Ed25519Signer:
    """A signer from an unencrypted PEM private key (PKCS #8 or SEC 1).

    `algorithm` is the hash ECDSA signs with; Ed25519 takes the message itself. Raises
    `IdentityError` if it is no such key, or neither Ed25519 nor on a curve Fabric knows.
    """
    if len(pem) > KEY_BYTES_MAX:
        raise IdentityError("the private key is too large")
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm, InternalError):
        # InternalError: OpenSSL refuses some keys of other curves in a way of its own.
        # `from None`: the parser's own words may quote what it read.
        raise IdentityError("not an unencrypted PEM private key") from None
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return EcdsaSigner(key, algorithm)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return Ed25519Signer(key)
    raise IdentityError("the private key is neither ECDSA nor Ed25519")


def private_key_pem(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    """The key in PEM: PKCS #8, not encrypted. Whoever writes it to a file guards the file."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def low_s(signature: bytes, curve: str) -> bytes:
    """The same ECDSA signature with S in the lower half of the curve's order.

    Raises `WireError` if it is no signature or the curve is unknown to Fabric.
    """
    order = ORDERS.get(curve)
    if order is None:
        raise WireError(f"Fabric knows no curve {curve}")
    r, s = der.read_signature(signature)
    return der.signature(r, min(s, order - s) if s < order else s)


def verify(public_key: PublicKeyTypes, message: bytes, signature: bytes) -> None:
    """Check `signature` over `message` as a Fabric node does.

    ECDSA on Fabric's curves with SHA-256, DER with shortest integers, S not above half the
    order (fabric-lib-go bccsp/sw/ecdsa.go); or Ed25519. Raises `SignatureInvalid`.
    """
    try:
        if isinstance(public_key, ec.EllipticCurvePublicKey):
            public_key.verify(_checked(public_key, signature), message, ec.ECDSA(SHA256()))
        elif isinstance(public_key, ed25519.Ed25519PublicKey):
            public_key.verify(signature, message)
        else:
            raise SignatureInvalid("the key is neither ECDSA nor Ed25519")
    except InvalidSignature as error:
        raise SignatureInvalid("the signature does not match") from error


def _checked(public_key: ec.EllipticCurvePublicKey, signature: bytes) -> bytes:
    """The signature re-encoded as strict DER, once its form is acceptable to Fabric."""
    order = ORDERS.get(public_key.curve.name)
    if order is None:
        raise SignatureInvalid(f"Fabric knows no curve {public_key.curve.name}")
    if len(signature) > SIGNATURE_BYTES_MAX:
        raise SignatureInvalid("the signature is too long")
    try:
        r, s = der.read_signature(signature)
    except WireError as error:
        raise SignatureInvalid("the signature is not DER") from error
    if s > order // 2:
        raise SignatureInvalid("the signature's S is in the upper half of the order")
    return der.signature(r, s)
