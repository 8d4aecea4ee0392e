# SPDX-License-Identifier: Apache-2.0
"""A member of the consortium: how many nodes it has, and where they listen."""

import ipaddress
from dataclasses import dataclass

from pedchain_network.limits import PACKAGES

LOOPBACK = "127.0.0.1"
PORTS_PER_ORGANIZATION = 100

_PER_PEER = 10
_FIRST_CHAINCODE_PORT = 30


@dataclass(frozen=True, slots=True)
class Ports:
    """Where one organisation listens, all counted from `base`; `peer` is the peer's index."""

    base: int

    @property
    def orderer(self) -> int:
        """Ordering service and, on the same listener, the consenters' cluster."""
        return self.base

    def peer(self, peer: int = 0) -> int:
        """Endorser, gateway, deliver, discovery, gossip."""
        return self.base + 1 + _PER_PEER * peer

    def peer_chaincode(self, peer: int = 0) -> int:
        """Where a peer waits for chaincode that dials it; ours is dialled instead."""
        return self.base + 2 + _PER_PEER * peer

    @property
    def orderer_admin(self) -> int:
        """Channel participation, mutual TLS."""
        return self.base + 3

    def peer_operations(self, peer: int = 0) -> int:
        """Health and metrics of a peer."""
        return self.base + 5 + _PER_PEER * peer

    @property
    def orderer_operations(self) -> int:
        """Health and metrics of the orderer."""
        return self.base + 6

    @property
    def gateway(self) -> int:
        """The organisation's own service for its members' readings."""
        return self.base + 8

    def chaincode(self, peer: int, slot: int) -> int:
        """The server of the package in `slot` that stands beside this peer."""
        return self.base + _FIRST_CHAINCODE_PORT + PACKAGES * peer + slot


@dataclass(frozen=True, slots=True)
class Organization:
    """A member with its peers, its orderer unless it is `orderer=False`, a CA and a TLS CA.

    Others dial its nodes at `host`; they bind `listen`. With `own_ca` it issues its certificates
    itself and we hold none of its authorities' keys.
    """

    name: str
    ports: Ports
    peers: int = 1
    orderer: bool = True
    host: str = LOOPBACK
    listen: str = LOOPBACK
    own_ca: bool = False

    @property
    def msp_id(self) -> str:
        """Its name in certificates' company, policies and transactions."""
        return f"{self.name}MSP"


def is_loopback(host: str) -> bool:
    """Can only this machine reach it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
