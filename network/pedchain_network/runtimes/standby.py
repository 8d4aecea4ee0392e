# SPDX-License-Identifier: Apache-2.0
"""A Python program that loads while that on which it will run is still being made.

`python -m pedchain_network.runtimes.standby MODULE` imports `MODULE.__main__` and waits for orders,
one line of JSON on standard input: arguments, environment, directory and log. Without any it ends.
With `fork` after MODULE it is the mould of many: for each empty line it makes a process that waits
for the next line, and says its pid. Four servers are then loaded once, not four times.
"""

import gc
import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import IO, Any

_MODULE = ("-m", "pedchain_network.runtimes.standby")
_FORK = "fork"
_waiting: dict[str, "_Loading"] = {}


@dataclass(frozen=True, slots=True)
class _Loading:
    child: subprocess.Popen[bytes]
    many: bool


@dataclass(frozen=True, slots=True)
class Ready:
    """A process that waits for orders. `child` is it, or the one that made it."""

    pid: int
    child: subprocess.Popen[bytes]

    @contextmanager
    def gate(self) -> Iterator[IO[bytes]]:
        """Where its orders go; without any it ends."""
        stream, told = self.child.stdin, False
        assert stream is not None
        try:
            yield stream
            stream.flush()
            told = True
        finally:
            if self.pid == self.child.pid or not told:
                stream.close()


def begin(module: str, *, many: bool = False) -> None:
    """Start loading a module, for one process or for many. Raises `OSError` if there can be no
    further process."""
    child = subprocess.Popen(  # noqa: S603 - this interpreter
        (sys.executable, *_MODULE, module, *([_FORK] if many else ())),
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE if many else subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    _waiting[module] = _Loading(child, many)


def dismiss() -> None:
    """Let go of what still waits: it ends."""
    for each in _waiting.values():
        _end(each)
    _waiting.clear()


def _end(loading: _Loading) -> None:
    for stream in (loading.child.stdin, loading.child.stdout):
        if stream is not None:
            stream.close()
    loading.child.wait()


def module_of(command: Sequence[str]) -> str | None:
    """What `begin` can load for a command; None if it is no package of this interpreter."""
    if tuple(command[:2]) != (sys.executable, "-m"):
        return None
    try:
        found = find_spec(command[2])
    except ImportError:
        return None
    package = found is not None and found.submodule_search_locations is not None
    return command[2] if package else None


def take(command: Sequence[str]) -> Ready | None:
    """A process that is ready to become `command`, if there is one."""
    module = module_of(command) or ""
    found = _waiting.get(module)
    if found is None:
        return None
    pid = _forked(found.child) if found.many else found.child.pid
    if not found.many:
        del _waiting[module]
    return Ready(pid, found.child) if pid and found.child.poll() is None else None


def _forked(child: subprocess.Popen[bytes]) -> int | None:
    """The pid of one more process; None if there is none, since the module cannot be loaded."""
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        child.stdin.write(b"\n")
        child.stdin.flush()
    except BrokenPipeError:
        return None
    return int(child.stdout.readline() or 0) or None


def orders(
    command: Sequence[str], environment: Mapping[str, str], directory: Path, log: Path
) -> bytes:
    """What makes a waiting process `command`."""
    document = {
        "arguments": list(command[3:]),
        "environment": dict(environment),
        "directory": str(directory),
        "log": str(log),
    }
    return json.dumps(document).encode() + b"\n"


def main() -> object:
    """Load, wait, obey; what the program returns."""
    if sys.argv[2:] == [_FORK]:
        return _mould(importlib.import_module(f"{sys.argv[1]}.__main__"))
    try:
        program = importlib.import_module(f"{sys.argv[1]}.__main__")
    finally:  # what is wrong with it is told in the log, once we know which
        _obey(sys.stdin.readline())
    return program.main()


def _mould(program: ModuleType) -> object:
    """Make processes until nobody asks for more; in each of them, what the program returns."""
    gc.freeze()  # what is never looked at stays shared between all of them
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while sys.stdin.readline():
        source, gate = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(gate)
            os.setsid()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            with open(source) as told:
                _obey(told.readline())
            return program.main()
        os.close(source)
        with open(gate, "w") as words:
            sys.stdout.write(f"{pid}\n")
            sys.stdout.flush()
            words.write(sys.stdin.readline())
    return None


def _obey(line: str) -> None:
    if not line:
        os._exit(0)
    given: Mapping[str, Any] = json.loads(line)
    log = os.open(given["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for stream, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(stream, target)
    os.environ.clear()
    os.environ.update(given["environment"])
    os.chdir(given["directory"])
    sys.argv[1:] = given["arguments"]


if __name__ == "__main__":
    sys.exit(main())  # type: ignore[arg-type]  # programs return None or a number, as sys.exit wants
