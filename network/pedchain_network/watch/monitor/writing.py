# SPDX-License-Identifier: Apache-2.0
"""The monitor's files, made from the topology in force, and its measurements of this host."""

from pathlib import Path

import yaml

from pedchain_network import files
from pedchain_network.errors import StateError
from pedchain_network.pki import crypto
from pedchain_network.runtimes.runtime import by_name
from pedchain_network.state import State
from pedchain_network.topology.model import CHAINCODE, Node, Topology
from pedchain_network.watch.doctor import disk, expiry, onhost
from pedchain_network.watch.monitor import exporter, rules, scraping
from pedchain_network.watch.monitor.scraping import Credentials, Target

_RULES = "rules.yml"


def write(state: State, address: str) -> list[Path]:
    """The configuration and the rules; `address` is where measurements are served.

    Raises `StateError` if there is no network.
    """
    topology = state.topology()
    orderers = topology.orderers()
    targets = [_target(topology, state, e) for e in topology.nodes() if e.kind != CHAINCODE]
    bft = topology.ordering.consensus.value == "smartbft"
    documents = {
        "prometheus.yml": scraping.document(targets, address, _RULES),
        _RULES: rules.document(rules.groups(topology.channel, len(orderers), bft=bft)),
    }
    paths = []
    for name, document in documents.items():
        paths.append(state.root / "monitor" / name)
        files.write(paths[-1], yaml.safe_dump(document, sort_keys=False, width=1000).encode())
    return paths


def measure(state: State) -> str:
    """What no node measures, now. Raises `StateError` if there is no network."""
    run = state.load()
    if run is None:
        raise StateError(f"no network in {state.root}", "ped-network up")
    return exporter.text(
        expiry.merge(onhost.certificates_on_disk(state)),
        disk.look(onhost.places(state, run.runtime)),
        by_name(run.runtime).parts(state, run),
    )


def textfile(state: State, path: Path) -> None:
    """The same as a file that is there whole or not at all. Raises `StateError`, `OSError`."""
    files.write(path, measure(state).encode())


def _target(topology: Topology, state: State, node: Node) -> Target:
    credentials = None
    if topology.operations_tls(node):
        owned = crypto.of(state.crypto, node.member)
        tls = owned.user("admin") / "tls"
        credentials = Credentials(owned.authority("tlsca"), tls / "cert.pem", tls / "key.pem")
    address = topology.address(node, "operations")
    return Target(node.name, node.kind, node.organization, address, credentials)
