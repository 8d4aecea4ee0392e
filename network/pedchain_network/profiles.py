# SPDX-License-Identifier: Apache-2.0
"""Connection profiles: what a client needs to act for one organisation, keys by path.

<Org>.json       `profile/1`, for clients of the Gateway: paths relative to the file
hfc/<Org>.json   for fabric-sdk-py: paths absolute, so `up` writes it anew where it moved to
"""

import json
import os
from pathlib import Path
from typing import Any

from pedchain_network import commonprofiles, files
from pedchain_network.errors import StateError
from pedchain_network.pki import crypto
from pedchain_network.state import State
from pedchain_network.topology.model import Node, Organization, Topology
from pedchain_network.topology.node import PEER

SCHEMA = "profile/1"


def write(topology: Topology, state: State, runtime: str) -> None:
    """Both profiles of every organisation."""
    for organization in topology.organizations:
        document = _document(topology, state, runtime, organization)
        text = json.dumps(document, indent=1)
        files.write(state.profiles / f"{organization.name}.json", text.encode())
        common = json.dumps(commonprofiles.made(document, state.profiles, "hfc"), indent=1)
        files.write(state.profiles / "hfc" / f"{organization.name}.json", common.encode())
        store = state.profiles / commonprofiles.hfc_store(organization.name)
        store.mkdir(mode=0o700, exist_ok=True)


def read(state: State, organization: str, form: str) -> dict[str, Any]:
    """An organisation's profile as `gateway`, `hfc` or `ccp` clients read it, paths absolute.

    Raises `StateError` if there is none.
    """
    known = sorted(each.stem for each in state.profiles.glob("*.json"))
    if organization not in known:
        what = f"no profile of {organization!r} in {state.profiles}"
        raise StateError(what, f"one of {', '.join(known)}" if known else "run up first")
    profile = json.loads((state.profiles / f"{organization}.json").read_text())
    if form == "gateway":
        return commonprofiles.with_absolute_paths(profile, state.profiles)
    dialect: commonprofiles.Dialect = "hfc" if form == "hfc" else "ccp"
    return commonprofiles.made(profile, state.profiles, dialect)


def _document(
    topology: Topology, state: State, runtime: str, organization: Organization
) -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "organization": organization.name,
        "msp_id": organization.msp_id,
        "channel": topology.channel,
        "runtime": runtime,
        "peer": _endpoint(topology, state, topology.node(PEER, organization)),
        "users": {user: _user(state, organization, user) for user in crypto.USERS},
        "orderers": [
            _endpoint(topology, state, each) | {"msp_id": each.member.msp_id}
            for each in topology.orderers()
        ],
        "peers": [
            {"organization": each.organization, "msp_id": each.member.msp_id}
            | _endpoint(topology, state, each)
            for each in topology.peers()
        ],
        "genesis": _relative(state, state.genesis(topology.channel)),
    }


def _endpoint(topology: Topology, state: State, node: Node) -> dict[str, str]:
    owned = crypto.of(state.crypto, node.member)
    return {
        "address": topology.address(node),
        "server_name": node.name,
        "tls_ca": _relative(state, owned.authority("tlsca")),
    }


def _user(state: State, organization: Organization, user: str) -> dict[str, str]:
    directory = crypto.of(state.crypto, organization).user(user)
    return {
        "certificate": _relative(state, directory / "cert.pem"),
        "key": _relative(state, directory / "key.pem"),
    }


def _relative(state: State, path: Path) -> str:
    return os.path.relpath(path, state.profiles)
