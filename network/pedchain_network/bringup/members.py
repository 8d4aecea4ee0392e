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
from pedchain_network.topology.model import Organization, Topology

_OPTIONS = [
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    # Nodes appear within milliseconds of each other; the default first pause is a second.
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 500),
]


@dataclass(frozen=True, slots=True)
class Member:
    """One organisation: its administrator at peer, gateway and orderer; `client` is the gateway
    under the identity that its services use."""

    organization: Organization
    peer_name: str
    orderer_name: str
    peer: Endorser
    orderer: Participation
    lifecycle: Lifecycle
    client: Gateway


@asynccontextmanager
async def connect(topology: Topology, state: State) -> AsyncIterator[tuple[Member, ...]]:
    """Connections to every organisation's nodes, which need not be up yet."""
    async with AsyncExitStack() as stack:
        members = []
        for organization in topology.organizations:
            owned = crypto.of(state.crypto, organization)
            channel = await stack.enter_async_context(_channel(topology, organization, owned))
            members.append(_member(topology, organization, owned, channel))
        yield tuple(members)


def _channel(topology: Topology, organization: Organization, owned: Crypto) -> grpc.aio.Channel:
    trust = grpc.ssl_channel_credentials(owned.authority("tlsca").read_bytes())
    address = topology.address(organization.ports.peer)
    return grpc.aio.secure_channel(address, trust, options=_OPTIONS)


def _member(
    topology: Topology, organization: Organization, owned: Crypto, channel: grpc.aio.Channel
) -> Member:
    admin = owned.identity("admin")
    peer = Endorser(admin, channel)
    tls = owned.user("admin") / "tls"
    trust = mutual_tls(owned.authority("tlsca"), tls / "cert.pem", tls / "key.pem")
    return Member(
        organization=organization,
        peer_name=topology.node("peer", organization),
        orderer_name=topology.node("orderer", organization),
        peer=peer,
        orderer=Participation(topology.address(organization.ports.orderer_admin), trust),
        lifecycle=Lifecycle(peer, Gateway(admin, channel), topology.channel),
        client=Gateway(owned.identity("gateway"), channel),
    )
