# SPDX-License-Identifier: Apache-2.0
"""What containers wrote, out of their volumes and back: for backups.

A container that is never started has all volumes; the engine reads and writes files through it.
"""

import io
import os
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from docker.models.containers import Container

from pedchain_network.errors import BackupError
from pedchain_network.runtimes.docker import compose, engine, images
from pedchain_network.state import State
from pedchain_network.topology.model import Topology

_ROOT = "volumes"
_MEMORY_BYTES = 64 << 20


def save(topology: Topology, state: State, target: Path) -> None:
    """Copy every volume's files to `target/<name>`; no container may write meanwhile.

    Raises `BackupError` or `RuntimeMissingError`.
    """
    project = compose.project(state)
    with engine.connected() as connected, connected.patient():
        names = connected.volumes(project)
        with _holding(connected, topology, project, names) as container, _spool() as spool:
            for chunk in container.get_archive(f"/{_ROOT}")[0]:
                spool.write(chunk)
            spool.seek(0)
            with tarfile.open(fileobj=spool) as tar:
                _unpack(tar, target)


def place(topology: Topology, state: State) -> None:
    """Make volumes of what is in `state.data`, which are as the nodes themselves wrote them.

    Raises `BackupError` if the project has volumes already, or `RuntimeMissingError`.
    """
    project = compose.project(state)
    names = sorted(each.name for each in state.data.iterdir() if each.is_dir())
    with engine.connected() as connected, connected.patient():
        kept = connected.volumes(project)
        if kept:
            raise BackupError(
                f"volumes of another network at {state.root} are kept: {', '.join(kept)}",
                "ped-network clean, or restore into another directory",
            )
        owner = compose.settings(state, connected)
        connected.create_volumes(project, names)
        with _holding(connected, topology, project, names) as container, _spool() as spool:
            with tarfile.open(fileobj=spool, mode="w") as tar:
                _pack(tar, state.data, int(owner["PED_UID"]), int(owner["PED_GID"]))
            spool.seek(0)
            container.put_archive("/", spool)


@contextmanager
def _holding(
    connected: engine.Engine, topology: Topology, project: str, names: list[str]
) -> Iterator[Container]:
    mounts = {f"{project}_{name}": f"/{_ROOT}/{name}" for name in names}
    container = connected.holder(images.fabrics("peer", topology.fabric), mounts)
    try:
        yield container
    finally:
        container.remove(v=True)


def _spool() -> tempfile.SpooledTemporaryFile[bytes]:
    return tempfile.SpooledTemporaryFile(_MEMORY_BYTES)


def _unpack(tar: tarfile.TarFile, target: Path) -> None:
    """Files below the archive's root; anything but files and folders is no ledger."""
    for member in tar:
        inside = Path(member.name).parts[1:]
        place = target.joinpath(*inside)
        if ".." in inside:
            raise BackupError(f"{member.name} in a volume leaves it")
        if member.isdir():
            place.mkdir(parents=True, exist_ok=True)
            continue
        content = tar.extractfile(member) if member.isreg() else None
        if content is None:
            raise BackupError(f"{member.name} in a volume is no regular file")
        place.parent.mkdir(parents=True, exist_ok=True)
        _copy(content, place)


def _copy(content: IO[bytes], place: Path) -> None:
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        while chunk := content.read(1 << 20):
            file.write(chunk)


def _pack(tar: tarfile.TarFile, source: Path, uid: int, gid: int) -> None:
    def owned(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid, member.gid, member.uname, member.gname = uid, gid, "", ""
        return member

    root = tarfile.TarInfo(_ROOT)
    root.type, root.mode = tarfile.DIRTYPE, 0o755
    tar.addfile(root, io.BytesIO())
    for each in sorted(source.iterdir()):
        tar.add(each, f"{_ROOT}/{each.name}", filter=owned)
