# SPDX-License-Identifier: Apache-2.0
"""Where an `up` goes on: what is in force already, and what may be asked for on top of it."""

import shutil
from dataclasses import replace

from pedchain_network.errors import StateError
from pedchain_network.pki import leaves
from pedchain_network.runtimes.choice import Choice
from pedchain_network.state import Run, State
from pedchain_network.topology import difference, reader
from pedchain_network.topology.model import Topology


def resume(given: Topology | None, state: State, choice: Choice) -> tuple[Topology, Run]:
    """The topology to bring up and the record to go on with.

    Raises `StateError` if the directory holds a network of another runtime, or one that differs
    from the topology given in more than `up` may change.
    """
    run = state.load()
    if run is not None and run.runtime != choice.runtime:
        raise StateError(
            f"{state.root} holds a network of runtime {run.runtime}, not {choice.runtime}",
            f"use --runtime {run.runtime}, another --state, or clean",
        )
    now = state.topology() if state.topology_file.exists() else None
    wanted = _wanted(given, now, choice)
    born = state.genesis(wanted.channel).exists()
    if run is None and born and state.data.exists():
        raise StateError(f"{state.root} holds a channel but no record of it", "run clean")
    if now is not None and not born:
        _forget(now, wanted, state)
    elif now is not None:
        _require_same(now, wanted, state)
    return wanted, run or Run(choice.runtime, wanted.channel)


def _wanted(given: Topology | None, now: Topology | None, choice: Choice) -> Topology:
    """In containers nodes dial each other by name, whatever the file says."""
    chosen = given or now or reader.load(reader.reference())
    return replace(chosen, dial_names=choice.runtime == "docker")


def _require_same(now: Topology, wanted: Topology, state: State) -> None:
    changes = difference.refused(now, wanted)
    if changes:
        raise StateError(
            f"{state.root} holds another network than this topology: "
            + "; ".join(each.what for each in changes),
            "; ".join(dict.fromkeys(each.fix for each in changes)) + "; or up without --topology",
        )


def _forget(now: Topology, wanted: Topology, state: State) -> None:
    """An earlier `up` ended before there was a channel: nothing is agreed yet, and what was made
    for another topology is made again."""
    for organization in now.organizations:
        kept = organization in wanted.organizations
        if organization.own_ca or (
            kept and leaves.of(now, organization) == leaves.of(wanted, organization)
        ):
            continue
        shutil.rmtree(state.crypto / organization.name, ignore_errors=True)
