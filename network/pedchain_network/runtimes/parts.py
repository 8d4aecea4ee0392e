# SPDX-License-Identifier: Apache-2.0
"""What the runtimes share: chaincode servers and how peers reach them, programs, environments."""

import os
import shutil
import sys
from pathlib import Path

from pedchain_fabric.admin.package import Package, service_package
from pedchain_network.errors import RuntimeMissingError
from pedchain_network.limits import PACKAGES
from pedchain_network.pki import crypto
from pedchain_network.runtimes.process import Spec
from pedchain_network.state import State
from pedchain_network.topology.model import Node, Organization, Topology
from pedchain_network.topology.node import PEER

# Variables with which nodes and chaincode would override the configuration we wrote for them.
_FOREIGN = ("CORE_", "ORDERER_", "CHAINCODE_", "FABRIC_CFG_PATH", "FABRIC_LOGGING_")


def environment(**extra: str) -> dict[str, str]:
    """Our own environment without what would override generated configuration."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(_FOREIGN)}
    return inherited | extra


def package_of(topology: Topology, label: str) -> Package:
    """What peers install for a label of the topology: the same bytes and id everywhere.

    Its address stands for its slot, not its label, so that a peer knows the address of every
    package there will ever be and need not restart for a new one. Raises `KeyError`.
    """
    return service_package(label, _slot(topology.chaincode.package(label).slot), tls=True)


def builder_config(topology: Topology, crypto_root: Path, peer: Node) -> dict[str, str]:
    """What fills the packages' templates at a peer (CHAINCODE_AS_A_SERVICE_BUILDER_CONFIG): the
    address of every slot, and the certificates of the TLS between peer and chaincode as PEM."""
    owned = crypto.of(crypto_root, peer.member)
    client = owned.chaincode_client(peer)
    addresses = {_slot(slot): topology.chaincode_address(peer, slot) for slot in range(PACKAGES)}
    return addresses | {
        "root_cert": owned.authority("tlsca").read_text(),
        "client_key": (client / "key.pem").read_text(),
        "client_cert": (client / "cert.pem").read_text(),
    }


def tls_environment(directory: Path, client_authority: Path) -> dict[str, str]:
    """The variables by which a chaincode server finds its TLS material."""
    return {
        "CHAINCODE_TLS_DISABLED": "false",
        "CHAINCODE_TLS_KEY": str(directory / "key.pem"),
        "CHAINCODE_TLS_CERT": str(directory / "cert.pem"),
        "CHAINCODE_CLIENT_CA_CERT": str(client_authority),
    }


def serve_arguments(topology: Topology, server: Node, host: str) -> list[str]:
    """The arguments that tell a chaincode program what to serve, and where."""
    arguments = []
    for each in server.packages:
        address = f"{host}:{server.port(each.label)}"
        arguments += [
            "--package",
            f"{each.contract}={address}={package_of(topology, each.label).id}",
        ]
    return arguments


def chaincode_server(
    topology: Topology, state: State, server: Node, name: str, client_authority: Path
) -> Spec:
    """One process that serves a generation's packages beside a peer; who shows a certificate that
    `client_authority` signed may call them."""
    arguments = serve_arguments(topology, server, server.listener().bind)
    directory = crypto.of(state.crypto, server.member).tls(server)
    return Spec(
        name=name,
        kind="chaincode",
        organization=server.organization,
        command=(*program(topology.chaincode.command), *arguments),
        environment=environment(**tls_environment(directory, client_authority)),
        directory=state.data / name,
        log=state.log / f"{name}.log",
        listens={f"{each.role} of {name}": each.address for each in server.listeners},
    )


def node_parts(
    topology: Topology, organization: Organization, kind: str, index: int = 0
) -> tuple[str, ...]:
    """The names of a node's parts: its own, and a peer's chaincode servers'. Raises `KeyError`."""
    found = topology.node(kind, organization, index)
    servers = topology.servers_of(found) if kind == PEER else ()
    return (found.name, *(each.name for each in servers))


def program(command: tuple[str, ...]) -> tuple[str, ...]:
    """The command with its program found: `python` is this interpreter, other names are looked
    for beside it, then on PATH. Raises `RuntimeMissingError`."""
    name, *arguments = command
    if name == "python":
        return (sys.executable, *arguments)
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.is_file() else shutil.which(name)
    if found is None:
        raise RuntimeMissingError(
            f"the chaincode's program {name!r} is not installed", "make setup"
        )
    return (found, *arguments)


def _slot(number: int) -> str:
    return f"slot{number}"
