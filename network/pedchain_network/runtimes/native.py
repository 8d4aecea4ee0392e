# SPDX-License-Identifier: Apache-2.0
"""Runtime `native`: Fabric's own `peer` and `orderer` as plain processes."""

import json
import os
import shutil
from pathlib import Path

from pedchain_network import files
from pedchain_network.errors import RuntimeMissingError
from pedchain_network.pki import crypto, ownership
from pedchain_network.runtimes import ordererconfig, parts, peerconfig, versions
from pedchain_network.runtimes.places import Places
from pedchain_network.runtimes.process import Spec
from pedchain_network.runtimes.versions import Release
from pedchain_network.state import State
from pedchain_network.topology.model import Node, Topology
from pedchain_network.topology.node import CHAINCODE, ORDERER, PEER

_RELEASE = Path("/opt/hyperledger/fabric")
_LOGGING = "warn"
_LOG_FORMAT = "%{time:2006-01-02T15:04:05.000Z07:00} %{level:.4s} %{module} %{message}"


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
    """Per orderer, per peer and per peer's chaincode a process of its own, for the organisations
    that are run from here."""
    release = find()
    versions.require(release, topology.fabric, state.config / "binaries.json")
    trust = state.config / "tlscas.pem"
    files.write(trust, crypto.trusted_tls(state.crypto, topology))
    ours = ownership.here(state.crypto, topology)
    nodes = [each for each in topology.nodes() if each.organization in ours]
    # Chaincode last: it is needed last, and its start would keep nodes from theirs.
    nodes.sort(key=lambda each: each.kind == CHAINCODE)
    return [_process(release, topology, state, each) for each in nodes]


def _process(release: Release, topology: Topology, state: State, node: Node) -> Spec:
    if node.kind == ORDERER:
        return _orderer(release, topology, state, node)
    if node.kind == PEER:
        return _peer(release, topology, state, node)
    return _chaincode(topology, state, node)


def _orderer(release: Release, topology: Topology, state: State, node: Node) -> Spec:
    config = ordererconfig.orderer(topology, node, _places(release, state, node))
    _write(state.config / node.name / "orderer.yaml", config)
    environment = parts.environment(
        FABRIC_CFG_PATH=str(state.config / node.name),
        FABRIC_LOGGING_SPEC=_LOGGING,
        GOMAXPROCS=_processors(topology),
    )
    return _spec(state, node, (str(release.orderer),), environment)


def _peer(release: Release, topology: Topology, state: State, node: Node) -> Spec:
    config = peerconfig.core(topology, node, _places(release, state, node))
    _write(state.config / node.name / "core.yaml", config)
    told = parts.builder_config(topology, state.crypto, node)
    environment = parts.environment(
        FABRIC_CFG_PATH=str(state.config / node.name),
        FABRIC_LOGGING_SPEC=_LOGGING,
        FABRIC_LOGGING_FORMAT=_LOG_FORMAT,
        GOMAXPROCS=_processors(topology),
        CHAINCODE_AS_A_SERVICE_BUILDER_CONFIG=json.dumps(told),
    )
    return _spec(state, node, (str(release.peer), "node", "start"), environment)


def _chaincode(topology: Topology, state: State, node: Node) -> Spec:
    """Only its own organisation's certificates may call it."""
    authority = crypto.of(state.crypto, node.member).authority("tlsca")
    return parts.chaincode_server(topology, state, node, node.name, authority)


def _processors(topology: Topology) -> str:
    """An organisation's share of this host. Go's scheduler, left alone, has a thread per processor
    in each node look for work: a fifth of a peer's time where four peers share two."""
    share = (os.cpu_count() or 1) // len(topology.organizations)
    return os.environ.get("GOMAXPROCS", str(max(1, share)))


def _spec(state: State, node: Node, command: tuple[str, ...], environment: dict[str, str]) -> Spec:
    return Spec(
        name=node.name,
        kind=node.kind,
        organization=node.organization,
        command=command,
        environment=environment,
        directory=state.data / node.name,
        log=state.log / f"{node.name}.log",
        listens=node.listens,
    )


def _places(release: Release, state: State, node: Node) -> Places:
    owned = crypto.of(state.crypto, node.member)
    return Places(
        data=state.data / node.name,
        msp=owned.msp(node),
        tls=owned.tls(node),
        tls_authorities=state.config / "tlscas.pem",
        builder=release.builder,
    )


def _write(path: Path, config: dict[str, object]) -> None:
    files.write(path, json.dumps(config, indent=1).encode())
