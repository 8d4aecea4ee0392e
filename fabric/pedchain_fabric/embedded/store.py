# SPDX-License-Identifier: Apache-2.0
"""What outlives the process besides the ledgers: who joined what, installed packages.

Files are written beside their place and renamed into it, so that a kill at any moment leaves
either the old or the new state.
"""

import hashlib
import os
import re
from pathlib import Path

from pedchain_fabric.embedded.limits import MAX_PACKAGE_BYTES

_PACKAGE = re.compile(r"(.+)\.([0-9a-f]{64})\.tar\.gz")
_CHANNEL = re.compile(r"[a-z][a-z0-9.-]{0,248}")


def is_channel_name(name: str) -> bool:
    """Fabric's rule for channel ids (common/configtx/validator.go)."""
    return _CHANNEL.fullmatch(name) is not None


class Store:
    """The process's folder, or memory when `data_dir` is None."""

    def __init__(self, data_dir: Path | None) -> None:
        self._root = data_dir
        self._joined: dict[str, set[str]] = {}
        self._packages: dict[str, PackageStore] = {}
        if data_dir is not None:
            (data_dir / "channels").mkdir(parents=True, exist_ok=True)
            (data_dir / "nodes").mkdir(exist_ok=True)

    def ledger_path(self, channel: str) -> Path | None:
        """Where the channel's ledger is kept; None in memory."""
        if self._root is None:
            return None
        folder = self._root / "channels" / channel
        folder.mkdir(exist_ok=True)
        return folder / "ledger.db"

    def channels(self) -> list[str]:
        """Channels that have a ledger here."""
        if self._root is None:
            return []
        folders = (self._root / "channels").iterdir()
        return sorted(f.name for f in folders if (f / "ledger.db").exists())

    def joined(self, node: str) -> list[str]:
        """Channels this node has joined."""
        if self._root is None:
            return sorted(self._joined.get(node, ()))
        folder = self._root / "nodes" / node / "channels"
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []

    def join(self, node: str, channel: str) -> None:
        """Remembers that the node joined the channel."""
        if self._root is None:
            self._joined.setdefault(node, set()).add(channel)
            return
        folder = self._root / "nodes" / node / "channels"
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / channel, b"")

    def leave(self, node: str, channel: str) -> None:
        """Forgets a join."""
        if self._root is None:
            self._joined.get(node, set()).discard(channel)
            return
        (self._root / "nodes" / node / "channels" / channel).unlink(missing_ok=True)

    def packages(self, node: str) -> "PackageStore":
        """The chaincode packages installed on this peer."""
        if self._root is None:
            return self._packages.setdefault(node, PackageStore(None))
        return PackageStore(self._root / "nodes" / node / "packages")


class PackageStore:
    """Installed chaincode packages by id (`label:sha256`).

    Source of the id and the file name: core/chaincode/persistence/persistence.go.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._packages: dict[str, bytes] = {}
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            for path in sorted(folder.iterdir()):
                match = _PACKAGE.fullmatch(path.name)
                if match and path.stat().st_size <= MAX_PACKAGE_BYTES:
                    self._packages[f"{match[1]}:{match[2]}"] = path.read_bytes()

    def __len__(self) -> int:
        return len(self._packages)

    def ids(self) -> list[str]:
        """All package ids, sorted."""
        return sorted(self._packages)

    def get(self, package_id: str) -> bytes | None:
        """The package's bytes."""
        return self._packages.get(package_id)

    def save(self, label: str, package: bytes) -> str:
        """Keeps the package and returns its id."""
        digest = hashlib.sha256(package).hexdigest()
        if self._folder is not None:
            _write(self._folder / f"{label}.{digest}.tar.gz", package)
        self._packages[f"{label}:{digest}"] = package
        return f"{label}:{digest}"


def package_id(label: str, package: bytes) -> str:
    """The id a package has once installed."""
    return f"{label}:{hashlib.sha256(package).hexdigest()}"


def _write(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.new")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
