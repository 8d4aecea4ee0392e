# SPDX-License-Identifier: Apache-2.0
"""Common connection profiles, made from our own: for clients that do not know the Gateway.

Two dialects, because no file is both: hfc (fabric-sdk-py 1.0.0) hands a node's `url` to gRPC as it
stands, so that a scheme breaks it, reads certificates and keys by path only, and fails without
`credentialStore`, `orderers` and `certificateAuthorities`; everybody else wants `grpcs://`.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

Dialect = Literal["hfc", "ccp"]

_VERSION: Final = "1.0.0"
_ENDORSER_SECONDS: Final = "30"
# Each client family reads the TLS name it expects from another option; all are given.
_TLS_NAME_OPTIONS: Final = (
    "grpc.ssl_target_name_override",
    "ssl-target-name-override",
    "hostnameOverride",
)
_PEER_ROLES: Final = {
    "endorsingPeer": True,
    "chaincodeQuery": True,
    "ledgerQuery": True,
    "eventSource": True,
}


def made(profile: Mapping[str, Any], folder: Path, dialect: Dialect) -> dict[str, Any]:
    """The common connection profile of a profile (`profile/1`) that lies in `folder`.

    Paths become absolute, because clients read them from wherever they run. hfc keeps what it
    learns of users, their keys included, in `hfc_store`.
    """
    organization = profile["organization"]
    return {
        "name": f"{profile['channel']}-{organization.lower()}",
        "version": _VERSION,
        "client": _client(organization, folder),
        "channels": {profile["channel"]: _channel(profile)},
        "organizations": _organizations(profile, folder),
        "orderers": _nodes(profile["orderers"], folder, dialect),
        "peers": _nodes(profile["peers"], folder, dialect),
        "certificateAuthorities": {},
    }


def hfc_store(organization: str) -> str:
    """Where hfc keeps users, relative to the profiles: for nobody else's eyes or hands."""
    return f"hfc/{organization}.store"


def with_absolute_paths(profile: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """A profile (`profile/1`) of `folder` that can be read from anywhere."""

    def node(found: Mapping[str, Any]) -> dict[str, Any]:
        return {**found, "tls_ca": _absolute(found["tls_ca"], folder)}

    return {
        **profile,
        "peer": node(profile["peer"]),
        "orderers": [node(each) for each in profile["orderers"]],
        "peers": [node(each) for each in profile["peers"]],
        "users": {
            name: {part: _absolute(path, folder) for part, path in user.items()}
            for name, user in profile["users"].items()
        },
        "genesis": _absolute(profile["genesis"], folder),
    }


def _client(organization: str, folder: Path) -> dict[str, Any]:
    store = _absolute(hfc_store(organization), folder)
    return {
        "organization": organization,
        "connection": {"timeout": {"peer": {"endorser": _ENDORSER_SECONDS}}},
        "credentialStore": {"path": store, "cryptoStore": {"path": store}},
    }


def _channel(profile: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "orderers": [each["server_name"] for each in profile["orderers"]],
        "peers": {each["server_name"]: dict(_PEER_ROLES) for each in profile["peers"]},
    }


def _organizations(profile: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Every organisation with its nodes; users of our own alone."""
    names = {each["msp_id"]: each["organization"] for each in profile["peers"]}
    found = {
        name: {
            "mspid": msp_id,
            "peers": _names(profile["peers"], msp_id),
            "orderers": _names(profile["orderers"], msp_id),
            "certificateAuthorities": [],
            "users": {},
        }
        for msp_id, name in names.items()
    }
    found[profile["organization"]]["users"] = {
        name: {
            "cert": _absolute(user["certificate"], folder),
            "private_key": _absolute(user["key"], folder),
        }
        for name, user in profile["users"].items()
    }
    return found


def _names(nodes: list[Mapping[str, Any]], msp_id: str) -> list[str]:
    return [each["server_name"] for each in nodes if each["msp_id"] == msp_id]


def _nodes(nodes: list[Mapping[str, Any]], folder: Path, dialect: Dialect) -> dict[str, Any]:
    return {each["server_name"]: _node(each, folder, dialect) for each in nodes}


def _node(node: Mapping[str, Any], folder: Path, dialect: Dialect) -> dict[str, Any]:
    path = _absolute(node["tls_ca"], folder)
    certificates = {"path": path}
    if dialect == "ccp":
        certificates["pem"] = Path(path).read_text()
    return {
        "url": node["address"] if dialect == "hfc" else f"grpcs://{node['address']}",
        "grpcOptions": dict.fromkeys(_TLS_NAME_OPTIONS, node["server_name"]),
        "tlsCACerts": certificates,
    }


def _absolute(path: str, folder: Path) -> str:
    return os.path.abspath(folder / path)
