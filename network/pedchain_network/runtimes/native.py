# SPDX-License-Identifier: Apache-2.0
"""Runtime `native`: Fabric's own `peer` and `orderer` as plain processes."""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from pedchain_network import files
from pedchain_network.errors import RuntimeMissingError
from pedchain_network.pki import crypto
from pedchain_network.runtimes import ordererconfig, parts, peerconfig
from pedchain_network.runtimes.process import Spec
from pedchain_network.state import State
from pedchain_network.topology.model import Organization, Topology

_RELEASE = Path("/opt/hyperledger/fabric")
_LOGGING = "warn"
_LOG_FORMAT = "%{time:2006-01-02T15:04:05.000Z07:00} %{level:.4s} %{module} %{message}"


@dataclass(frozen=True, slots=True)
class Release:
    """A Fabric release laid out as its archive: `bin/` and `builders/ccaas/bin/`."""

    peer: Path
    orderer: Path
    builder: Path


def find() -> Release:
    """The release in $FABRIC_HOME, else the one whose `peer` is on PATH, else where Fabric's
    images have it. Raises `RuntimeMissingError`, naming what is not there."""
    home = os.environ.get("FABRIC_HOME")
    on_path = shutil.which("peer")
    if home:
        places = [Path(home)]
    else:
        places = [Path(on_path).resolve().parent.parent] if on_path else []
        places.append(_RELEASE)
    for place in places:
        release = Release(place / "bin/peer", place / "bin/orderer", place / "builders/ccaas")
        absent = [path for path in (release.peer, release.orderer) if not os.access(path, os.X_OK)]
        if not (release.builder / "bin" / "build").is_file():
            absent.append(release.builder / "bin")
        if not absent:
            return release
    raise RuntimeMissingError(
        f"no Fabric binaries: {', '.join(map(str, absent))} missing",
        "unpack a Fabric v3.1 release and point FABRIC_HOME at it, or use --runtime embedded",
    )


def processes(topology: Topology, state: State) -> list[Spec]:
    """Per organisation an orderer, a peer and a chaincode server of its own."""
    release = find()
    return [
        spec
        for organization in topology.organizations
        for spec in (
            _orderer(release, topology, state, organization),
            _peer(release, topology, state, organization),
            parts.chaincode_server(
                topology, state, organization, topology.node("chaincode", organization)
            ),
        )
    ]


def _orderer(
    release: Release, topology: Topology, state: State, organization: Organization
) -> Spec:
    name = topology.node("orderer", organization)
    owned = crypto.of(state.crypto, organization)
    config = ordererconfig.orderer(topology, organization, owned, state.data / name)
    _write(state.config / name / "orderer.yaml", config)
    ports = organization.ports
    return Spec(
        name=name,
        kind="orderer",
        organization=organization.name,
        command=(str(release.orderer),),
        environment=parts.environment(
            FABRIC_CFG_PATH=str(state.config / name),
            FABRIC_LOGGING_SPEC=_LOGGING,
        ),
        directory=state.data / name,
        log=state.log / f"{name}.log",
        listens={
            name: topology.address(ports.orderer),
            f"{name} admin": topology.address(ports.orderer_admin),
            f"{name} operations": topology.address(ports.orderer_operations),
        },
    )


def _peer(release: Release, topology: Topology, state: State, organization: Organization) -> Spec:
    name = topology.node("peer", organization)
    owned = crypto.of(state.crypto, organization)
    places = peerconfig.Places(state.data / name, _trust(topology, state), release.builder)
    config = peerconfig.core(topology, organization, owned, places)
    _write(state.config / name / "core.yaml", config)
    ports = organization.ports
    servers = json.dumps(dict(topology.chaincode_addresses(organization)))
    return Spec(
        name=name,
        kind="peer",
        organization=organization.name,
        command=(str(release.peer), "node", "start"),
        environment=parts.environment(
            FABRIC_CFG_PATH=str(state.config / name),
            FABRIC_LOGGING_SPEC=_LOGGING,
            FABRIC_LOGGING_FORMAT=_LOG_FORMAT,
            CHAINCODE_AS_A_SERVICE_BUILDER_CONFIG=servers,
        ),
        directory=state.data / name,
        log=state.log / f"{name}.log",
        listens={
            name: topology.address(ports.peer),
            f"{name} chaincode": topology.address(ports.peer_chaincode),
            f"{name} operations": topology.address(ports.peer_operations),
        },
    )


def _trust(topology: Topology, state: State) -> Path:
    """One file with every organisation's TLS CA."""
    authorities = [
        crypto.of(state.crypto, each).authority("tlsca") for each in topology.organizations
    ]
    path = state.config / "tlscas.pem"
    files.write(path, b"".join(authority.read_bytes() for authority in authorities))
    return path


def _write(path: Path, config: dict[str, object]) -> None:
    files.write(path, json.dumps(config, indent=1).encode())
