# SPDX-License-Identifier: Apache-2.0
"""An orderer of real Fabric that answers everybody and takes no part in ordering.

As after a restart under load, its height stands still. Here it cannot dial the others, and has to,
because it missed blocks while it was away.
"""

from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from pedchain_network.runtimes import native, process
from pedchain_network.state import State
from tests.scenarios.growing import put, topology
from tests.scenarios.harness import NOTES, Network
from tests.scenarios.harness import network as make_network

VICTIM = "orderer0.districtb.ped"
MISSED = 7


@pytest.mark.serial
@pytest.mark.native
@pytest.mark.timeout(300)
def test_doctor_finds_it_and_up_restarts_it_once(tmp_path: Path) -> None:
    with make_network("native", tmp_path, NOTES) as network:
        network.run("up")
        end(network)
        for number in range(MISSED):
            put(network, "DSO", f"k{number}", "while it was away")
        start_deaf(network)

        examined = network.run("doctor", check=False)
        assert examined.returncode == 4
        assert f"{VICTIM}: answers, but stands at height" in examined.stdout
        assert "ped-network up restarts it" in examined.stdout

        said = network.run("up").stdout
        assert said.count(f"{VICTIM} stands still at height") == 1
        assert f"{VICTIM} takes part again" in said
        assert network.status()["state"] == "up"
        assert "restarting" not in network.run("up").stdout


def end(network: Network) -> None:
    """Kill it, with what it played."""
    run = State(network.state).load()
    assert run is not None
    victim = psutil.Process(next(each.pid for each in run.processes if each.name == VICTIM))
    victim.kill()
    psutil.wait_procs([victim], 5)


def start_deaf(network: Network) -> None:
    """Start it as `up` would, on record, but so that no dial of another orderer is in time."""
    state = State(network.state)
    run = state.load()
    assert run is not None
    specs = native.processes(topology(network), state)
    spec = next(each for each in specs if each.name == VICTIM)
    deaf = {**spec.environment, "ORDERER_GENERAL_CLUSTER_DIALTIMEOUT": "1ns"}
    process.start(
        replace(spec, environment=deaf), lambda begun: state.save(run.with_process(begun))
    )
