# SPDX-License-Identifier: Apache-2.0
"""Goal: `up` goes on from whatever an earlier one left, and never turns one network into another.
Method: a state directory as earlier commands leave it."""

from dataclasses import replace
from pathlib import Path

import pytest

from pedchain_network.bringup.resuming import resume
from pedchain_network.errors import StateError
from pedchain_network.pki import crypto
from pedchain_network.runtimes.choice import Choice
from pedchain_network.state import Run, State
from pedchain_network.topology import reader
from pedchain_network.topology.model import Topology

NATIVE = Choice("native", "for a test")


@pytest.fixture
def topology() -> Topology:
    return reader.load(reader.reference())


@pytest.fixture
def state(tmp_path: Path, topology: Topology) -> State:
    """A network that has been up."""
    state = State(tmp_path)
    state.save_topology(topology)
    state.save(Run("native", "ped"))
    genesis = state.genesis("ped")
    genesis.parent.mkdir()
    genesis.write_bytes(b"block")
    return state


def test_the_first_up_is_of_the_reference_unless_told(tmp_path: Path, topology: Topology) -> None:
    assert resume(None, State(tmp_path), NATIVE) == (topology, Run("native", "ped"))


def test_without_a_topology_it_is_the_one_in_force(state: State, topology: Topology) -> None:
    larger = replace(topology, channel="ped", fabric="3.1.6")
    state.save_topology(larger)
    assert resume(None, state, NATIVE)[0] == larger


def test_another_runtime_is_refused(state: State) -> None:
    with pytest.raises(StateError, match="runtime native, not embedded"):
        resume(None, state, Choice("embedded", "for a test"))


def test_another_topology_is_refused_with_the_command_that_changes_it(
    state: State, topology: Topology
) -> None:
    members = topology.organizations
    larger = replace(topology, organizations=(replace(members[0], peers=2), *members[1:]))
    with pytest.raises(StateError, match="DSO has 1 peers, not 2") as raised:
        resume(larger, state, NATIVE)
    assert "ped-network peer add DSO" in raised.value.fix


def test_a_higher_sequence_is_taken_and_not_yet_in_force(state: State, topology: Topology) -> None:
    first, *others = topology.deployments
    next_one = replace(first, definition=replace(first.definition, sequence=2))
    wanted = replace(topology, deployments=(next_one, *others))
    assert resume(wanted, state, NATIVE)[0] == wanted
    assert state.topology() == topology


def test_in_containers_nodes_dial_names(tmp_path: Path) -> None:
    assert resume(None, State(tmp_path), Choice("docker", "for a test"))[0].dial_names


def test_before_there_is_a_channel_everything_may_change(
    tmp_path: Path, topology: Topology
) -> None:
    state = State(tmp_path)
    state.save_topology(topology)
    crypto.create(state.crypto, topology)
    members = topology.organizations
    elsewhere = replace(members[0], host="10.0.0.1", listen="10.0.0.1")
    wanted = replace(topology, organizations=(elsewhere, *members[1:]))
    assert resume(wanted, state, NATIVE)[0] == wanted
    # Only what was made for other hosts is made again.
    assert not (state.crypto / "DSO").exists()
    assert (state.crypto / "DistrictA").exists()
