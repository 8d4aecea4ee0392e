# SPDX-License-Identifier: Apache-2.0
"""The runtime: compose starts and ends containers, the engine tells how they are."""

import shutil
from collections.abc import Collection, Sequence
from pathlib import Path

from pedchain_network import files
from pedchain_network.limits import KEPT_LOG_LINES
from pedchain_network.pki import ownership
from pedchain_network.progress import Progress
from pedchain_network.runtimes import listeners
from pedchain_network.runtimes.docker import (
    command,
    compose,
    composefile,
    container,
    engine,
    ledgers,
    material,
    services,
    supply,
)
from pedchain_network.runtimes.docker.compose import Compose
from pedchain_network.runtimes.docker.container import ContainerPart
from pedchain_network.state import Run, State
from pedchain_network.topology.model import Node, Topology


class Docker:
    """Nodes as containers. Nothing of them is on record: labels say whose they are."""

    def parts(self, state: State, run: Run) -> Sequence[ContainerPart]:
        """The containers that exist; `stop` removes them."""
        return container.parts(state.topology(), compose.project(state))

    def start(
        self,
        topology: Topology,
        state: State,
        run: Run,
        progress: Progress,
        only: Collection[str] = (),
    ) -> Run:
        """Start what does not run. Raises `RuntimeMissingError`, `ImageMissingError`,
        `PortBusyError` or `PartError`."""
        state.save(run)
        own = ownership.here(state.crypto, topology)
        wanted = [
            node
            for node in topology.nodes()
            if node.organization in own and (not only or node.name in only)
        ]
        existing = container.parts(topology, compose.project(state))
        running = {each.name for each in existing if each.alive}
        missing = [node for node in wanted if node.name not in running]
        if not missing:
            progress.step(f"all {len(wanted)} containers run already")
            return run
        with engine.connected() as connected:
            supply.ensure(connected, topology.fabric, progress)
            settings = compose.settings(state, connected)
            kept = connected.has_volumes(compose.project(state))
        project = Compose(command.find(), state)
        project.configure(composefile.text(topology, own), settings)
        if kept and not state.genesis(topology.channel).exists():
            project.down(volumes=True)  # of a network whose state was removed by other means
        _require_ports(missing)
        material.write(topology, state, own)
        project.up([node.name for node in missing])
        progress.step(f"started {len(missing)} containers, project {compose.project(state)}")
        return run

    def stop(self, state: State, run: Run, progress: Progress, only: Collection[str] = ()) -> Run:
        """Remove containers and keep their volumes; their last lines go to `state.log`."""
        chosen = [each for each in self.parts(state, run) if not only or each.name in only]
        if not chosen:
            progress.step("nothing runs")
            return run
        for each in chosen:
            _keep_log(state, each)
        project = Compose(command.find(), state)
        if only:
            project.remove([each.name for each in chosen])
        else:
            project.down()
        progress.step(f"ended {len(chosen)} containers")
        return run

    def save_data(self, topology: Topology, state: State, target: Path) -> None:
        """Copy what the containers wrote out of their volumes. Raises `BackupError`."""
        ledgers.save(topology, state, target)

    def place_data(self, topology: Topology, state: State) -> None:
        """Make volumes of what was restored. Raises `BackupError`."""
        ledgers.place(topology, state)
        shutil.rmtree(state.data)

    def remove(self, state: State, run: Run) -> None:
        """Remove the volumes: ledgers and indexes."""
        if compose.file(state).exists():
            Compose(command.find(), state).down(volumes=True)


def _require_ports(nodes: Sequence[Node]) -> None:
    """What they publish is free. Raises `PortBusyError`."""
    listeners.require_free(
        (label, f"{listener.bind}:{listener.port}")
        for node in nodes
        for listener, label in zip(node.listeners, node.listens, strict=True)
        if services.is_published(node, listener)
    )


def _keep_log(state: State, part: ContainerPart) -> None:
    lines = part.read_log(KEPT_LOG_LINES, follow=False)
    files.write(state.log / f"{part.name}.log", "".join(f"{each}\n" for each in lines).encode())
