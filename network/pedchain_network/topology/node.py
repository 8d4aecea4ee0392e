# SPDX-License-Identifier: Apache-2.0
"""The nodes of an organisation: what each is called and where it listens."""

from collections.abc import Mapping
from dataclasses import dataclass

from pedchain_network.topology.organization import LOOPBACK, Organization

ORDERER, PEER, CHAINCODE = "orderer", "peer", "chaincode"


@dataclass(frozen=True, slots=True)
class Package:
    """A chaincode package: `label` names it on peers, `contract` is what serves it.

    It listens in the port slot `slot` of every peer. Packages of one `generation` share a process,
    so that a new one can start while the old one goes on.
    """

    label: str
    contract: str
    slot: int
    generation: int = 0


@dataclass(frozen=True, slots=True)
class Listener:
    """One port: bound at `bind`, dialled at `host`, for `role`."""

    role: str
    bind: str
    host: str
    port: int

    @property
    def address(self) -> str:
        """The `host:port` to dial."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Node:
    """A peer, an orderer, or the chaincode beside a peer of the same index.

    Roles of listeners: a peer's `peer`, `chaincode` and `operations`, an orderer's `orderer`,
    `admin` and `operations`, one per package's label of chaincode. The first is the main one.
    """

    kind: str
    member: Organization
    index: int
    name: str
    listeners: tuple[Listener, ...]
    generation: int = 0
    packages: tuple[Package, ...] = ()

    @property
    def organization(self) -> str:
        """The name of the organisation whose it is."""
        return self.member.name

    @property
    def folder(self) -> str:
        """The first part of its name: `peer0`."""
        return self.name.partition(".")[0]

    def listener(self, role: str = "") -> Listener:
        """The listener of a role, or the main one. Raises `KeyError`."""
        for each in self.listeners:
            if role in ("", each.role):
                return each
        raise KeyError(role)

    def port(self, role: str = "") -> int:
        """The port of a role, or the main one. Raises `KeyError`."""
        return self.listener(role).port

    @property
    def listens(self) -> Mapping[str, str]:
        """Every listener's label and the `host:port` this host's clients dial."""
        return {self._label(each): each.address for each in self.listeners}

    def _label(self, listener: Listener) -> str:
        if self.kind == CHAINCODE:
            return f"{listener.role} of {self.name}"
        return self.name if listener.role == self.kind else f"{self.name} {listener.role}"


def name(
    kind: str, index: int, organization: Organization, domain: str, generation: int = 0
) -> str:
    """A node's name and TLS host name: `peer0.districta.ped`."""
    suffix = f"-{generation}" if generation else ""
    return f"{kind}{index}{suffix}.{organization.name.lower()}.{domain}"


def orderer(organization: Organization, domain: str) -> Node:
    """The organisation's orderer, whether or not it has one now."""
    ports = organization.ports
    listeners = (
        _open(organization, ORDERER, ports.orderer),
        _open(organization, "admin", ports.orderer_admin),
        _open(organization, "operations", ports.orderer_operations),
    )
    return Node(ORDERER, organization, 0, name(ORDERER, 0, organization, domain), listeners)


def peer(organization: Organization, index: int, domain: str) -> Node:
    """A peer of the organisation."""
    ports = organization.ports
    listeners = (
        _open(organization, PEER, ports.peer(index)),
        _local("chaincode", ports.peer_chaincode(index)),
        _open(organization, "operations", ports.peer_operations(index)),
    )
    return Node(PEER, organization, index, name(PEER, index, organization, domain), listeners)


def chaincode(
    organization: Organization, index: int, packages: tuple[Package, ...], domain: str
) -> Node:
    """The process that serves packages of one generation to the peer of this index."""
    generation = packages[0].generation
    listeners = tuple(
        _local(each.label, organization.ports.chaincode(index, each.slot)) for each in packages
    )
    own_name = name(CHAINCODE, index, organization, domain, generation)
    return Node(CHAINCODE, organization, index, own_name, listeners, generation, packages)


def _open(organization: Organization, role: str, port: int) -> Listener:
    return Listener(role, organization.listen, organization.host, port)


def _local(role: str, port: int) -> Listener:
    """A peer and its chaincode are on one machine: nobody else has to reach this."""
    return Listener(role, LOOPBACK, LOOPBACK, port)
