# SPDX-License-Identifier: Apache-2.0
"""Nodes as plain processes of this host, supervised by the record of what was started."""

import shutil
import signal
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pedchain_network import files
from pedchain_network.errors import PartError
from pedchain_network.progress import Progress
from pedchain_network.runtimes import listeners, process
from pedchain_network.runtimes.process import Process, Spec
from pedchain_network.state import Run, State
from pedchain_network.topology.model import Topology

# Clients of a node before the node, so that nobody logs a lost connection as a failure.
_ORDER = ("peer", "chaincode", "orderer", "network")


@dataclass(frozen=True, slots=True)
class Local:
    """Runtimes `native` and `embedded`: they differ in which processes a topology needs."""

    specs: Callable[[Topology, State], Sequence[Spec]]

    def parts(self, state: State, run: Run) -> Sequence[Process]:
        """Every process on record."""
        return run.processes

    def start(
        self,
        topology: Topology,
        state: State,
        run: Run,
        progress: Progress,
        only: Collection[str] = (),
    ) -> Run:
        """Start what does not run; every process is on record before the next one starts."""
        wanted = [each for each in self.specs(topology, state) if _chosen(each, only)]
        process.stop(_outgrown(wanted, run))
        running = {each.name: each for each in run.processes if each.alive}
        missing = [spec for spec in wanted if spec.name not in running]
        listeners.require_free(listener for spec in missing for listener in spec.listens.items())
        state.save(run)
        for spec in missing:
            run = _started(spec, state, run)
        for spec in wanted:
            run = _reload(spec, running.get(spec.name), run)
        state.save(run)
        if missing:
            progress.step(f"started {len(missing)} processes")
        else:
            progress.step(f"all {len(running)} processes run already")
        return run

    def stop(self, state: State, run: Run, progress: Progress, only: Collection[str] = ()) -> Run:
        """End the processes on record, clients of a node before the node."""
        chosen = [each for each in run.processes if not only or each.name in only]
        alive = sorted((each for each in chosen if each.alive), key=_rank)
        killed = process.stop(alive)
        stubborn = [each.name for each in alive if each.alive]
        if stubborn:
            raise PartError(stubborn[0], "does not end, not even when killed")
        names = {each.name for each in chosen}
        run = replace(run, processes=tuple(e for e in run.processes if e.name not in names))
        state.save(run)
        progress.step(f"ended {len(alive)} processes" if alive else "nothing runs")
        if killed:
            progress.step(f"had to be killed: {', '.join(killed)}")
        return run

    def save_data(self, topology: Topology, state: State, target: Path) -> None:
        """Copy what the nodes wrote."""
        files.directory(state.data)
        shutil.copytree(state.data, target, symlinks=True)

    def place_data(self, topology: Topology, state: State) -> None:
        """The state directory is where the nodes write."""

    def remove(self, state: State, run: Run) -> None:
        """Nothing lies outside of the state directory."""


def _started(spec: Spec, state: State, run: Run) -> Run:
    """Start a process; it is on record before it does anything. Raises `PartError`."""
    recorded = run

    def record(begun: Process) -> None:
        nonlocal recorded
        recorded = run.with_process(begun)
        state.save(recorded)

    try:
        process.start(spec, record)
    except OSError as error:
        raise PartError(spec.name, f"cannot start {spec.command[0]}: {error}") from error
    return recorded


def _chosen(spec: Spec, only: Collection[str]) -> bool:
    """Is it meant by its own name, or by that of a node it plays."""
    return not only or spec.name in only or any(name in only for name in spec.listens)


def _outgrown(wanted: Sequence[Spec], run: Run) -> list[Process]:
    """Chaincode that serves other packages than it should: it starts again, unlike nodes."""
    specs = {each.name: each for each in wanted if each.kind == "chaincode"}
    return [
        each
        for each in run.processes
        if each.alive
        and each.name in specs
        and dict(each.listens) != dict(specs[each.name].listens)
    ]


def _reload(spec: Spec, running: Process | None, run: Run) -> Run:
    """Tell the process of all nodes if there are other nodes now than when it was started."""
    if running is None or spec.kind != "network" or dict(running.listens) == dict(spec.listens):
        return run
    running.signal(signal.SIGHUP)
    return run.with_process(replace(running, listens=dict(spec.listens)))


def _rank(process: Process) -> int:
    return _ORDER.index(process.kind)
