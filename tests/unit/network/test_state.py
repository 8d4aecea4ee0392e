# SPDX-License-Identifier: Apache-2.0
"""Goal: the record of what runs survives crashes and is never shared. Method: one directory."""

from pathlib import Path

import pytest

from pedchain_network import files
from pedchain_network.errors import StateError
from pedchain_network.runtimes.process import Process
from pedchain_network.state import Run, State
from pedchain_network.topology import reader

PEER = Process("peer0", "peer", "DSO", 4711, 12.5, "/log", {"peer0": "127.0.0.1:7051"})
RUN = Run("native", "ped", (PEER,))


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "state")


def test_nothing_on_record_is_no_run(state: State) -> None:
    assert state.load() is None


def test_the_record_comes_back(state: State) -> None:
    state.save(RUN)
    assert state.load() == RUN


def test_the_topology_in_force_comes_back(state: State) -> None:
    topology = reader.load(reader.reference())
    state.save_topology(topology)
    assert state.topology() == topology


def test_no_topology_in_force_is_no_network(state: State) -> None:
    with pytest.raises(StateError, match="no network in") as raised:
        state.topology()
    assert raised.value.fix == "ped-network up"


def test_a_restarted_process_replaces_the_older() -> None:
    newer = Process("peer0", "peer", "DSO", 4712, 13.5, "/log", {})
    assert RUN.with_process(newer).processes == (newer,)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": "run/2"}', '{"schema": "run/9"}'])
def test_a_damaged_record_is_told(state: State, text: str) -> None:
    state.save(RUN)
    (state.root / "run.json").write_text(text)
    with pytest.raises(StateError):
        state.load()


def test_only_one_command_at_a_time_changes_a_network(state: State) -> None:
    with state.locked(), pytest.raises(StateError, match="in use"), state.locked():
        pass
    with state.locked():
        pass


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"
    files.write(path, b"old")
    files.write(path, b"new", secret=True)
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]
