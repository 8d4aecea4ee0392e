# SPDX-License-Identifier: Apache-2.0
"""Orderers and further peers come and go while the network runs."""

from functools import partial

import psutil
import pytest

from pedchain_network.state import State
from tests.scenarios.growing import NEW, comes, get, hashes, put, room, topology, up_again
from tests.scenarios.harness import Network

TEXTS = ("ordered by five", "ordered by four", "by five again")


@pytest.mark.serial
@pytest.mark.timeout(400)
def test_an_orderer_comes_goes_and_comes_back_with_nothing(fresh_network: Network) -> None:
    """What it wrote before is put aside: it must begin anew, not with blocks of another time."""
    network = fresh_network
    network.run("up")
    with room() as base:
        said = network.run("org add", NEW, "--ports", base, "--orderer").stdout
        assert "5 orderers: 4 must agree, 1 may fail, as with 4; 7 would tolerate 2" in said
        assert "orderer0.districtc.ped takes part in ordering" in said
        put(network, NEW, "k", TEXTS[0])

        said = network.run("orderer remove", NEW).stdout
        assert "4 orderers: 3 must agree, 1 may fail" in said
        put(network, NEW, "l", TEXTS[1])
        assert list((network.state / "removed").glob("orderer0.districtc.ped-*"))

        network.run("orderer add", NEW)
        put(network, "DSO", "m", TEXTS[2])
        assert len(topology(network).orderers()) == 5
        for key, text in zip("klm", TEXTS, strict=True):
            assert comes(partial(get, network, NEW, key), text)
        network.run("down")
        up_again(network)
        put(network, NEW, "n", "after a restart")
        assert network.status()["state"] == "up"


@pytest.mark.serial
@pytest.mark.timeout(400)
def test_four_orderers_are_kept_and_only_healthy_ones_are_changed(fresh_network: Network) -> None:
    network = fresh_network
    network.run("up")
    refused = network.run("orderer remove", "DistrictB", check=False)
    assert refused.returncode == 1
    assert "3 of 4 orderers would stay: too few for 1 to fail" in refused.stderr
    assert "fix: " in refused.stderr
    with room() as base:
        network.run("org add", NEW, "--ports", base)
        victim = _kill(network, "orderer0.districtb.ped")
        refused = network.run("orderer add", NEW, check=False)
        assert refused.returncode == 1
        assert victim in refused.stderr
        assert "fix: ped-network up" in refused.stderr
        assert len(topology(network).orderers()) == 4


def _kill(network: Network, name: str) -> str:
    """Kill what plays this part; the name under which it is on record."""
    run = State(network.state).load()
    assert run is not None
    victim = next(each for each in run.processes if name in each.listens)
    psutil.Process(victim.pid).kill()
    psutil.wait_procs([psutil.Process(victim.pid)] if psutil.pid_exists(victim.pid) else [], 5)
    return victim.name


@pytest.mark.serial
@pytest.mark.timeout(400)
def test_a_second_peer_has_all_and_goes_again(fresh_network: Network) -> None:
    network = fresh_network
    network.run("up")
    put(network, "DSO", "k", "from before")
    said = network.run("peer add", "DSO").stdout
    assert "peer1.dso.ped holds what peer0.dso.ped holds, by its commit hash" in said
    put(network, "DistrictA", "l", "from after")
    assert comes(lambda: get(network, "DSO", "l"), "from after")
    found = hashes(network)
    assert len(found) == 5
    assert len(set(found.values())) == 1

    network.run("peer remove", "DSO")
    assert len(topology(network).peers()) == 4
    assert list((network.state / "removed").glob("peer1.dso.ped-*"))
    refused = network.run("peer remove", "DSO", check=False)
    assert "DSO has one peer" in refused.stderr
    put(network, "DSO", "m", "by one again")
    assert comes(lambda: get(network, "DSO", "l"), "from after")
