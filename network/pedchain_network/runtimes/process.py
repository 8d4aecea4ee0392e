# SPDX-License-Identifier: Apache-2.0
"""Processes that outlive the command that started them: started, recognised, ended.

A process is a pid and its start time, for a pid alone may be somebody else's by now. Each is the
leader of a session of its own, so that its whole group can be ended and no terminal's end ends it.
"""

import errno
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from pedchain_network import files
from pedchain_network.limits import (
    LOG_LINE_CHARACTERS,
    LOG_LINES,
    LOG_SEARCHED,
    PAUSE_S,
    STOP_TIMEOUT_S,
)
from pedchain_network.runtimes import logfile, standby
from pedchain_network.runtimes.standby import Ready

# Start times are told from the wall clock of the boot, which the kernel corrects now and then.
_SAME_START_S = 2.0


@dataclass(frozen=True, slots=True)
class Spec:
    """A process to be: `listens` maps what it serves to `host:port`."""

    name: str
    kind: str
    organization: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    directory: Path
    log: Path
    listens: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Process:
    """A process once started. `started` is the kernel's start time of the pid, in seconds."""

    name: str
    kind: str
    organization: str
    pid: int
    started: float
    log: str
    listens: Mapping[str, str]

    @property
    def alive(self) -> bool:
        """Is it this very process that runs, and not its corpse."""
        found = self._find()
        return found is not None and found.status() != psutil.STATUS_ZOMBIE

    @property
    def memory_bytes(self) -> int | None:
        """Resident memory of it and its children; None if it does not run."""
        found = self._find()
        if found is None:
            return None
        try:
            return sum(each.memory_info().rss for each in (found, *found.children(recursive=True)))
        except psutil.Error:
            return None

    def log_tail(self) -> str:
        """The last lines it wrote."""
        try:
            lines = logfile.last_words(logfile.tail(Path(self.log), LOG_SEARCHED), LOG_LINES)
        except OSError:
            return "(no log)"
        return "\n".join(f"  {self.name}| {line[:LOG_LINE_CHARACTERS]}" for line in lines)

    def read_log(self, lines: int | None, *, follow: bool) -> Iterator[str]:
        """The last lines it wrote (None: all), then with `follow` further ones as they come."""
        return logfile.read(Path(self.log), lines, follow=follow)

    def to_document(self) -> dict[str, object]:
        """As JSON."""
        return {
            "name": self.name,
            "kind": self.kind,
            "organization": self.organization,
            "pid": self.pid,
            "started": self.started,
            "log": self.log,
            "listens": dict(self.listens),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Process":
        """From JSON. Raises `KeyError` or `TypeError` for another document."""
        return cls(
            name=document["name"],
            kind=document["kind"],
            organization=document["organization"],
            pid=int(document["pid"]),
            started=float(document["started"]),
            log=document["log"],
            listens=dict(document["listens"]),
        )

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to its whole group, if it is still there."""
        if self._find() is not None:
            try:
                os.killpg(self.pid, number)
            except ProcessLookupError:
                return

    def _find(self) -> psutil.Process | None:
        try:
            found = psutil.Process(self.pid)
            return found if abs(found.create_time() - self.started) < _SAME_START_S else None
        except psutil.NoSuchProcess:
            return None


def start(spec: Spec, record: Callable[[Process], None] | None = None) -> Process:
    """Start a process and forget it as a child. Raises `OSError` if it cannot be started.

    `record` is called when the process is there, before it does anything. If we die until then it
    ends by itself: there is never a process that nobody has on record.
    """
    if not os.access(spec.command[0], os.X_OK):
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), spec.command[0])
    spec.log.parent.mkdir(parents=True, exist_ok=True)
    # Ledgers hold private data, and what a peer's builder keeps holds a key.
    files.directory(spec.directory)
    ready = standby.take(spec.command)
    orders = b"\n"
    if ready is None:
        ready = _gated(spec)
    else:
        orders = standby.orders(spec.command, spec.environment, spec.directory, spec.log)
    process = Process(
        name=spec.name,
        kind=spec.kind,
        organization=spec.organization,
        pid=ready.pid,
        started=psutil.Process(ready.pid).create_time(),
        log=str(spec.log),
        listens=dict(spec.listens),
    )
    if ready.pid == ready.child.pid:
        _adopted[ready.pid] = ready.child
    with ready.gate() as gate:
        if record is not None:
            record(process)
        gate.write(orders)
    return process


def _gated(spec: Spec) -> Ready:
    with open(spec.log, "ab") as log:
        child = subprocess.Popen(  # noqa: S603 - the command is the topology's own
            (*_GATE, *spec.command),
            env=dict(spec.environment),
            cwd=spec.directory,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Ready(child.pid, child)


# A shell that waits for a line and then becomes the program; it keeps pid and start time.
_GATE = ("/bin/sh", "-c", 'read -r line && exec "$@" </dev/null', "sh")


def below(directory: Path) -> tuple[Process, ...]:
    """What runs in a directory or below it: nodes whose record is lost."""
    found = []
    for each in psutil.process_iter(["pid", "name", "cwd", "create_time"]):
        place = each.info["cwd"]
        # Only leaders of a session of their own are ours; whoever looks around is not.
        if place and Path(place).is_relative_to(directory) and _leads(each.pid):
            name, since = Path(place).name, each.info["create_time"]
            found.append(Process(name, "network", "", each.pid, since, "", {}))
    return tuple(found)


def _leads(pid: int) -> bool:
    """Is it the leader of its session, as everything we start is."""
    try:
        return os.getsid(pid) == pid
    except ProcessLookupError:
        return False


_adopted: dict[int, subprocess.Popen[bytes]] = {}
"""Our own children: whoever starts them must reap them, or they stay zombies while we live."""


def stop(processes: Sequence[Process]) -> tuple[str, ...]:
    """End all of them, together, and wait. Returns the names of those that had to be killed."""
    for process in processes:
        process.signal(signal.SIGTERM)
    left = _wait(processes)
    for process in left:
        process.signal(signal.SIGKILL)
    _wait(left)
    return tuple(process.name for process in left)


def _wait(processes: Sequence[Process]) -> tuple[Process, ...]:
    deadline = time.monotonic() + STOP_TIMEOUT_S
    left = tuple(processes)
    while True:
        left = tuple(process for process in left if process.alive)
        for process in processes:  # also those that have just become corpses
            _reap(process.pid)
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(PAUSE_S)


def _reap(pid: int) -> None:
    child = _adopted.get(pid)
    if child is not None and child.poll() is not None:
        del _adopted[pid]
