# SPDX-License-Identifier: Apache-2.0
"""`backup`: a copy of everything a network is, taken while none of its nodes writes.

Nodes are stopped together, for as long as copying takes. Copies taken one node after the other
would not do: orderers restored to different heights may order another block where one of them
holds one already, and peers may be ahead of them all. (Fabric's snapshots are no backup either:
they hold no private data and no history.)
"""

import datetime
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from pedchain_fabric.errors import AdminError
from pedchain_network.bringup import up as bringup
from pedchain_network.change.reach import Reach
from pedchain_network.errors import BackupError, NetworkError
from pedchain_network.keep import archive, ledgers
from pedchain_network.keep.archive import Ledger, Manifest
from pedchain_network.pki import ownership
from pedchain_network.progress import Progress
from pedchain_network.runtimes.choice import Choice
from pedchain_network.runtimes.runtime import by_name
from pedchain_network.state import Run, State
from pedchain_network.topology.model import Topology

KEPT = ("consortium.yaml", "channel", "crypto", "data")
"""What of a state directory cannot be made again; `data` may lie elsewhere, in volumes."""

_KEY = "key.pem"
_BUILDS = "externalbuilder"
_SPARE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class _Found:
    run: Run
    topology: Topology
    running: bool
    ledgers: tuple[Ledger, ...]
    organizations: frozenset[str]


async def backup(state: State, to: Path | None, progress: Progress, *, with_keys: bool) -> Path:
    """Write the archive and return where it is. Raises `NetworkError`.

    A running network is brought up again as soon as the copy is taken, also if that failed.
    """
    target = to or Path.cwd() / _name()
    if target.exists():
        raise BackupError(f"{target} is there already", "name another file with --to")
    staged = state.root / ".backup"
    found: _Found | None = None
    try:
        with state.locked():
            found = await _look(state, progress)
            _stage(state, found, staged, progress)
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        if found is not None:
            await _up_again(state, found, progress)
        raise
    trouble = await _up_again(state, found, progress)
    try:
        manifest = _manifest(found, staged, with_keys=with_keys)
        archive.write(target, manifest, staged)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    archive.verify(target)
    progress.step(f"{len(manifest.files)} files in {target}, read back and verified")
    if trouble is not None:
        raise trouble
    return target


async def _up_again(state: State, found: _Found, progress: Progress) -> NetworkError | None:
    """What ran before runs again, or why it does not."""
    if not found.running:
        return None
    try:
        choice = Choice(found.run.runtime, "as before")
        await bringup.up(found.topology, state, choice, progress)
    except NetworkError as error:
        progress.step(f"the network does not come up again: {error.message}")
        return error
    return None


async def _look(state: State, progress: Progress) -> _Found:
    run = state.load()
    if run is None:
        raise BackupError(f"{state.root} holds no network", "name another directory with --state")
    topology = state.topology()
    running = any(part.alive for part in by_name(run.runtime).parts(state, run))
    told: tuple[Ledger, ...] = ()
    if running:
        try:
            async with Reach(topology, state) as reach:
                told = await ledgers.look(reach)
        except AdminError as error:
            raise BackupError(
                f"a node does not tell what it holds: {error}",
                "ped-network up; or ped-network down, and back it up as it is",
            ) from error
        heights = sorted({each.height for each in told})
        progress.step(f"{len(told)} ledgers of {heights[0]} to {heights[-1]} blocks")
    else:
        progress.step("the network is down: heights of its ledgers are not known")
    return _Found(run, topology, running, told, ownership.here(state.crypto, topology))


def _stage(state: State, found: _Found, staged: Path, progress: Progress) -> None:
    shutil.rmtree(staged, ignore_errors=True)
    _require_room(state)
    runtime = by_name(found.run.runtime)
    if found.running:
        runtime.stop(state, found.run, progress)
    staged.mkdir(mode=0o700)
    runtime.save_data(found.topology, state, staged / "data")
    for name in KEPT:
        source = state.root / name
        if name == "data":
            continue
        if source.is_dir():
            shutil.copytree(source, staged / name, symlinks=True)
        elif source.exists():
            shutil.copy2(source, staged / name)
    progress.step("copied")


def _require_room(state: State) -> None:
    """The copy needs as much again where the state lies, for as long as it is being packed."""
    files = (path for name in KEPT for path in (state.root / name).rglob("*"))
    needed = sum(path.lstat().st_size for path in files) + _SPARE_BYTES
    free = shutil.disk_usage(state.root).free
    if free < needed:
        raise BackupError(
            f"{state.root} needs {needed >> 20} MiB free for the copy, {free >> 20} are",
            "free some space on that file system",
        )


def _manifest(found: _Found, staged: Path, *, with_keys: bool) -> Manifest:
    return Manifest(
        channel=found.topology.channel,
        runtime=found.run.runtime,
        fabric=found.topology.fabric,
        made_at=_now().isoformat(),
        with_keys=with_keys,
        organizations=tuple(sorted(found.organizations)),
        ledgers=found.ledgers,
        files=archive.survey(staged, dict(chosen(staged, with_keys=with_keys))),
    )


def chosen(root: Path, *, with_keys: bool) -> list[tuple[str, bool]]:
    """Names of files to keep, and which are secret: keys, and ledgers with private data.

    What peers built from chaincode packages holds their keys to it, and is built anew.
    """
    chosen = []
    for folder, _, names in sorted(os.walk(root)):
        if _BUILDS in Path(folder).relative_to(root).parts:
            continue
        for name in sorted(names):
            path = Path(folder, name)
            relative = path.relative_to(root)
            if path.is_symlink() or not path.is_file():
                raise BackupError(f"{relative} is no regular file", "remove it, then try again")
            if with_keys or name != _KEY:
                chosen.append((str(relative), name == _KEY or relative.parts[0] == "data"))
    return chosen


def _name() -> str:
    return f"pedchain-{_now():%Y%m%dT%H%M%SZ}.backup.tar.gz"


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0)
