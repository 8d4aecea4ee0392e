# SPDX-License-Identifier: Apache-2.0
"""Connection profiles: what a client needs to act for one organisation, keys by path."""

import json
import os
from pathlib import Path

from pedchain_network import files
from pedchain_network.pki import crypto
from pedchain_network.state import State
from pedchain_network.topology.model import Organization, Topology

SCHEMA = "profile/1"


def write(topology: Topology, state: State, runtime: str) -> None:
    """One profile per organisation; every path in it is relative to the profile itself."""
    for organization in topology.organizations:
        document = _document(topology, state, runtime, organization)
        text = json.dumps(document, indent=1)
        files.write(state.profiles / f"{organization.name}.json", text.encode())


def _document(
    topology: Topology, state: State, runtime: str, organization: Organization
) -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "organization": organization.name,
        "msp_id": organization.msp_id,
        "channel": topology.channel,
        "runtime": runtime,
        "peer": _endpoint(topology, state, organization, "peer"),
        "users": {user: _user(state, organization, user) for user in crypto.USERS},
        "orderers": [
            _endpoint(topology, state, each, "orderer") | {"msp_id": each.msp_id}
            for each in topology.organizations
        ],
        "peers": [
            {"organization": each.name, "msp_id": each.msp_id}
            | _endpoint(topology, state, each, "peer")
            for each in topology.organizations
        ],
        "genesis": _relative(state, state.genesis(topology.channel)),
    }


def _endpoint(
    topology: Topology, state: State, organization: Organization, kind: str
) -> dict[str, str]:
    port = organization.ports.peer if kind == "peer" else organization.ports.orderer
    return {
        "address": topology.address(port),
        "server_name": topology.node(kind, organization),
        "tls_ca": _relative(state, crypto.of(state.crypto, organization).authority("tlsca")),
    }


def _user(state: State, organization: Organization, user: str) -> dict[str, str]:
    directory = crypto.of(state.crypto, organization).user(user)
    return {
        "certificate": _relative(state, directory / "cert.pem"),
        "key": _relative(state, directory / "key.pem"),
    }


def _relative(state: State, path: Path) -> str:
    return os.path.relpath(path, state.profiles)
