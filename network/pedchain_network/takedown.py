# SPDX-License-Identifier: Apache-2.0
"""`down` ends the processes and keeps the state; `clean` removes the state too."""

import shutil

from pedchain_network.errors import PartError, StateError
from pedchain_network.progress import Progress
from pedchain_network.runtimes import process
from pedchain_network.runtimes.runtime import by_name
from pedchain_network.state import Run, State

_OWNED = (
    "crypto",
    "channel",
    "config",
    "data",
    "log",
    "profiles",
    "consortium.yaml",
    "run.json",
    "removed",
    "change.json",
)


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
        run = _down(state, progress)
        if run is not None:
            by_name(run.runtime).remove(state, run)
        for name in _OWNED:
            path = state.root / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        progress.step(f"removed the network's state from {state.root}")


def _down(state: State, progress: Progress) -> Run | None:
    try:
        run = state.load()
    except StateError as error:
        _end_strays(state, error, progress)
        return None
    if run is None:
        progress.step("nothing runs")
        return None
    return by_name(run.runtime).stop(state, run, progress)


def _end_strays(state: State, error: StateError, progress: Progress) -> None:
    """The record is of another version or damaged: whatever runs below the data is ended."""
    strays = process.below(state.data)
    process.stop(strays)
    stubborn = [each.name for each in strays if each.alive]
    if stubborn:
        raise PartError(stubborn[0], "does not end, not even when killed")
    progress.step(f"{error.message}: ended {len(strays)} processes found below {state.data}")
