# SPDX-License-Identifier: Apache-2.0
"""The consortium as data: who takes part, what they agree on, where they listen."""

from dataclasses import dataclass, field
from itertools import groupby

from pedchain_fabric.admin.channel import Consensus
from pedchain_fabric.admin.definition import Definition
from pedchain_fabric.admin.raft import RaftTimers
from pedchain_fabric.admin.smartbft import Batch, Timers
from pedchain_network import limits
from pedchain_network.topology import node
from pedchain_network.topology.node import CHAINCODE, ORDERER, PEER, Listener, Node, Package
from pedchain_network.topology.organization import (
    LOOPBACK,
    PORTS_PER_ORGANIZATION,
    Organization,
    Ports,
    is_loopback,
)

__all__ = (
    "CHAINCODE",
    "FABRIC",
    "ORDERER",
    "PEER",
    "PORTS_PER_ORGANIZATION",
    "Chaincode",
    "Deployment",
    "Governance",
    "Lifetimes",
    "Limit",
    "Listener",
    "Node",
    "Ordering",
    "Organization",
    "Package",
    "Ports",
    "Resources",
    "Topology",
)

FABRIC = "3.1.5"
"""The release of Fabric that is meant where a topology does not say."""


@dataclass(frozen=True, slots=True)
class Governance:
    """Policy texts of the root of trust: channel changes, and chaincode definitions."""

    admins: str
    lifecycle: str


@dataclass(frozen=True, slots=True)
class Ordering:
    """How orderers agree, in spite of so many `faults`; `timers` are SmartBFT's, `raft` Raft's."""

    consensus: Consensus = Consensus.SMARTBFT
    faults: int = 0
    batch: Batch = field(default_factory=Batch)
    timers: Timers = field(default_factory=Timers)
    raft: RaftTimers = field(default_factory=RaftTimers)


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """Days that certificates live: authorities' own, then identities of nodes and of users, and
    TLS certificates of both."""

    authorities_days: int = limits.AUTHORITY_DAYS
    nodes_days: int = limits.NODE_DAYS
    users_days: int = limits.USER_DAYS
    tls_days: int = limits.TLS_DAYS


@dataclass(frozen=True, slots=True)
class Limit:
    """What one container may use: thousandths of a processor, and memory."""

    millicpus: int
    memory_mb: int


@dataclass(frozen=True, slots=True)
class Resources:
    """Limits of containers by kind of node."""

    peer: Limit = Limit(*limits.PEER_RESOURCES)
    orderer: Limit = Limit(*limits.ORDERER_RESOURCES)
    chaincode: Limit = Limit(*limits.CHAINCODE_RESOURCES)


@dataclass(frozen=True, slots=True)
class Chaincode:
    """The command that serves the packages, and the transaction name that proves it answers."""

    command: tuple[str, ...]
    probe: str
    packages: tuple[Package, ...]

    def package(self, label: str) -> Package:
        """The package of that label. Raises `KeyError`."""
        for each in self.packages:
            if each.label == label:
                return each
        raise KeyError(label)


@dataclass(frozen=True, slots=True)
class Deployment:
    """A definition to be agreed on the channel, and the label of the package behind it."""

    package: str
    definition: Definition


@dataclass(frozen=True, slots=True)
class Topology:
    """The whole consortium. With `dial_names` nodes dial each other by name (in containers), and
    only clients on this host dial `host:port`."""

    channel: str
    domain: str
    organizations: tuple[Organization, ...]
    governance: Governance
    ordering: Ordering
    chaincode: Chaincode
    deployments: tuple[Deployment, ...]
    host: str = LOOPBACK
    lifetimes: Lifetimes = field(default_factory=Lifetimes)
    fabric: str = FABRIC
    resources: Resources = field(default_factory=Resources)
    dial_names: bool = False

    def by_name(self, name: str) -> Organization:
        """The organisation of that name. Raises `KeyError`."""
        for organization in self.organizations:
            if organization.name == name:
                return organization
        raise KeyError(name)

    def nodes(self, organization: Organization | None = None) -> tuple[Node, ...]:
        """Every node of one organisation or of all: orderer, peers, chaincode of each in turn."""
        chosen = self.organizations if organization is None else (organization,)
        return tuple(found for each in chosen for found in self._nodes(each))

    def orderers(self, organization: Organization | None = None) -> tuple[Node, ...]:
        """The orderers, in the order of the organisations."""
        return tuple(each for each in self.nodes(organization) if each.kind == ORDERER)

    def peers(self, organization: Organization | None = None) -> tuple[Node, ...]:
        """The peers, in the order of the organisations."""
        return tuple(each for each in self.nodes(organization) if each.kind == PEER)

    def servers(self, organization: Organization | None = None) -> tuple[Node, ...]:
        """The chaincode processes, in the order of the organisations' peers."""
        return tuple(each for each in self.nodes(organization) if each.kind == CHAINCODE)

    def servers_of(self, peer: Node) -> tuple[Node, ...]:
        """The chaincode processes beside a peer."""
        return tuple(e for e in self.servers(peer.member) if e.index == peer.index)

    def node(self, kind: str, organization: Organization, index: int = 0) -> Node:
        """A node by what it is, of the first generation. Raises `KeyError`."""
        return self.find(self.node_name(kind, organization, index))

    def find(self, name: str) -> Node:
        """The node of that name. Raises `KeyError`."""
        for each in self.nodes():
            if each.name == name:
                return each
        raise KeyError(name)

    def node_name(self, kind: str, organization: Organization, index: int = 0) -> str:
        """A node's name and TLS host name, whether or not there is such a node."""
        return node.name(kind, index, organization, self.domain)

    def dialled_host(self, node: Node, role: str = "") -> str:
        """The host other nodes dial to reach a node."""
        return node.name if self.dial_names else node.listener(role).host

    def dialled(self, node: Node, role: str = "") -> str:
        """The `host:port` other nodes dial, and what stands in the channel."""
        return f"{self.dialled_host(node, role)}:{node.port(role)}"

    def address(self, node: Node, role: str = "") -> str:
        """The `host:port` clients on this host dial."""
        return node.listener(role).address

    def chaincode_address(self, peer: Node, slot: int) -> str:
        """The `host:port` a peer dials for the package in a slot, whether or not there is one."""
        host = LOOPBACK
        if self.dial_names:
            host = f"slot{slot}.{self.node_name(CHAINCODE, peer.member, peer.index)}"
        return f"{host}:{peer.member.ports.chaincode(peer.index, slot)}"

    def operations_tls(self, node: Node) -> bool:
        """Are a node's health and metrics served with TLS: they are unless only this host can
        reach them."""
        return self.dial_names or not is_loopback(node.listener("operations").bind)

    def _nodes(self, organization: Organization) -> list[Node]:
        indexes = range(organization.peers)
        packages = sorted(self.chaincode.packages, key=lambda each: each.generation)
        served = [tuple(e) for _, e in groupby(packages, key=lambda each: each.generation)]
        orderers = [node.orderer(organization, self.domain)] if organization.orderer else []
        peers = [node.peer(organization, index, self.domain) for index in indexes]
        chaincode = [
            node.chaincode(organization, index, each, self.domain)
            for index in indexes
            for each in served
        ]
        return [*orderers, *peers, *chaincode]
