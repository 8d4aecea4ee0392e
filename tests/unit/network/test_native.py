# SPDX-License-Identifier: Apache-2.0
"""Goal: nodes that listen on loopback only and obey our configuration and nobody else's.
Method: read what would be started."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pedchain_network.errors import RuntimeMissingError
from pedchain_network.pki import crypto
from pedchain_network.runtimes import native, parts
from pedchain_network.runtimes.process import Spec
from pedchain_network.state import State
from pedchain_network.topology import reader
from pedchain_network.topology.model import Topology

OURS = {
    "CHAINCODE_AS_A_SERVICE_BUILDER_CONFIG",
    "CHAINCODE_TLS_DISABLED",
    "CHAINCODE_TLS_KEY",
    "CHAINCODE_TLS_CERT",
    "CHAINCODE_CLIENT_CA_CERT",
}


def release(directory: Path, *, without: str = "") -> Path:
    """A directory that looks like an unpacked Fabric release."""
    for name in ("bin/peer", "bin/orderer", "builders/ccaas/bin/build"):
        if name != without:
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("#!/bin/sh\necho Version: 3.1.5\n")
            path.chmod(0o755)
    return directory


@pytest.fixture
def topology() -> Topology:
    return reader.load(reader.reference())


@pytest.fixture
def state(tmp_path: Path, topology: Topology) -> State:
    state = State(tmp_path / "state")
    crypto.create(state.crypto, topology)
    return state


@pytest.fixture
def specs(
    topology: Topology, state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Spec]:
    monkeypatch.setenv("FABRIC_HOME", str(release(tmp_path / "fabric")))
    monkeypatch.setenv("CORE_PEER_ADDRESS", "elsewhere:7051")
    monkeypatch.setenv("ORDERER_GENERAL_LISTENADDRESS", "0.0.0.0")
    monkeypatch.setenv("CHAINCODE_ID", "another")
    monkeypatch.setattr(parts, "program", lambda command: command)
    return {spec.name: spec for spec in native.processes(topology, state)}


def config(spec: Spec, name: str) -> dict[str, object]:
    path = Path(spec.environment["FABRIC_CFG_PATH"]) / name
    document: dict[str, object] = json.loads(path.read_text())
    return document


def leaves(document: object) -> list[str]:
    if isinstance(document, dict):
        return [leaf for value in document.values() for leaf in leaves(value)]
    return [str(document)]


def test_every_organisation_has_a_peer_an_orderer_and_a_chaincode_server(
    specs: dict[str, Spec],
) -> None:
    assert len(specs) == 12
    assert {(spec.organization, spec.kind) for spec in specs.values()} == {
        (organization, kind)
        for organization in ("DSO", "DistrictA", "DistrictB", "Aggregator")
        for kind in ("peer", "orderer", "chaincode")
    }


def test_the_environment_cannot_override_the_configuration(specs: dict[str, Spec]) -> None:
    for spec in specs.values():
        assert (
            not {
                name
                for name in spec.environment
                if name.startswith(("CORE_", "ORDERER_", "CHAINCODE_"))
            }
            - OURS
        )


def test_all_listeners_are_on_loopback_and_apart(specs: dict[str, Spec]) -> None:
    addresses = [address for spec in specs.values() for address in spec.listens.values()]
    assert all(address.startswith("127.0.0.1:") for address in addresses)
    assert len(set(addresses)) == len(addresses)
    written = [
        *leaves(config(specs["peer0.dso.ped"], "core.yaml")),
        *leaves(config(specs["orderer0.dso.ped"], "orderer.yaml")),
    ]
    assert not [leaf for leaf in written if "0.0.0.0" in leaf]


def test_a_peers_gossip_and_limits_are_those_the_network_was_measured_with(
    specs: dict[str, Spec],
) -> None:
    core = json.loads(json.dumps(config(specs["peer0.districta.ped"], "core.yaml")))
    assert core["peer"]["gossip"]["publishStateInfoInterval"] == "1s"
    assert core["peer"]["gossip"]["pvtData"]["transientstoreMaxBlockRetention"] == 1000
    assert core["chaincode"]["executetimeout"] == "5s"
    assert core["ledger"]["state"]["stateDatabase"] == "goleveldb"
    assert core["peer"]["localMspId"] == "DistrictAMSP"


def test_each_peer_is_told_its_own_chaincode_addresses(
    topology: Topology, specs: dict[str, Spec]
) -> None:
    for organization in topology.organizations:
        peer = specs[topology.node_name("peer", organization)]
        told = json.loads(peer.environment["CHAINCODE_AS_A_SERVICE_BUILDER_CONFIG"])
        server = specs[topology.node_name("chaincode", organization)]
        assert {told[f"slot{each.slot}"] for each in topology.chaincode.packages} == set(
            server.listens.values()
        )


def test_a_chaincode_server_is_started_with_the_ids_peers_expect(specs: dict[str, Spec]) -> None:
    command = specs["chaincode0.dso.ped"].command
    assert command[1:4] == ("-m", "pedchain_chaincode", "serve")
    packages = [part for part in command if part.startswith("registry=")]
    assert len(packages) == 1
    name, address, ccid = packages[0].split("=")
    assert (name, address) == ("registry", "127.0.0.1:7080")
    assert ccid.startswith("registry:")


def test_peers_trust_the_tls_authority_of_every_organisation(
    topology: Topology, state: State, specs: dict[str, Spec]
) -> None:
    core = json.loads(json.dumps(config(specs["peer0.dso.ped"], "core.yaml")))
    bundle = Path(core["peer"]["tls"]["rootcert"]["file"]).read_bytes()
    for organization in topology.organizations:
        assert crypto.of(state.crypto, organization).authority("tlsca").read_bytes() in bundle


def test_an_orderers_administrators_need_a_certificate(specs: dict[str, Spec]) -> None:
    orderer = json.loads(json.dumps(config(specs["orderer0.dso.ped"], "orderer.yaml")))
    assert orderer["Admin"]["TLS"]["Enabled"]
    assert orderer["Admin"]["TLS"]["ClientAuthRequired"]
    assert orderer["General"]["TLS"]["Enabled"]


@pytest.mark.parametrize("missing", ["bin/peer", "bin/orderer", "builders/ccaas/bin/build"])
def test_a_release_with_something_missing_is_told_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setenv("FABRIC_HOME", str(release(tmp_path, without=missing)))
    with pytest.raises(RuntimeMissingError, match=missing.removesuffix("/build")) as raised:
        native.find()
    assert "FABRIC_HOME" in raised.value.fix


def test_binaries_on_the_path_are_found_with_their_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = release(tmp_path / "fabric")
    monkeypatch.delenv("FABRIC_HOME", raising=False)
    monkeypatch.setenv("PATH", f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}")
    assert native.find().orderer == home / "bin" / "orderer"


def texts(document: object) -> Iterator[str]:
    if isinstance(document, dict):
        document = list(document.values())
    if isinstance(document, list):
        for each in document:
            yield from texts(each)
    else:
        yield str(document)


def test_no_node_is_told_of_files_it_does_not_need(
    topology: Topology, state: State, specs: dict[str, Spec]
) -> None:
    """No authority's key and no administrator's: they can lie elsewhere while the network runs."""
    names = {"peer": "core.yaml", "orderer": "orderer.yaml"}
    for node in topology.nodes():
        spec = specs[node.name]
        told = [*spec.command, *spec.environment.values()]
        if node.kind in names:
            told += texts(config(spec, names[node.kind]))
        allowed = crypto.node_files(state.crypto, topology, node)
        assert all(path.exists() for path in allowed)
        used = [Path(each) for each in told if each.startswith(str(state.crypto))]
        assert used
        assert not [each for each in used if not any(each.is_relative_to(p) for p in allowed)]
        keys = {key for path in allowed for key in path.rglob("key.pem")}
        own = crypto.of(state.crypto, node.member).root / node.folder
        assert keys == set(own.rglob("key.pem"))


def test_beyond_loopback_health_and_metrics_need_a_certificate(
    topology: Topology, state: State, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    members = topology.organizations
    elsewhere = replace(members[0], host="10.0.0.1", listen="0.0.0.0")
    wider = replace(topology, organizations=(elsewhere, *members[1:]))
    monkeypatch.setenv("FABRIC_HOME", str(release(tmp_path / "fabric")))
    monkeypatch.setattr(parts, "program", lambda command: command)
    specs = {spec.name: spec for spec in native.processes(wider, state)}
    peer = json.loads(json.dumps(config(specs["peer0.dso.ped"], "core.yaml")))["operations"]
    assert peer["listenAddress"] == "0.0.0.0:7055"
    assert peer["tls"]["enabled"]
    assert peer["tls"]["clientRootCAs"]["files"][0].endswith("DSO/peer0/msp/tlscacerts/cert.pem")
    orderer = json.loads(json.dumps(config(specs["orderer0.dso.ped"], "orderer.yaml")))
    assert orderer["Operations"]["TLS"]["Enabled"]
    at_home = json.loads(json.dumps(config(specs["peer0.districta.ped"], "core.yaml")))
    assert not at_home["operations"]["tls"]["enabled"]
    assert specs["chaincode0.dso.ped"].listens["registry of chaincode0.dso.ped"].startswith("127.")


def test_peers_of_one_organisation_greet_each_other_first(
    topology: Topology, state: State, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    members = topology.organizations
    wider = replace(topology, organizations=(replace(members[0], peers=2), *members[1:]))
    crypto.create(state.crypto, wider)
    monkeypatch.setenv("FABRIC_HOME", str(release(tmp_path / "fabric")))
    monkeypatch.setattr(parts, "program", lambda command: command)
    specs = {spec.name: spec for spec in native.processes(wider, state)}
    assert len(specs) == 14
    for name, other in (("peer0.dso.ped", "7061"), ("peer1.dso.ped", "7051")):
        core = json.loads(json.dumps(config(specs[name], "core.yaml")))
        assert core["peer"]["gossip"]["bootstrap"] == f"127.0.0.1:{other}"


def test_clients_may_ping_nodes_as_often_as_grpc_does(specs: dict[str, Spec]) -> None:
    core = json.loads(json.dumps(config(specs["peer0.dso.ped"], "core.yaml")))
    orderer = json.loads(json.dumps(config(specs["orderer0.dso.ped"], "orderer.yaml")))
    assert core["peer"]["keepalive"]["minInterval"] == "5s"
    assert orderer["General"]["Keepalive"]["ServerMinInterval"] == "5s"


@pytest.mark.parametrize(("processors", "share"), [(1, "1"), (2, "1"), (8, "2"), (16, "4")])
def test_an_organisations_nodes_take_its_share_of_the_hosts_processors(
    monkeypatch: pytest.MonkeyPatch, topology: Topology, processors: int, share: str
) -> None:
    monkeypatch.delenv("GOMAXPROCS", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: processors)
    assert native._processors(topology) == share


def test_an_administrator_may_give_nodes_more_processors(
    monkeypatch: pytest.MonkeyPatch, topology: Topology
) -> None:
    monkeypatch.setenv("GOMAXPROCS", "3")
    assert native._processors(topology) == "3"
