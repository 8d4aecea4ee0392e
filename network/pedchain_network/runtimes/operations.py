# SPDX-License-Identifier: Apache-2.0
"""Health and metrics of nodes: plain on loopback, TLS with client certificates beyond.

Without a client certificate only `/healthz` and `/version` answer then (core/operations).
"""

from pedchain_network.runtimes.places import Places
from pedchain_network.topology.node import Node
from pedchain_network.topology.organization import is_loopback

PING_INTERVAL = "5s"
"""How often clients may ping a node. gRPC's Python clients ping more often than Fabric's own limit
of a minute, and would be hung up on with `too_many_pings`."""


def peer(node: Node, places: Places) -> dict[str, object]:
    """The section `operations` of a peer."""
    return {
        "listenAddress": places.address(node.listener("operations")),
        "tls": {
            "enabled": _beyond(node, places),
            "cert": {"file": str(places.tls / "cert.pem")},
            "key": {"file": str(places.tls / "key.pem")},
            "clientAuthRequired": False,
            "clientRootCAs": {"files": [str(places.own_authority)]},
        },
    }


def orderer(node: Node, places: Places) -> dict[str, object]:
    """The section `Operations` of an orderer."""
    return {
        "ListenAddress": places.address(node.listener("operations")),
        "TLS": {
            "Enabled": _beyond(node, places),
            "Certificate": str(places.tls / "cert.pem"),
            "PrivateKey": str(places.tls / "key.pem"),
            "ClientAuthRequired": False,
            "ClientRootCAs": [str(places.own_authority)],
        },
    }


def _beyond(node: Node, places: Places) -> bool:
    return not is_loopback(places.host(node.listener("operations")))
