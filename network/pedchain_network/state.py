# SPDX-License-Identifier: Apache-2.0
"""The state directory: where everything a network leaves on disk lies."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pedchain_network import files
from pedchain_network.errors import StateError
from pedchain_network.runtimes.process import Process

if TYPE_CHECKING:  # reading one loads the protocol's messages, which `status` has no need of
    from pedchain_network.topology.model import Topology

_SCHEMA = "run/2"


@dataclass(frozen=True, slots=True)
class Run:
    """What is (or was last) running here."""

    runtime: str
    channel: str
    processes: tuple[Process, ...] = ()

    def with_process(self, process: Process) -> "Run":
        """The same run with this process in place of any older one of its name."""
        others = tuple(each for each in self.processes if each.name != process.name)
        return replace(self, processes=(*others, process))


@dataclass(frozen=True, slots=True)
class State:
    """Paths below one directory, and the record of what runs."""

    root: Path

    @property
    def crypto(self) -> Path:
        """Certificates and keys, one directory per organisation."""
        return self.root / "crypto"

    @property
    def data(self) -> Path:
        """Ledgers of peers and orderers."""
        return self.root / "data"

    @property
    def log(self) -> Path:
        """One log per process."""
        return self.root / "log"

    @property
    def config(self) -> Path:
        """Generated configuration of nodes."""
        return self.root / "config"

    @property
    def profiles(self) -> Path:
        """Connection profiles, one per organisation."""
        return self.root / "profiles"

    @property
    def topology_file(self) -> Path:
        """The topology in force: what the network is now, not what somebody wishes it were."""
        return self.root / "consortium.yaml"

    def topology(self) -> "Topology":
        """The topology in force. Raises `StateError` if there is none."""
        from pedchain_network.topology import reader

        if not self.topology_file.exists():
            raise StateError(f"no network in {self.root}", "ped-network up")
        return reader.load(self.topology_file)

    def save_topology(self, topology: "Topology") -> None:
        """Put a topology in force: once it is, not before."""
        from pedchain_network.topology import writer

        files.write(self.topology_file, writer.text(topology).encode())

    def genesis(self, channel: str) -> Path:
        """The channel's genesis block."""
        return self.root / "channel" / f"{channel}.block"

    def load(self) -> Run | None:
        """The record, or None if nothing ever ran here. Raises `StateError`."""
        try:
            text = self._record.read_text()
        except FileNotFoundError:
            return None
        try:
            document = json.loads(text)
            if document["schema"] != _SCHEMA:
                raise StateError(
                    f"{self._record} is of another version",
                    "ped-network clean, or the version of pedchain that made it",
                )
            processes = tuple(Process.from_document(each) for each in document["processes"])
            return Run(document["runtime"], document["channel"], processes)
        except (ValueError, KeyError, TypeError) as error:
            raise StateError(f"{self._record} is damaged", "ped-network clean") from error

    def save(self, run: Run) -> None:
        """Replace the record."""
        document = {
            "schema": _SCHEMA,
            "runtime": run.runtime,
            "channel": run.channel,
            "processes": [each.to_document() for each in run.processes],
        }
        files.write(self._record, json.dumps(document, indent=1).encode())

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else changes this network meanwhile. Raises `StateError` if somebody does."""
        self.root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise StateError(f"{self.root} is in use by another ped-network", "wait") from error
        try:
            yield
        finally:
            os.close(descriptor)

    @property
    def _record(self) -> Path:
        return self.root / "run.json"
