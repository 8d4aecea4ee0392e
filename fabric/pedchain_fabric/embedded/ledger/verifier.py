# SPDX-License-Identifier: Apache-2.0
"""Who signed: identities and good signatures, each checked once per channel configuration.

All nodes of the process share it, so an envelope checked when it is broadcast costs nothing
more when its block is committed.
"""

from collections.abc import Iterable
from functools import lru_cache

from pedchain_fabric.embedded.ledger.limits import CACHED_IDENTITIES, CACHED_SIGNATURES
from pedchain_fabric.errors import IdentityError, SignatureInvalid, WireError
from pedchain_fabric.wire.block import SignedData
from pedchain_fabric.wire.identity import Identity
from pedchain_fabric.wire.msp import Member, Msps
from pedchain_fabric.wire.rwset import sha256


class Verifier:
    """Checks creators and signatures against one channel configuration's organisations."""

    def __init__(self, msps: Msps) -> None:
        self.msps = msps
        # Per object: another configuration never sees this one's verdicts.
        self._identity = lru_cache(CACHED_IDENTITIES)(self._resolve)
        self.member = lru_cache(CACHED_IDENTITIES)(self._member)
        self._good: set[tuple[bytes, bytes, bytes]] = set()

    def _resolve(self, creator: bytes) -> tuple[Identity, str]:
        """The identity, and the id it is the same under in every encoding."""
        identity = Identity.from_creator(creator)
        return identity, self.msps[identity.msp_id].resolve(identity).id

    def _member(self, creator: bytes) -> Member:
        """The valid member these bytes stand for. Raises `IdentityError` or `WireError`."""
        identity, _ = self._identity(creator)
        return self.msps[identity.msp_id].validate(identity)

    def verify(self, creator: bytes, message: bytes, signature: bytes) -> Member:
        """The valid member that signed the message.

        Raises `IdentityError` or `WireError` about who, `SignatureInvalid` about the signature.
        """
        member = self.member(creator)
        self._check(member.identity, message, signature)
        return member

    def signers(self, claims: Iterable[SignedData]) -> list[Identity]:
        """Who did sign, each once, in order; whoever cannot be verified is left out.

        As Fabric's policies.SignatureSetToValidIdentities.
        """
        seen: set[tuple[str, str]] = set()
        found = []
        for creator, message, signature in claims:
            try:
                identity, name = self._identity(creator)
                if (identity.msp_id, name) in seen:
                    continue
                self._check(identity, message, signature)
            except (IdentityError, WireError, SignatureInvalid):
                continue
            seen.add((identity.msp_id, name))
            found.append(identity)
        return found

    def _check(self, identity: Identity, message: bytes, signature: bytes) -> None:
        fact = (identity.certificate, sha256(message), signature)
        if fact in self._good:
            return
        identity.verify(message, signature)
        if len(self._good) >= CACHED_SIGNATURES:
            self._good.clear()
        self._good.add(fact)
