# SPDX-License-Identifier: Apache-2.0
"""Reaching nodes one by one, under an administrator whose keys are here, as they are needed."""

from collections.abc import Iterable
from types import TracebackType

import grpc
import grpc.aio

from pedchain_fabric.admin.endorser import Endorser
from pedchain_fabric.admin.lifecycle import Lifecycle
from pedchain_fabric.admin.limits import MESSAGE_BYTES
from pedchain_fabric.admin.participation import Participation, mutual_tls
from pedchain_fabric.client import Gateway
from pedchain_fabric.wire.identity import SigningIdentity
from pedchain_network.pki import crypto
from pedchain_network.pki.crypto import Crypto
from pedchain_network.state import State
from pedchain_network.topology.model import Node, Organization, Topology

_OPTIONS: list[tuple[str, str | int]] = [
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    # A node that was just started appears within milliseconds; the default first pause is 1 s.
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 500),
]


class Reach:
    """Connections to the nodes of a topology; `async with` closes them.

    The topology may be one to be: its new nodes need not run, nor have keys, before they are
    asked for.
    """

    def __init__(self, topology: Topology, state: State) -> None:
        self.topology = topology
        self._state = state
        self._channels: dict[str, grpc.aio.Channel] = {}

    async def __aenter__(self) -> "Reach":
        """Nothing is opened yet."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close what was opened."""
        for channel in self._channels.values():
            await channel.close()

    def admins(self) -> dict[str, SigningIdentity]:
        """By organisation's name, the administrators whose keys are in this state directory."""
        return {
            each.name: self._crypto(each).identity("admin")
            for each in self.topology.organizations
            if (self._crypto(each).user("admin") / "key.pem").exists()
        }

    def own(self, nodes: Iterable[Node]) -> tuple[Node, ...]:
        """Those of these nodes that can be administered from here."""
        ours = self.admins()
        return tuple(each for each in nodes if each.organization in ours)

    def peer(self, peer: Node, admin_of: str = "") -> Endorser:
        """A peer, asked by its own administrator or by another organisation's.

        A peer that has not replayed the block which made its organisation a member knows only
        those of before, and answers its own "creator org unknown".
        """
        admin = self._owned(admin_of or peer.organization).identity("admin")
        return Endorser(admin, self._channel(peer))

    def lifecycle(self, peer: Node) -> Lifecycle:
        """The lifecycle at this very peer, under its organisation's administrator."""
        gateway = self.gateway(peer, "admin")
        return Lifecycle(self.peer(peer), gateway, self.topology.channel)

    def gateway(self, peer: Node, user: str = "gateway") -> Gateway:
        """The gateway of a peer under one of its organisation's users."""
        return Gateway(self._owned(peer.organization).identity(user), self._channel(peer))

    def orderer(self, orderer: Node) -> Participation:
        """An orderer's administration."""
        owned = self._owned(orderer.organization)
        tls = owned.user("admin") / "tls"
        trust = mutual_tls(owned.authority("tlsca"), tls / "cert.pem", tls / "key.pem")
        return Participation(self.topology.address(orderer, "admin"), trust)

    def _channel(self, peer: Node) -> grpc.aio.Channel:
        if peer.name not in self._channels:
            trust = grpc.ssl_channel_credentials(self._owned(peer.organization).tls_roots())
            # The certificate must be this very peer's, wherever its address leads.
            options = [*_OPTIONS, ("grpc.ssl_target_name_override", peer.name)]
            self._channels[peer.name] = grpc.aio.secure_channel(
                self.topology.address(peer), trust, options
            )
        return self._channels[peer.name]

    def _owned(self, organization: str) -> Crypto:
        return self._crypto(self.topology.by_name(organization))

    def _crypto(self, organization: Organization) -> Crypto:
        return crypto.of(self._state.crypto, organization)
