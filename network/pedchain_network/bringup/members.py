# SPDX-License-Identifier: Apache-2.0
"""The organisations' administrators, connected to their own nodes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pedchain_fabric.admin.endorser import Endorser
from pedchain_fabric.admin.lifecycle import Lifecycle
from pedchain_fabric.admin.participation import Participation
from pedchain_fabric.client import Gateway
from pedchain_network.change.reach import Reach
from pedchain_network.state import State
from pedchain_network.topology.model import Node, Organization, Topology


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
    async with Reach(topology, state) as reach:
        yield tuple(_member(reach, each) for each in topology.organizations)


def _member(reach: Reach, organization: Organization) -> Member:
    topology = reach.topology
    return Member(
        organization,
        tuple(
            PeerAccess(each, reach.peer(each), reach.lifecycle(each), reach.gateway(each))
            for each in topology.peers(organization)
        ),
        tuple(OrdererAccess(each, reach.orderer(each)) for each in topology.orderers(organization)),
    )
