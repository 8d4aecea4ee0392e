# SPDX-License-Identifier: Apache-2.0
"""The way in: an identity, and a channel to a peer of its organisation."""

from collections.abc import Collection
from types import TracebackType
from typing import Self

import grpc.aio

from pedchain_fabric.client.blocks import B, BlockEventsRequest, Kind
from pedchain_fabric.client.commit import Commit
from pedchain_fabric.client.events import ChaincodeEventsRequest
from pedchain_fabric.client.limits import Deadlines
from pedchain_fabric.client.network import Network
from pedchain_fabric.client.proposal import Proposal
from pedchain_fabric.client.rpc import Rpc
from pedchain_fabric.client.session import Session
from pedchain_fabric.client.transaction import Transaction
from pedchain_fabric.wire.identity import Identity, SigningIdentity


class Gateway:
    """Acts as `identity` through a peer's gateway service.

    The gRPC channel is the caller's, may be shared by many gateways and is not closed here,
    unless `owns_channel`. `trusted_organizations` (MSP ids) may be named as endorsers of a call
    with transient data. `tls_certificate_hash`, the SHA-256 of the TLS client certificate's
    DER, is needed for block events where the peer asks for such a certificate.

    Whoever signs elsewhere passes an `Identity` without key, takes `bytes` and `message` or
    `digest` from each step, and comes back with `new_signed_...`.
    """

    def __init__(
        self,
        identity: SigningIdentity | Identity,
        channel: grpc.aio.Channel,
        deadlines: Deadlines | None = None,
        *,
        trusted_organizations: Collection[str] = (),
        tls_certificate_hash: bytes = b"",
        owns_channel: bool = False,
    ) -> None:
        self._channel = channel
        self._owns_channel = owns_channel
        self._session = Session(
            identity,
            Rpc(channel),
            deadlines or Deadlines(),
            frozenset(trusted_organizations),
            tls_certificate_hash,
        )

    @property
    def identity(self) -> SigningIdentity | Identity:
        """Who acts."""
        return self._session.identity

    def trusting(self, organizations: Collection[str]) -> "Gateway":
        """The same gateway, over the same channel, that trusts these organisations too."""
        session = self._session
        return Gateway(
            session.identity,
            self._channel,
            session.deadlines,
            trusted_organizations=session.trusted_organizations | frozenset(organizations),
            tls_certificate_hash=session.tls_certificate_hash,
        )

    def network(self, channel: str) -> Network:
        """The channel of that name."""
        return Network(self._session, channel)

    def new_signed_proposal(self, data: bytes, signature: bytes = b"") -> Proposal:
        """A proposal from its `bytes`, signed elsewhere. Raises `WireError`."""
        return Proposal.from_bytes(self._session, data, signature)

    def new_signed_transaction(self, data: bytes, signature: bytes = b"") -> Transaction:
        """A transaction from its `bytes`, signed elsewhere. Raises `WireError`."""
        return Transaction.from_bytes(self._session, data, signature)

    def new_signed_commit(self, data: bytes, signature: bytes = b"") -> Commit:
        """A commit status request from its `bytes`, signed elsewhere. Raises `WireError`."""
        return Commit.from_bytes(self._session, data, signature)

    def new_signed_chaincode_events_request(
        self, data: bytes, signature: bytes = b""
    ) -> ChaincodeEventsRequest:
        """A request for events from its `bytes`, signed elsewhere. Raises `WireError`."""
        return ChaincodeEventsRequest.from_bytes(self._session, data, signature)

    def new_signed_block_events_request(
        self, kind: Kind[B], data: bytes, signature: bytes = b""
    ) -> BlockEventsRequest[B]:
        """A request for blocks from its `bytes`, signed elsewhere. Raises `WireError`."""
        return BlockEventsRequest.from_bytes(self._session, kind, data, signature)

    async def close(self) -> None:
        """Close the channel if this gateway owns it, and with it every stream."""
        if self._owns_channel:
            await self._channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
