# SPDX-License-Identifier: Apache-2.0
"""Goal: a compose file that gives each container what it needs and nothing else.
Method: read what is generated from the reference consortium."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from pedchain_network.runtimes.docker import composefile
from pedchain_network.topology import reader
from pedchain_network.topology.model import Topology

ROOT = Path(__file__).resolve().parents[3]

Services = Mapping[str, Mapping[str, Any]]


@pytest.fixture(scope="module")
def topology() -> Topology:
    return reader.load(reader.reference())


@pytest.fixture(scope="module")
def document(topology: Topology) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(composefile.text(topology))
    return loaded


@pytest.fixture(scope="module")
def services(document: dict[str, Any]) -> Services:
    found: Services = document["services"]
    return found


@pytest.fixture(scope="module")
def lasting(services: Services) -> Services:
    return {name: each for name, each in services.items() if name != "volumes"}


def of_kind(services: Services, kind: str) -> Services:
    return {
        name: each
        for name, each in services.items()
        if each.get("labels", {}).get("pedchain.kind") == kind
    }


def binds(service: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [each for each in service["volumes"] if each["type"] == "bind"]


def test_the_file_at_the_root_is_the_reference_consortium(topology: Topology) -> None:
    committed = (ROOT / "compose.yaml").read_text()
    assert committed == composefile.text(topology), "make compose writes it anew"


@pytest.mark.parametrize("command", ["docker compose", "docker-compose"], ids=["v2", "v1.29"])
def test_compose_itself_reads_the_file_at_the_root(command: str, tmp_path: Path) -> None:
    """No engine is needed for that."""
    words = command.split()
    if (
        not shutil.which(words[0])
        or subprocess.run([*words, "version"], capture_output=True).returncode
    ):
        pytest.skip(f"{command} is not installed")
    done = subprocess.run(
        [*words, "-f", str(ROOT / "compose.yaml"), "config", "--quiet"],
        env={**os.environ, "PED_STATE": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_every_organisation_has_its_own_orderer_peer_and_chaincode(services: Services) -> None:
    for kind in ("orderer", "peer", "chaincode"):
        assert set(of_kind(services, kind)) == {
            f"{kind}0.{name}.ped" for name in ("dso", "districta", "districtb", "aggregator")
        }


def test_images_are_pinned(services: Services) -> None:
    images = {each["image"] for each in services.values()}
    assert {"hyperledger/fabric-peer:3.1.5", "hyperledger/fabric-orderer:3.1.5"} < images
    assert all(image.rpartition(":")[2][0].isdigit() for image in images)


def test_another_version_of_fabric_is_another_image(topology: Topology) -> None:
    text = composefile.text(replace(topology, fabric="3.1.4"))
    assert "hyperledger/fabric-peer:3.1.4" in text
    assert "3.1.5" not in text


def test_nobody_who_stays_is_root_or_may_become_more_than_it_is(lasting: Services) -> None:
    for service in lasting.values():
        assert service["user"] == "${PED_UID:-1000}:${PED_GID:-1000}"
        assert service["cap_drop"] == ["ALL"]
        assert "cap_add" not in service
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["read_only"] is True


def test_the_one_who_hands_volumes_over_has_no_network_and_sees_no_key(services: Services) -> None:
    service = services["volumes"]
    assert service["network_mode"] == "none"
    assert service["cap_add"] == ["CHOWN"]
    assert binds(service) == []
    assert "restart" not in service


def test_who_stays_is_limited_watched_and_started_again(lasting: Services) -> None:
    for service in lasting.values():
        assert service["mem_limit"].endswith("m")
        assert service["cpu_quota"] > 0
        assert service["pids_limit"] > 0
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] == "CMD"
        assert service["logging"]["options"]["max-size"]


def test_each_sees_its_own_keys_only(lasting: Services) -> None:
    for name, service in lasting.items():
        organization = service["labels"]["pedchain.organization"]
        for bind in binds(service):
            _, _, path = bind["source"].partition("/crypto/")
            if not path or path == f"{organization}/tlsca/cert.pem":
                continue
            folder = "users/gateway" if "users" in path else name.partition(".")[0]
            assert path.startswith(f"{organization}/{folder}"), (name, path)


def test_no_authoritys_and_no_administrators_key_is_mounted(services: Services) -> None:
    sources = [bind["source"] for each in services.values() for bind in binds(each)]
    assert sources
    for source in sources:
        assert "/users/admin" not in source
        assert not source.endswith(("/ca", "/tlsca", "/crypto")), source
        assert "/ca/" not in source


def test_what_is_mounted_from_the_state_is_read_only_but_for_agents(lasting: Services) -> None:
    for service in lasting.values():
        writable = [bind["source"] for bind in binds(service) if not bind["read_only"]]
        expected = service["labels"]["pedchain.kind"] == "agent"
        assert bool(writable) is expected


def test_the_reference_is_published_on_loopback_alone(services: Services) -> None:
    published = [port for each in services.values() for port in each.get("ports", ())]
    assert len(published) == 4 * 5 + 2
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_an_organisation_that_listens_elsewhere_is_published_there(topology: Topology) -> None:
    first, *others = topology.organizations
    opened = replace(topology, organizations=(replace(first, listen="192.0.2.7"), *others))
    services = yaml.safe_load(composefile.text(opened))["services"]
    assert services["peer0.dso.ped"]["ports"][0] == "192.0.2.7:7051:7051"
    assert services["peer0.districta.ped"]["ports"][0] == "127.0.0.1:7151:7151"


def test_chaincode_meets_nobody_but_its_own_organisation(document: dict[str, Any]) -> None:
    for name, service in of_kind(document["services"], "chaincode").items():
        own = name.split(".")[1]
        assert list(service["networks"]) == [own]
        assert document["networks"][own] == {"internal": True}
        assert "ports" not in service


def test_a_package_is_found_by_the_name_of_its_slot(topology: Topology, services: Services) -> None:
    for peer in topology.peers():
        named = replace(topology, dial_names=True)
        wanted = {named.chaincode_address(peer, each.slot) for each in topology.chaincode.packages}
        (server,) = topology.servers_of(peer)
        (network,) = services[server.name]["networks"].values()
        found = {
            f"{alias}:{port}"
            for alias, port in zip(
                network["aliases"], [each.port for each in server.listeners], strict=True
            )
        }
        assert found == wanted


def test_organisations_meet_in_the_consortiums_network_only(services: Services) -> None:
    for service in of_kind(services, "orderer").values():
        assert service["networks"] == ["consortium"]
    for name, service in of_kind(services, "peer").items():
        assert service["networks"] == ["consortium", name.split(".")[1]]
    for kind in ("gateway", "agent"):
        for service in of_kind(services, kind).values():
            assert "consortium" not in service["networks"]


def test_agents_meet_their_gateway_and_never_a_peer(services: Services) -> None:
    (agent,) = services["agent0.districta.ped"]["networks"]
    assert agent in services["gateway0.districta.ped"]["networks"]
    assert agent not in services["peer0.districta.ped"]["networks"]


def test_gateways_and_agents_of_districts_wait_for_their_profiles(services: Services) -> None:
    behind = {name: each["profiles"] for name, each in services.items() if "profiles" in each}
    assert behind == {
        f"{kind}0.{district}.ped": [f"{kind}s"]
        for kind in ("gateway", "agent")
        for district in ("districta", "districtb")
    }


def test_ledgers_are_named_volumes(document: dict[str, Any]) -> None:
    services = document["services"]
    for kind in ("orderer", "peer"):
        for name, service in of_kind(services, kind).items():
            mounted = [each for each in service["volumes"] if each["type"] == "volume"]
            assert mounted == [{"type": "volume", "source": name, "target": "/var/hyperledger"}]
            assert name in document["volumes"]


def test_one_organisations_part_needs_nothing_of_the_others(topology: Topology) -> None:
    document = yaml.safe_load(composefile.text(topology, ["DistrictA"]))
    kinds = {each.partition("0.")[0] for each in document["services"]}
    assert kinds == {"volumes", "orderer", "peer", "chaincode", "gateway", "agent"}
    assert "districtb" not in str(document).lower()
    assert set(document["networks"]) == {"consortium", "districta", "districta-clients"}
