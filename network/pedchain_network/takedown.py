# SPDX-License-Identifier: Apache-2.0
"""`down` ends the processes and keeps the state; `clean` removes the state too."""

import shutil
from collections.abc import Sequence
from dataclasses import replace

from pedchain_network import process
from pedchain_network.errors import PartError
from pedchain_network.process import Process
from pedchain_network.progress import Progress
from pedchain_network.state import State

# Clients of a node before the node, so that nobody logs a lost connection as a failure.
_ORDER = ("peer", "chaincode", "orderer", "network")

_OWNED = ("crypto", "channel", "config", "data", "log", "profiles", "run.json")


def down(state: State, progress: Progress) -> None:
    """End every process on record, and only those. Raises `PartError` if one will not end."""
    with state.locked():
        _down(state, progress)


def clean(state: State, progress: Progress) -> None:
    """End every process and remove what `up` made; other files in the directory stay."""
    if not state.root.exists():
        progress.step("nothing to remove")
        return
    with state.locked():
        _down(state, progress)
        for name in _OWNED:
            path = state.root / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        progress.step(f"removed the network's state from {state.root}")


def _down(state: State, progress: Progress) -> None:
    run = state.load()
    alive = [each for each in run.processes if each.alive] if run else []
    if run is None or not alive:
        progress.step("nothing runs")
        return
    killed = process.stop(_ordered(alive))
    stubborn = [each.name for each in alive if each.alive]
    if stubborn:
        raise PartError(stubborn[0], "does not end, not even when killed")
    state.save(replace(run, processes=()))
    progress.step(f"ended {len(alive)} processes")
    if killed:
        progress.step(f"had to be killed: {', '.join(killed)}")


def _ordered(processes: Sequence[Process]) -> list[Process]:
    return sorted(processes, key=lambda each: _ORDER.index(each.kind))
