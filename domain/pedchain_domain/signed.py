# SPDX-License-Identifier: Apache-2.0
"""Documents signed by a key the ledger knows: the bytes that are signed, and their verification.

What is signed is the canonical form of {"body", "domain"}; the domain names network, channel and
contract, so that a signature given for one ledger is worth nothing on another (fault 6).
"""

from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from pedchain_domain import canonical, der
from pedchain_domain.reasons import DomainError, Reason
from pedchain_domain.text import from_hex

Document = dict[str, Any]


def message(body: Document, *, network: str, channel: str, contract: str) -> bytes:
    """The bytes a key signs for this ledger."""
    domain = {"channel": channel, "contract": contract, "network": network}
    return canonical.encode({"domain": domain, "body": body})


def verify(spki_hex: str, signed: bytes, signature_hex: object) -> None:
    """DomainError `malformed-signature` or `bad-signature` unless the P-256 key signed the bytes.

    The signature is strict DER in hex (ECDSA with SHA-256), high s or low.
    """
    signature = from_hex(signature_hex) if isinstance(signature_hex, str) else None
    if signature is None:
        raise DomainError(Reason.MALFORMED_SIGNATURE)
    der.signature_values(signature)
    try:
        der.public_key(spki_hex).verify(signature, signed, ec.ECDSA(SHA256()))
    except InvalidSignature as error:
        raise DomainError(Reason.BAD_SIGNATURE) from error


def unsigned(document: Document, field: str = "signature") -> Document:
    """The body of a signed document."""
    return {name: value for name, value in document.items() if name != field}
