# SPDX-License-Identifier: Apache-2.0
"""The consortium as data: who takes part, what they agree on, where they listen."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pedchain_fabric.admin.definition import Definition
from pedchain_fabric.admin.smartbft import Batch, Timers

PORTS_PER_ORGANIZATION = 100
_FIRST_CHAINCODE_PORT = 20


@dataclass(frozen=True, slots=True)
class Ports:
    """Where one organisation listens, all counted from `base`."""

    base: int

    @property
    def orderer(self) -> int:
        """Ordering service and, on the same listener, the consenters' cluster."""
        return self.base

    @property
    def peer(self) -> int:
        """Endorser, gateway, deliver, discovery, gossip."""
        return self.base + 1

    @property
    def peer_chaincode(self) -> int:
        """Where a peer waits for chaincode that dials it; ours is dialled instead."""
        return self.base + 2

    @property
    def orderer_admin(self) -> int:
        """Channel participation, mutual TLS."""
        return self.base + 3

    @property
    def peer_operations(self) -> int:
        """Health and metrics of the peer."""
        return self.base + 5

    @property
    def orderer_operations(self) -> int:
        """Health and metrics of the orderer."""
        return self.base + 6

    def chaincode(self, index: int) -> int:
        """The server of the topology's package number `index`."""
        return self.base + _FIRST_CHAINCODE_PORT + index


@dataclass(frozen=True, slots=True)
class Organization:
    """A member with one peer, one orderer, one CA and one TLS CA."""

    name: str
    ports: Ports

    @property
    def msp_id(self) -> str:
        """Its name in certificates' company, policies and transactions."""
        return f"{self.name}MSP"


@dataclass(frozen=True, slots=True)
class Governance:
    """Policy texts of the root of trust: channel changes, and chaincode definitions."""

    admins: str
    lifecycle: str


@dataclass(frozen=True, slots=True)
class Chaincode:
    """The command that serves the packages, and the transaction name that proves it answers."""

    command: tuple[str, ...]
    probe: str
    packages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Deployment:
    """A definition to be agreed on the channel, and the package that stands behind it."""

    package: str
    definition: Definition


@dataclass(frozen=True, slots=True)
class Topology:
    """The whole consortium."""

    channel: str
    domain: str
    host: str
    organizations: tuple[Organization, ...]
    governance: Governance
    batch: Batch
    timers: Timers
    chaincode: Chaincode
    deployments: tuple[Deployment, ...]

    @property
    def digest(self) -> str:
        """Changes with anything the genesis block is made from; definitions may change later."""
        parts = (
            self.channel,
            self.domain,
            self.host,
            self.organizations,
            self.governance,
            self.batch,
            self.timers,
        )
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def address(self, port: int) -> str:
        """`host:port` of a listener."""
        return f"{self.host}:{port}"

    def node(self, kind: str, organization: Organization) -> str:
        """A node's name and TLS host name: `peer0.districta.ped`."""
        return f"{kind}0.{organization.name.lower()}.{self.domain}"

    def chaincode_addresses(self, organization: Organization) -> Mapping[str, str]:
        """Where this organisation's chaincode servers listen, by package."""
        return {
            package: self.address(organization.ports.chaincode(index))
            for index, package in enumerate(self.chaincode.packages)
        }

    def by_name(self, name: str) -> Organization:
        """The organisation of that name. Raises `KeyError`."""
        for organization in self.organizations:
            if organization.name == name:
                return organization
        raise KeyError(name)

    def listeners(self, organization: Organization) -> Iterator[tuple[str, int]]:
        """Every port the organisation's nodes bind, with what it is for."""
        ports = organization.ports
        yield "orderer", ports.orderer
        yield "orderer admin", ports.orderer_admin
        yield "orderer operations", ports.orderer_operations
        yield "peer", ports.peer
        yield "peer chaincode", ports.peer_chaincode
        yield "peer operations", ports.peer_operations
