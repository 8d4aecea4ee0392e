# SPDX-License-Identifier: Apache-2.0
"""What containers find mounted besides keys: configuration of nodes and gateways."""

import json
from collections.abc import Collection
from pathlib import Path

from pedchain_network import files
from pedchain_network.pki import crypto
from pedchain_network.runtimes import ordererconfig, parts, peerconfig
from pedchain_network.runtimes.docker import composefile, places, services
from pedchain_network.runtimes.places import Places
from pedchain_network.state import State
from pedchain_network.topology.model import ORDERER, PEER, Node, Organization, Topology


def write(topology: Topology, state: State, organizations: Collection[str]) -> None:
    """One folder per node and gateway of these organisations, below `state.config`. The keys in
    them only their owner reads."""
    trust = crypto.trusted_tls(state.crypto, topology)
    for node in topology.nodes():
        if node.organization in organizations and node.kind in _CONFIGURED:
            files.write(state.config / node.name / places.TRUST_FILE, trust)
            _CONFIGURED[node.kind](topology, state, node)
    for organization in composefile.districts(topology):
        if organization.name in organizations:
            _gateway(topology, state, organization)


def _orderer(topology: Topology, state: State, node: Node) -> None:
    config = ordererconfig.orderer(topology, node, _PLACES)
    _json(state.config / node.name / "orderer.yaml", config)


def _peer(topology: Topology, state: State, node: Node) -> None:
    folder = state.config / node.name
    _json(folder / "core.yaml", peerconfig.core(topology, node, _PLACES))
    told = parts.builder_config(topology, state.crypto, node)
    files.write(folder / places.BUILDER_FILE, json.dumps(told).encode(), secret=True)


_CONFIGURED = {ORDERER: _orderer, PEER: _peer}

_PLACES = Places(
    data=Path(places.DATA),
    msp=Path(places.NODE) / "msp",
    tls=Path(places.NODE) / "tls",
    tls_authorities=Path(places.CONFIG) / places.TRUST_FILE,
    builder=Path(places.BUILDER),
    bind=places.ANYWHERE,
)


def _gateway(topology: Topology, state: State, organization: Organization) -> None:
    """It reaches its own peer only, by the peer's name, and closes days when they are due."""
    peer = topology.node("peer", organization)
    folder = state.config / services.gateway_name(topology, organization)
    profile = {
        "schema": "profile/1",
        "organization": organization.name,
        "msp_id": organization.msp_id,
        "channel": topology.channel,
        "runtime": "docker",
        "peer": {
            "address": f"{peer.name}:{peer.port()}",
            "server_name": peer.name,
            "tls_ca": places.AUTHORITY,
        },
        "users": {
            "gateway": {
                "certificate": f"{places.USER}/cert.pem",
                "key": f"{places.USER}/key.pem",
            }
        },
    }
    _json(folder / "profile.json", profile)
    text = (
        f'profile = "profile.json"\nstate = "{places.OWN_DATA}"\n'
        f'listen = "{places.ANYWHERE}:{organization.ports.gateway}"\n'
        f'[tls]\ncertificate = "{places.TLS}/cert.pem"\nkey = "{places.TLS}/key.pem"\n'
        f"[districts.{organization.name}]\nclose = true\n"
    )
    files.write(folder / "gateway.toml", text.encode())


def _json(path: Path, document: object) -> None:
    files.write(path, json.dumps(document, indent=1).encode())
