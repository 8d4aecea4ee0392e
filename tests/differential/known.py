# SPDX-License-Identifier: Apache-2.0
"""A network under test whose keys are read once: sequences sign thousands of messages."""

from functools import cache
from pathlib import Path

from pedchain_fabric.wire.identity import SigningIdentity
from pedchain_fabric.wire.keys import load_signer
from tests.parity.target import Target


class Known(Target):
    """A target that keeps what it has read, and one stranger a claimed MSP."""

    def __init__(self, profiles: Path) -> None:
        super().__init__(profiles)
        self._identity = cache(super().identity)
        self._stranger = cache(super().stranger)
        self._peer = cache(self._read_peer)

    def identity(self, organization: str, user: str = "gateway") -> SigningIdentity:
        """One of an organisation's users."""
        return self._identity(organization, user)

    def stranger(self, msp_id: str = "AlphaMSP") -> SigningIdentity:
        """Somebody who claims an MSP that never certified them."""
        return self._stranger(msp_id)

    def peer_identity(self, organization: str) -> SigningIdentity:
        """The key that the organisation's peer endorses with."""
        return self._peer(organization)

    def _read_peer(self, organization: str) -> SigningIdentity:
        msp = self.profiles.parent / "crypto" / organization / "peer0" / "msp"
        certificate = next((msp / "signcerts").iterdir()).read_bytes()
        key = next((msp / "keystore").iterdir()).read_bytes()
        return SigningIdentity(f"{organization}MSP", certificate, load_signer(key))
