# SPDX-License-Identifier: Apache-2.0
"""The organisations' administrators, connected to their own nodes."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import grpc
import grpc.aio

from pedchain_fabric.admin.endorser import Endorser
from pedchain_fabric.admin.lifecycle import Lifecycle
from pedchain_fabric.admin.limits import MESSAGE_BYTES
from pedchain_fabric.admin.participation import Participation, mutual_tls
from pedchain_fabric.client import Gateway
from pedchain_network.pki import crypto
from pedchain_network.pki.crypto import Crypto
from pedchain_network.state import State
from pedchain_network.topology.model import Node, Organization, Topology

_OPTIONS: list[tuple[str, str | int]] = [
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    # Nodes appear within milliseconds of each other; the default first pause is a second.
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 500),
]


@dataclass(frozen=True, slots=True)
class PeerAccess:
    """The organisation's administrator at one of its peers; `client` is that peer's gateway under
    the identity that the organisation's services use."""

    node: Node
    endorser: Endorser
    lifecycle: Lifecycle
    client: Gateway

    @property
    def name(self) -> str:
        """The peer's."""
        return self.node.name


@dataclass(frozen=True, slots=True)
class OrdererAccess:
    """The organisation's administrator at its orderer."""

    node: Node
    participation: Participation

    @property
    def name(self) -> str:
        """The orderer's."""
        return self.node.name


@dataclass(frozen=True, slots=True)
class Member:
    """One organisation, at all its nodes. What is asked once goes to its first peer."""

    organization: Organization
    peers: tuple[PeerAccess, ...]
    orderers: tuple[OrdererAccess, ...]

    @property
    def peer_name(self) -> str:
        """The first peer's name."""
        return self.peers[0].name

    @property
    def peer(self) -> Endorser:
        """The first peer."""
        return self.peers[0].endorser

    @property
    def lifecycle(self) -> Lifecycle:
        """The first peer's."""
        return self.peers[0].lifecycle

    @property
    def client(self) -> Gateway:
        """The first peer's gateway."""
        return self.peers[0].client

    @property
    def orderer(self) -> Participation:
        """Its orderer. Raises `IndexError` if it has none."""
        return self.orderers[0].participation


@asynccontextmanager
async def connect(topology: Topology, state: State) -> AsyncIterator[tuple[Member, ...]]:
    """Connections to every organisation's nodes, which need not be up yet."""
    async with AsyncExitStack() as stack:
        members = []
        for organization in topology.organizations:
            owned = crypto.of(state.crypto, organization)
            peers = [
                _peer(topology, owned, each, await _open(stack, topology, owned, each))
                for each in topology.peers(organization)
            ]
            orderers = [
                OrdererAccess(each, _participation(topology, owned, each))
                for each in topology.orderers(organization)
            ]
            members.append(Member(organization, tuple(peers), tuple(orderers)))
        yield tuple(members)


async def _open(
    stack: AsyncExitStack, topology: Topology, owned: Crypto, peer: Node
) -> grpc.aio.Channel:
    trust = grpc.ssl_channel_credentials(owned.tls_roots())
    address = topology.address(peer)
    channel = grpc.aio.secure_channel(address, trust, options=_options(peer))
    return await stack.enter_async_context(channel)


def _options(peer: Node) -> list[tuple[str, str | int]]:
    """The certificate must be this very peer's, wherever its address leads."""
    return [*_OPTIONS, ("grpc.ssl_target_name_override", peer.name)]


def _peer(topology: Topology, owned: Crypto, node: Node, channel: grpc.aio.Channel) -> PeerAccess:
    admin = owned.identity("admin")
    endorser = Endorser(admin, channel)
    return PeerAccess(
        node=node,
        endorser=endorser,
        lifecycle=Lifecycle(endorser, Gateway(admin, channel), topology.channel),
        client=Gateway(owned.identity("gateway"), channel),
    )


def _participation(topology: Topology, owned: Crypto, orderer: Node) -> Participation:
    tls = owned.user("admin") / "tls"
    trust = mutual_tls(owned.authority("tlsca"), tls / "cert.pem", tls / "key.pem")
    return Participation(topology.address(orderer, "admin"), trust)
