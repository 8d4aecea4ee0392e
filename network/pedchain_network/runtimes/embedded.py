# SPDX-License-Identifier: Apache-2.0
"""Runtime `embedded`: one Python process speaks for all peers and orderers, another serves all
chaincode. For trying, developing and testing."""

import json
import sys

from pedchain_network import files
from pedchain_network.pki import crypto
from pedchain_network.runtimes import parts
from pedchain_network.runtimes.process import Spec
from pedchain_network.state import State
from pedchain_network.topology.model import Organization, Topology


def processes(topology: Topology, state: State) -> list[Spec]:
    """The network's process and the chaincode's."""
    config = state.config / "embedded.json"
    files.write(config, json.dumps(_config(topology, state), indent=1).encode())
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
            for organization in topology.organizations
            for label, address in _listens(topology, organization).items()
        },
    )
    host = topology.organizations[0]
    return [nodes, parts.chaincode_server(topology, state, host, "chaincode")]


def _listens(topology: Topology, organization: Organization) -> dict[str, str]:
    ports = organization.ports
    peer, orderer = (topology.node(kind, organization) for kind in ("peer", "orderer"))
    return {
        orderer: topology.address(ports.orderer),
        f"{orderer} admin": topology.address(ports.orderer_admin),
        f"{orderer} operations": topology.address(ports.orderer_operations),
        peer: topology.address(ports.peer),
        f"{peer} operations": topology.address(ports.peer_operations),
    }


def _config(topology: Topology, state: State) -> dict[str, object]:
    servers = topology.chaincode_addresses(topology.organizations[0])
    return {
        "data_dir": str(state.data / "embedded"),
        "peers": [
            _node(topology, state, each, "peer")
            | {
                "listen": topology.address(each.ports.peer),
                "operations": topology.address(each.ports.peer_operations),
                "chaincode_config": dict(servers),
            }
            for each in topology.organizations
        ],
        "orderers": [
            _node(topology, state, each, "orderer")
            | {
                "listen": topology.address(each.ports.orderer),
                "admin_listen": topology.address(each.ports.orderer_admin),
                "admin_client_ca": str(crypto.of(state.crypto, each).authority("tlsca")),
                "operations": topology.address(each.ports.orderer_operations),
            }
            for each in topology.organizations
        ],
    }


def _node(
    topology: Topology, state: State, organization: Organization, kind: str
) -> dict[str, object]:
    owned = crypto.of(state.crypto, organization)
    tls = owned.node_tls(kind)
    return {
        "name": topology.node(kind, organization),
        "msp_id": organization.msp_id,
        "msp_dir": str(owned.node_msp(kind)),
        "tls": {
            "certificate": str(tls / "cert.pem"),
            "key": str(tls / "key.pem"),
            "client_ca": None,
        },
    }
