# SPDX-License-Identifier: Apache-2.0
"""Goal: the embedded network hears of every node. Method: read the configuration it is given."""

import json
from pathlib import Path
from typing import Any

import pytest

from pedchain_network.pki import crypto
from pedchain_network.runtimes import embedded, parts
from pedchain_network.runtimes.process import Spec
from pedchain_network.state import State
from pedchain_network.topology import reader
from pedchain_network.topology.model import Topology


@pytest.fixture
def topology() -> Topology:
    return reader.load(reader.reference())


@pytest.fixture
def specs(topology: Topology, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Spec]:
    monkeypatch.setattr(parts, "program", lambda command: command)
    state = State(tmp_path)
    crypto.create(state.crypto, topology)
    return embedded.processes(topology, state)


@pytest.fixture
def config(specs: list[Spec]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(Path(specs[0].command[-1]).read_text())
    return document


def test_two_processes_play_everybody(topology: Topology, specs: list[Spec]) -> None:
    network, chaincode = specs
    assert network.command[1:3] == ("-m", "pedchain_fabric.embedded")
    assert chaincode.kind == "chaincode"
    for node in (*topology.peers(), *topology.orderers()):
        assert node.name in network.listens


def test_every_node_has_its_identity_and_its_ports(
    topology: Topology, config: dict[str, Any]
) -> None:
    assert [peer["msp_id"] for peer in config["peers"]] == [
        each.msp_id for each in topology.organizations
    ]
    dso = topology.by_name("DSO")
    orderer = config["orderers"][0]
    assert orderer["listen"] == topology.address(topology.node("orderer", dso))
    assert orderer["admin_listen"] == topology.address(topology.node("orderer", dso), "admin")
    assert orderer["admin_client_ca"].endswith("DSO/tlsca/cert.pem")
    assert orderer["tls"]["key"].endswith("DSO/orderer0/tls/key.pem")


def test_all_peers_share_one_chaincode_process(specs: list[Spec], config: dict[str, Any]) -> None:
    served = set(specs[1].listens.values())
    for peer in config["peers"]:
        assert served < set(peer["chaincode_config"].values())


def test_a_chaincode_call_may_last_as_long_as_on_real_peers(config: dict[str, Any]) -> None:
    assert {peer["execute_timeout_s"] for peer in config["peers"]} == {5.0}


def test_every_peer_shows_the_chaincode_the_hosts_certificate(config: dict[str, Any]) -> None:
    """A server that runs would not know the authority of an organisation that joins later."""
    shown = [peer["chaincode_config"]["client_cert"] for peer in config["peers"]]
    assert len(set(shown)) == 1
