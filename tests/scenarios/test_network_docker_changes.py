# SPDX-License-Identifier: Apache-2.0
"""Goal: a network in containers is changed while it runs, by the same commands as one of processes.

Method: one network; each change leaves it as one that the next can begin with.
"""

import ssl
import time
from collections.abc import Iterator

import pytest
from cryptography import x509

from pedchain_network.state import State
from pedchain_network.topology import reader
from tests.scenarios.growing import NEW, hashes, room, topology
from tests.scenarios.harness import Network
from tests.scenarios.harness import network as make_network

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """A network in containers."""
    with make_network("docker", tmp_path_factory.mktemp("changes")) as made:
        made.run("up")
        yield made


def settled(network: Network) -> list[str]:
    """The names of its nodes, once all is well."""
    deadline = time.monotonic() + 60
    while (status := network.status())["state"] != "up" and time.monotonic() < deadline:
        time.sleep(0.5)
    assert status["state"] == "up", status
    return [each["name"] for each in status["nodes"]]


def shown(network: Network, node: str) -> int:
    """Serial number of the certificate that a node shows who connects to it."""
    host, _, port = topology(network).address(topology(network).find(node)).rpartition(":")
    pem = ssl.get_server_certificate((host, int(port)))
    return x509.load_pem_x509_certificate(pem.encode()).serial_number


@pytest.mark.parametrize("node", ["orderer0.dso.ped", "peer0.districta.ped"])
def test_a_nodes_certificate_and_key_are_renewed(up: Network, node: str) -> None:
    before = shown(up, node)
    up.run("cert renew", "--node", node, "--new-key")
    assert shown(up, node) != before
    settled(up)


def test_new_code_is_served_beside_the_old(up: Network) -> None:
    said = up.run("chaincode upgrade", "registry", "--new-code", "--version", "2").stdout
    assert "registry" in said
    named = [each for each in topology(up).deployments if each.definition.name == "registry"]
    assert [(each.definition.version, each.definition.sequence) for each in named] == [("2", 2)]
    settled(up)


def test_an_organisation_and_its_orderer_join(up: Network) -> None:
    with room() as base:
        up.run("org add", NEW, "--ports", base)
        assert f"peer0.{NEW.lower()}.ped" in settled(up)
        assert len(set(hashes(up).values())) == 1

        said = up.run("orderer add", NEW).stdout
        assert f"orderer0.{NEW.lower()}.ped takes part in ordering" in said
        assert f"orderer0.{NEW.lower()}.ped" in settled(up)

        up.run("org remove", NEW)
        assert not [name for name in settled(up) if NEW.lower() in name]


def test_an_image_that_nobody_has_is_named_with_a_remedy(up: Network) -> None:
    path = up.topology.with_name("missing.yaml")
    path.write_text(reader.reference().read_text().replace('fabric: "3.1.5"', 'fabric: "3.1.99"'))
    elsewhere = Network("docker", up.state.with_name("missing"), path)
    try:
        done = elsewhere.run("up", check=False)
    finally:
        elsewhere.run("clean", "--yes")
    assert done.returncode == 1
    assert "image hyperledger/fabric-peer:3.1.99 is not here and" in done.stderr
    assert "fix: docker pull hyperledger/fabric-peer:3.1.99" in done.stderr
    assert State(up.state).load() is not None
