# SPDX-License-Identifier: Apache-2.0
"""What every step of a transaction shares: who acts, over which channel, how long."""

import hashlib
from dataclasses import dataclass
from typing import Self

from pedchain_fabric.client.limits import Deadlines
from pedchain_fabric.client.rpc import Rpc
from pedchain_fabric.errors import IdentityError
from pedchain_fabric.wire.identity import Identity, SigningIdentity


@dataclass(frozen=True, slots=True)
class Session:
    """An identity on a gateway. Without a signer, everything must be signed elsewhere."""

    identity: SigningIdentity | Identity
    rpc: Rpc
    deadlines: Deadlines
    trusted_organizations: frozenset[str] = frozenset()
    tls_certificate_hash: bytes = b""

    @property
    def creator(self) -> bytes:
        """The identity as it stands in headers."""
        return self.identity.creator

    @property
    def can_sign(self) -> bool:
        """Whether the identity's key is here."""
        return isinstance(self.identity, SigningIdentity)

    def sign(self, message: bytes) -> bytes:
        """The identity's signature. Raises `IdentityError` if it has no key here."""
        if isinstance(self.identity, SigningIdentity):
            return self.identity.sign(message)
        raise IdentityError("this identity has no key here: sign `digest` or `message` elsewhere")


class Signable:
    """Bytes that are signed on first use, or were signed elsewhere."""

    def __init__(self, session: Session, message: bytes, signature: bytes = b"") -> None:
        self._session = session
        self._message = message
        self._signature = signature

    @property
    def message(self) -> bytes:
        """What is to be signed. Ed25519 signs this whole."""
        return self._message

    @property
    def digest(self) -> bytes:
        """The SHA-256 of `message`: what an ECDSA signer that takes digests signs (low S)."""
        return hashlib.sha256(self._message).digest()

    @property
    def is_signed(self) -> bool:
        """Whether it carries a signature yet."""
        return bool(self._signature)

    def sign(self) -> Self:
        """Sign now, unless it is signed. Raises `IdentityError` if there is no key here."""
        if not self._signature:
            self._signature = self._session.sign(self._message)
        return self
