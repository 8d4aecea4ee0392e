# SPDX-License-Identifier: Apache-2.0
"""Goal: a network in containers lives as one of processes does, and each container has only what
is its own. Method: the installed command and the engine's own client, on free ports."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from docker import DockerClient
from docker.models.containers import Container

from pedchain_network.runtimes.docker import command, compose, endpoint
from pedchain_network.runtimes.docker.compose import Compose
from pedchain_network.state import State
from tests.scenarios.harness import Network
from tests.scenarios.harness import network as make_network

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def engine() -> Iterator[DockerClient]:
    client = DockerClient(base_url=endpoint.address())
    yield client
    client.close()


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """A network in containers; scenarios leave it up."""
    with make_network("docker", tmp_path_factory.mktemp("docker")) as made:
        made.run("up")
        yield made


def project(network: Network) -> str:
    return compose.project(State(network.state))


def containers(engine: DockerClient, network: Network) -> dict[str, Container]:
    """Those of the network, by node; the one that ends by itself is not among them."""
    label = f"com.docker.compose.project={project(network)}"
    found = engine.containers.list(all=True, filters={"label": label})
    by_name = {each.labels["com.docker.compose.service"]: each for each in found}
    by_name.pop("volumes", None)
    return by_name


def wait_until_up(network: Network) -> dict[str, Any]:
    """What `status` says once all is well: a node just started may be behind for a moment."""
    deadline = time.monotonic() + 60
    while (status := network.status())["state"] != "up" and time.monotonic() < deadline:
        time.sleep(0.5)
    assert status["state"] == "up", status
    return status


def test_up_again_changes_nothing(up: Network, engine: DockerClient) -> None:
    before = {name: each.id for name, each in containers(engine, up).items()}
    said = up.run("up").stdout
    assert "all 12 containers run already" in said
    assert {name: each.id for name, each in containers(engine, up).items()} == before


def test_status_tells_every_container(up: Network) -> None:
    status = wait_until_up(up)
    assert status["runtime"] == "docker"
    assert {each["name"].partition("0.")[0] for each in status["parts"]} == {
        "orderer",
        "peer",
        "chaincode",
    }


def test_a_killed_container_is_named_and_the_next_up_mends_it(
    up: Network, engine: DockerClient
) -> None:
    containers(engine, up)["peer0.districtb.ped"].kill()
    status = up.status()
    assert status["state"] == "degraded"
    assert "peer0.districtb.ped" in up.run("status", check=False).stdout
    assert "started 1 containers" in up.run("up").stdout
    wait_until_up(up)


def test_containers_are_confined(up: Network, engine: DockerClient) -> None:
    for name, each in containers(engine, up).items():
        host = each.attrs["HostConfig"]
        assert host["ReadonlyRootfs"], name
        assert host["CapDrop"] == ["ALL"], name
        assert host["Memory"] > 0, name
        assert each.exec_run(["touch", "/usr/bin/x"]).exit_code != 0, name


def test_a_peer_reaches_its_own_chaincode_and_no_other(up: Network, engine: DockerClient) -> None:
    peer = containers(engine, up)["peer0.districta.ped"]
    assert peer.exec_run(["getent", "hosts", "slot0.chaincode0.districta.ped"]).exit_code == 0
    assert peer.exec_run(["getent", "hosts", "slot0.chaincode0.districtb.ped"]).exit_code != 0
    assert peer.exec_run(["getent", "hosts", "orderer0.districtb.ped"]).exit_code == 0


def test_a_node_sees_no_key_but_its_own(up: Network, engine: DockerClient) -> None:
    for name, each in containers(engine, up).items():
        found = each.exec_run(["find", "/etc/pedchain", "-name", "*key.pem"], stream=False).output
        assert isinstance(found, bytes)
        folders = {line.rpartition("/")[0] for line in found.decode().split()}
        own = {"/etc/pedchain/tls"}
        if not name.startswith("chaincode"):
            own = {"/etc/pedchain/node/tls", "/etc/pedchain/node/msp/keystore"}
        if name.startswith("peer"):
            own.add("/etc/pedchain/node/chaincode")
        assert folders == own, name


def test_nothing_is_published_beyond_loopback(up: Network, engine: DockerClient) -> None:
    for name, each in containers(engine, up).items():
        ports = each.attrs["NetworkSettings"]["Ports"]
        hosts = {bound["HostIp"] for all_ in ports.values() for bound in all_ or ()}
        assert hosts == (set() if name.startswith("chaincode") else {"127.0.0.1"}), name


def test_ledgers_outlive_containers_and_clean_leaves_nothing(
    up: Network, engine: DockerClient
) -> None:
    before = wait_until_up(up)["height"]
    up.run("down")
    assert containers(engine, up) == {}
    assert up.status()["state"] == "down"
    up.run("up")
    assert wait_until_up(up)["height"] >= before
    up.run("clean", "--yes")
    label = {"label": f"com.docker.compose.project={project(up)}"}
    assert containers(engine, up) == {}
    assert engine.volumes.list(filters=label) == []
    assert engine.networks.list(filters=label) == []


def test_the_file_at_the_root_is_accepted(tmp_path: Path) -> None:
    state = State(tmp_path)
    Compose(command.find(), state).configure((ROOT / "compose.yaml").read_text(), {})
    Compose(command.find(), state).check()
