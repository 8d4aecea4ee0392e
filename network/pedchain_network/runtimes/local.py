# SPDX-License-Identifier: Apache-2.0
"""Nodes as plain processes of this host, supervised by the record of what was started."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

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
        wanted = [each for each in self.specs(topology, state) if not only or each.name in only]
        running = {each.name for each in run.processes if each.alive}
        missing = [spec for spec in wanted if spec.name not in running]
        listeners.require_free(listener for spec in missing for listener in spec.listens.items())
        state.save(run)
        for spec in missing:
            try:
                run = run.with_process(process.start(spec))
            except OSError as error:
                raise PartError(spec.name, f"cannot start {spec.command[0]}: {error}") from error
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

    def remove(self, state: State, run: Run) -> None:
        """Nothing lies outside of the state directory."""


def _rank(process: Process) -> int:
    return _ORDER.index(process.kind)
