# SPDX-License-Identifier: Apache-2.0
"""Goal: a network that cannot come up says which part and why. Method: parts that fail at once."""

import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pedchain_network import takedown
from pedchain_network.bringup import up as bringup
from pedchain_network.errors import NetworkError, PartError, PortBusyError, StateError
from pedchain_network.progress import Progress
from pedchain_network.runtimes import parts, process
from pedchain_network.runtimes.choice import Choice
from pedchain_network.state import Run, State
from pedchain_network.topology import reader
from pedchain_network.topology.model import Topology
from tests import ports

NATIVE = Choice("native", "for a test")
EMBEDDED = Choice("embedded", "for a test")
VERSION = "import sys\nif sys.argv[1:] == ['version']:\n    sys.exit(print(' Version: v3.1.9'))\n"


@pytest.fixture
def topology(tmp_path: Path) -> Iterator[Topology]:
    """The reference on free ports, with a contract that only waits."""
    with ports.moved(reader.reference().read_text()) as text:
        path = tmp_path / "consortium.yaml"
        path.write_text(text)
        made = reader.load(path)
        waiting = ("python", "-c", "import time; time.sleep(60)")
        yield replace(made, chaincode=replace(made.chaincode, command=waiting))


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = State(tmp_path / "state")
    yield state
    takedown.clean(state, Progress(lambda line: None))


@pytest.fixture
def fabric(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Fabric release whose peer waits and whose orderer panics."""
    home = tmp_path / "fabric"
    programs = {
        "bin/peer": f"{VERSION}import time\ntime.sleep(60)\n",
        "bin/orderer": f"{VERSION}print('panic: no luck today')\nsys.exit(2)\n",
        "builders/ccaas/bin/build": "",
    }
    for name, code in programs.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!{sys.executable}\n{code}")
        path.chmod(0o755)
    monkeypatch.setenv("FABRIC_HOME", str(home))
    return home


async def up(topology: Topology, state: State, choice: Choice) -> list[str]:
    lines: list[str] = []
    await bringup.up(topology, state, choice, Progress(lines.append))
    return lines


@pytest.mark.usefixtures("fabric")
async def test_a_node_that_dies_is_named_with_its_last_words(
    topology: Topology, state: State
) -> None:
    with pytest.raises(PartError, match="panic: no luck today") as raised:
        await up(topology, state, NATIVE)
    assert raised.value.part.startswith("orderer0.")


@pytest.mark.usefixtures("fabric")
async def test_what_was_started_is_on_record_and_ended_by_down(
    topology: Topology, state: State
) -> None:
    with pytest.raises(PartError):
        await up(topology, state, NATIVE)
    run = state.load()
    assert run is not None
    assert len(run.processes) == 12
    takedown.down(state, Progress(lambda line: None))
    assert not [each.name for each in run.processes if each.alive]


@pytest.mark.usefixtures("fabric")
async def test_a_busy_port_is_named_with_its_owner_before_anything_starts(
    topology: Topology, state: State
) -> None:
    port = topology.by_name("DistrictB").ports.peer()
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", port))
        squatter.listen()
        with pytest.raises(PortBusyError, match=rf"127.0.0.1:{port}, wanted for peer0") as raised:
            await up(topology, state, NATIVE)
    assert "pid" in raised.value.message
    run = state.load()
    assert run is None or run.processes == ()


async def test_a_missing_program_is_told_before_anything_starts(
    topology: Topology, state: State
) -> None:
    absent = replace(topology.chaincode, command=("no-such-program",))
    with pytest.raises(NetworkError, match="no-such-program"):
        await up(replace(topology, chaincode=absent), state, EMBEDDED)
    assert state.load() is None


async def test_a_state_of_another_runtime_is_not_touched(topology: Topology, state: State) -> None:
    state.save(Run("native", "ped"))
    with pytest.raises(StateError, match="runtime native, not embedded"):
        await up(topology, state, EMBEDDED)


async def test_a_channel_without_record_is_not_guessed_at(topology: Topology, state: State) -> None:
    genesis = state.genesis("ped")
    genesis.parent.mkdir(parents=True)
    genesis.write_bytes(b"a block of another time")
    state.data.mkdir()
    with pytest.raises(StateError, match="no record"):
        await up(topology, state, EMBEDDED)


def test_python_in_the_topology_is_this_python() -> None:
    assert parts.program(("python", "x.py")) == (sys.executable, "x.py")


def test_clean_removes_what_up_made_and_nothing_else(tmp_path: Path) -> None:
    state = State(tmp_path)
    state.save(Run("embedded", "ped"))
    state.log.mkdir()
    (tmp_path / "notes.txt").write_text("mine")
    takedown.clean(state, Progress(lambda line: None))
    assert {path.name for path in tmp_path.iterdir()} == {"notes.txt", "lock"}


def test_down_without_a_network_is_no_error(tmp_path: Path) -> None:
    lines: list[str] = []
    takedown.down(State(tmp_path / "none"), Progress(lines.append))
    assert "nothing runs" in lines[0]
    assert process.stop([]) == ()
