# SPDX-License-Identifier: Apache-2.0
"""The certificates an organisation needs: which, for whom, where they lie."""

from dataclasses import dataclass, replace
from pathlib import Path

from pedchain_network.topology import node
from pedchain_network.topology.model import Topology
from pedchain_network.topology.node import CHAINCODE, ORDERER, Node
from pedchain_network.topology.organization import LOOPBACK, Organization

USERS = {
    "admin": "admin",
    "gateway": "client",
    "auditor": "client",
    "operator": "client",
    "provider": "client",
}
"""Users of every organisation and the role (organisational unit) each has in its MSP."""

ATTRIBUTES = {
    "gateway": (("ped.role", "registrar,gateway"),),
    "auditor": (("ped.role", "auditor"),),
    "operator": (("ped.role", "system_operator"),),
    "provider": (("ped.role", "balance_service_provider"),),
}
"""What a user's certificate says of it to contracts (docs/access.md): a gateway's that it registers
and files, an auditor's that it only reads, an operator's and a provider's that they issue and
accept orders of demand response. An admin governs the channel and does nothing in contracts."""

GATEWAY = "gateway"
"""The organisation's service for its members, which has a TLS certificate and no identity."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One certificate to be, below an organisation's directory.

    `role` is a member's and empty for TLS, `hosts` are a TLS certificate's, `attributes` are for
    contracts. Nodes keep a member's
    in an MSP directory (`msp`), everything else is `cert.pem` and `key.pem`.
    """

    folder: str
    name: str
    organization: str
    role: str
    hosts: tuple[str, ...]
    days: int
    attributes: tuple[tuple[str, str], ...] = ()

    @property
    def authority(self) -> str:
        """The authority that signs it: `ca` or `tlsca`."""
        return "ca" if self.role else "tlsca"

    @property
    def is_msp(self) -> bool:
        """Does it lie in an MSP directory."""
        return self.folder.endswith("/msp")

    @property
    def title(self) -> str:
        """A name for files and messages: `peer0.msp`, `admin.tls`."""
        return self.folder.removeprefix("users/").replace("/", ".")

    def certificate(self, root: Path) -> Path:
        """Its file below the organisation's directory."""
        return root / self.folder / ("signcerts/cert.pem" if self.is_msp else "cert.pem")

    def key(self, root: Path) -> Path:
        """Its private key's file."""
        return root / self.folder / ("keystore/key.pem" if self.is_msp else "key.pem")


def of(topology: Topology, organization: Organization) -> tuple[Leaf, ...]:
    """Everything the organisation's nodes and users need, nodes first."""
    leaves = [leaf for each in topology.nodes(organization) for leaf in _node(topology, each)]
    return (*leaves, _gateway(topology, organization), *_users(topology, organization))


def of_node(topology: Topology, each: Node) -> tuple[Leaf, ...]:
    """What one node needs."""
    return tuple(_node(topology, each))


def _node(topology: Topology, each: Node) -> list[Leaf]:
    lifetimes, organization = topology.lifetimes, each.member
    tls = _tls(topology, organization, f"{each.folder}/tls", each.name, each.listener().host)
    if each.kind == CHAINCODE:
        # In containers a package is dialled by the name of its slot.
        slots = "*." + topology.node_name(CHAINCODE, organization, each.index)
        return [replace(tls, hosts=(*tls.hosts, slots))]
    member = Leaf(
        f"{each.folder}/msp", each.name, organization.name, each.kind, (), lifetimes.nodes_days
    )
    if each.kind == ORDERER:
        return [member, tls]
    # With this the peer shows its chaincode who it is; its TLS key need not leave its directory.
    client = Leaf(
        f"{each.folder}/chaincode",
        f"client.{each.name}",
        organization.name,
        "",
        (f"client.{each.name}",),
        lifetimes.tls_days,
    )
    return [member, tls, client]


def _gateway(topology: Topology, organization: Organization) -> Leaf:
    name = node.name(GATEWAY, 0, organization, topology.domain)
    return _tls(topology, organization, f"{GATEWAY}0/tls", name, organization.host)


def _users(topology: Topology, organization: Organization) -> list[Leaf]:
    suffix = f"{organization.name.lower()}.{topology.domain}"
    days = topology.lifetimes.users_days
    users = [
        Leaf(
            f"users/{user}",
            f"{user}.{suffix}",
            organization.name,
            role,
            (),
            days,
            ATTRIBUTES.get(user, ()),
        )
        for user, role in USERS.items()
    ]
    # The admin shows this one at the orderer's admin port.
    admin = f"admin.{suffix}"
    tls = Leaf("users/admin/tls", admin, organization.name, "", (admin,), days)
    return [*users, tls]


def _tls(topology: Topology, organization: Organization, folder: str, name: str, host: str) -> Leaf:
    hosts = tuple(dict.fromkeys((name, "localhost", LOOPBACK, host)))
    return Leaf(folder, name, organization.name, "", hosts, topology.lifetimes.tls_days)
