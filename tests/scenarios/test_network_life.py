# SPDX-License-Identifier: Apache-2.0
"""A network's life by its own command: up, looked at, hurt, mended, taken down, gone."""

import asyncio
import ipaddress
import signal
import time
from collections.abc import Callable

import psutil
import pytest

from pedchain_fabric.client import profile
from pedchain_fabric.errors import GatewayError
from tests.scenarios.harness import Network

ORGANIZATIONS = {"DSO", "DistrictA", "DistrictB", "Aggregator"}
#: Of four orderers three must agree on the next leader, and messages that come before their
#: receiver is there are lost (ADR 20): on a busy machine one loss in seven takes several attempts.
UNLUCKY_S = 100


def pids(network: Network) -> dict[str, int]:
    return {part["name"]: part["pid"] for part in network.status()["parts"]}


def runs(pid: int) -> bool:
    """Is there a process that is more than its own corpse."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def keep(network: Network, key: str, text: str) -> None:
    async def submit() -> None:
        async with await profile.connect(network.profile("DSO")) as gateway:
            await gateway.network("ped").contract("registry").submit("Put", key, text)

    asyncio.run(submit())


def submitted(network: Network, key: str, text: str) -> bool:
    try:
        keep(network, key, text)
    except GatewayError:
        return False
    return True


def kept(network: Network, organization: str, key: str) -> bytes:
    async def evaluate() -> bytes:
        async with await profile.connect(network.profile(organization)) as gateway:
            return await gateway.network("ped").contract("registry").evaluate("Get", key)

    return asyncio.run(evaluate())


@pytest.mark.serial
def test_a_network_lives_through_its_whole_life(fresh_network: Network) -> None:
    network = fresh_network
    assert network.run("status", check=False).returncode == 3

    said = network.run("up").stdout
    assert f"runtime {network.runtime}" in said
    assert "probe transaction endorsed by every organisation and committed" in said
    assert set(network.profiles) == ORGANIZATIONS
    assert network.status()["state"] == "up"

    before = pids(network)
    again = network.run("up").stdout
    assert "run already" in again
    assert "agreed on" not in again
    assert pids(network) == before

    keep(network, "k", "kept over a restart")

    assert network.run("down").returncode == 0
    assert not any(runs(pid) for pid in before.values())
    assert network.run("status", check=False).returncode == 3
    assert network.run("down").returncode == 0

    network.run("up")
    assert kept(network, "Aggregator", "k") == b"kept over a restart"

    network.run("clean", "--yes")
    assert {path.name for path in network.state.iterdir()} <= {"lock"}


@pytest.mark.serial
def test_a_killed_process_is_named_and_the_next_up_mends_it(fresh_network: Network) -> None:
    network = fresh_network
    network.run("up")
    victim = next(part for part in network.status()["parts"] if part["kind"] == "chaincode")
    psutil.Process(victim["pid"]).send_signal(signal.SIGKILL)
    wait_until(lambda: not runs(victim["pid"]))

    seen = network.run("status", check=False)
    assert seen.returncode == 4
    assert f"ended  {victim['name']}" in seen.stdout
    found = network.status()
    assert found["state"] == "degraded"
    assert [part["name"] for part in found["parts"] if not part["healthy"]] == [victim["name"]]

    network.run("up")
    assert network.status()["state"] == "up"
    assert pids(network)[victim["name"]] != victim["pid"]


@pytest.mark.serial
@pytest.mark.native
@pytest.mark.parametrize("fresh_network", ["native"], indirect=True)
def test_one_dead_orderer_of_four_stops_nobody(fresh_network: Network) -> None:
    network = fresh_network
    network.run("up")
    victim = next(part for part in network.status()["parts"] if part["kind"] == "orderer")
    psutil.Process(victim["pid"]).send_signal(signal.SIGKILL)
    wait_until(lambda: not runs(victim["pid"]))

    assert f"ended  {victim['name']}" in network.run("status", check=False).stdout
    wait_until(lambda: submitted(network, "k", "without it"), seconds=UNLUCKY_S)
    network.run("up")
    assert network.status()["state"] == "up"
    assert kept(network, "DistrictB", "k") == b"without it"


@pytest.mark.serial
def test_an_up_that_was_killed_is_finished_by_the_next(fresh_network: Network) -> None:
    network = fresh_network
    for _ in range(3):
        with network.start("up") as command:
            assert command.stdout is not None
            for line in command.stdout:
                if "started" in line or "run already" in line or "listen" in line:
                    break
            command.kill()
    network.run("up")
    assert network.status()["state"] == "up"


@pytest.mark.serial
def test_everything_listens_on_loopback_only(fresh_network: Network) -> None:
    network = fresh_network
    network.run("up")
    for pid in pids(network).values():
        for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
            listening = [
                connection.laddr.ip
                for connection in process.net_connections("inet")
                if connection.status == psutil.CONN_LISTEN and connection.laddr
            ]
            assert all(
                ipaddress.ip_address(ip.removeprefix("::ffff:")).is_loopback for ip in listening
            )
