# SPDX-License-Identifier: Apache-2.0
"""What brings nodes up and down, whatever they run as."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Protocol

from pedchain_network.errors import RuntimeMissingError
from pedchain_network.progress import Progress
from pedchain_network.runtimes.part import Part
from pedchain_network.state import Run, State
from pedchain_network.topology.model import Topology


class Runtime(Protocol):
    """One way to run the nodes of a topology, with what it leaves in a state directory.

    `only` names parts; empty means all. Everything may be called again at any time.
    """

    def parts(self, state: State, run: Run) -> Sequence[Part]:
        """What was started and not ended on purpose, alive or not."""
        ...

    def start(
        self,
        topology: Topology,
        state: State,
        run: Run,
        progress: Progress,
        only: Collection[str] = (),
    ) -> Run:
        """Start what does not run; on record before anything can fail. Raises `NetworkError`."""
        ...

    def stop(self, state: State, run: Run, progress: Progress, only: Collection[str] = ()) -> Run:
        """End what runs, keep what it wrote. Raises `PartError` if something will not end."""
        ...

    def save_data(self, topology: Topology, state: State, target: Path) -> None:
        """Copy what the nodes wrote into the new directory `target`, one folder per node. None of
        them may run. Raises `NetworkError`."""
        ...

    def place_data(self, topology: Topology, state: State) -> None:
        """Put where the nodes will look for it what was restored into `state.data`. Raises
        `NetworkError`."""
        ...

    def remove(self, state: State, run: Run) -> None:
        """Remove what it keeps outside of the state directory."""
        ...


def by_name(name: str) -> Runtime:
    """The runtime a record names. Raises `RuntimeMissingError` for a name that is none."""
    if name == "docker":
        from pedchain_network.runtimes.docker.runtime import Docker

        return Docker()
    from pedchain_network.runtimes import embedded, native
    from pedchain_network.runtimes.local import Local

    known = {"native": native.processes, "embedded": embedded.processes}
    if name not in known:
        raise RuntimeMissingError(f"no runtime {name!r}", f"known: docker, {', '.join(known)}")
    return Local(known[name])
