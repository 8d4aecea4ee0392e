# SPDX-License-Identifier: Apache-2.0
"""Runtime `embedded`: one Python process speaks for all peers and orderers, another serves all
chaincode. For trying, developing and testing."""

import json
import sys
from pathlib import Path

from pedchain_network import files
from pedchain_network.limits import CHAINCODE_CALL_S
from pedchain_network.pki import crypto
from pedchain_network.runtimes import parts
from pedchain_network.runtimes.process import Spec
from pedchain_network.state import State
from pedchain_network.topology.model import Node, Topology
from pedchain_network.topology.node import CHAINCODE


def processes(topology: Topology, state: State) -> list[Spec]:
    """The network's process and the chaincode's, one per generation of packages."""
    config = state.config / "embedded.json"
    document = json.dumps(_config(topology, state), indent=1)
    files.write(config, document.encode(), secret=True)
    trust = crypto.of(state.crypto, _host(topology).member).authority("tlsca")
    nodes = Spec(
        name="embedded",
        kind="network",
        organization="",
        command=(sys.executable, "-m", "pedchain_fabric.embedded", str(config)),
        environment=parts.environment(),
        directory=state.data,
        log=state.log / "embedded.log",
        listens={
            label: address
            for each in topology.nodes()
            if each.kind != CHAINCODE
            for label, address in each.listens.items()
            if label != f"{each.name} chaincode"
        },
    )
    servers = topology.servers_of(_host(topology))
    return [nodes, *(_server(topology, state, each, trust) for each in servers)]


def _host(topology: Topology) -> Node:
    """The peer beside which the one chaincode process of everybody stands."""
    return topology.peers()[0]


def _server(topology: Topology, state: State, server: Node, trust: Path) -> Spec:
    name = f"chaincode-{server.generation}" if server.generation else "chaincode"
    return parts.chaincode_server(topology, state, server, name, trust)


def _config(topology: Topology, state: State) -> dict[str, object]:
    return {
        "data_dir": str(state.data / "embedded"),
        "peers": [_peer(topology, state, each) for each in topology.peers()],
        "orderers": [_orderer(state, each) for each in topology.orderers()],
    }


def _peer(topology: Topology, state: State, peer: Node) -> dict[str, object]:
    """Every peer dials the host's server as the host's: they are one process, and a server that
    runs would not know the authority of an organisation that joins later."""
    shared = parts.builder_config(topology, state.crypto, _host(topology))
    return _node(state, peer) | {
        "chaincode_config": shared,
        "execute_timeout_s": CHAINCODE_CALL_S,
    }


def _orderer(state: State, orderer: Node) -> dict[str, object]:
    owned = crypto.of(state.crypto, orderer.member)
    return _node(state, orderer) | {
        "admin_listen": _bound(orderer, "admin"),
        "admin_client_ca": str(owned.authority("tlsca")),
    }


def _node(state: State, node: Node) -> dict[str, object]:
    owned = crypto.of(state.crypto, node.member)
    tls = owned.tls(node)
    return {
        "name": node.name,
        "msp_id": node.member.msp_id,
        "msp_dir": str(owned.msp(node)),
        "tls": {
            "certificate": str(tls / "cert.pem"),
            "key": str(tls / "key.pem"),
            "client_ca": None,
        },
        "listen": _bound(node),
        "operations": _bound(node, "operations"),
    }


def _bound(node: Node, role: str = "") -> str:
    found = node.listener(role)
    return f"{found.bind}:{found.port}"
