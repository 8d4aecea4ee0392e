# SPDX-License-Identifier: Apache-2.0
"""A Python program that loads while that on which it will run is still being made.

`python -m pedchain_network.runtimes.standby MODULE` imports `MODULE.__main__` and waits for orders,
one line of JSON on standard input: arguments, environment, directory and log. Without any it ends.
"""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_MODULE = ("-m", "pedchain_network.runtimes.standby")
_waiting: dict[str, subprocess.Popen[bytes]] = {}


def begin(module: str) -> None:
    """Start loading a module. Raises `OSError` if there can be no further process."""
    _waiting[module] = subprocess.Popen(  # noqa: S603 - this interpreter
        (sys.executable, *_MODULE, module),
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def take(command: Sequence[str]) -> subprocess.Popen[bytes] | None:
    """The process that is ready to become `command`, if there is one: orders go to its `stdin`."""
    if tuple(command[:2]) != (sys.executable, "-m"):
        return None
    found = _waiting.pop(command[2], None)
    return found if found is not None and found.poll() is None else None


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
    try:
        program = importlib.import_module(f"{sys.argv[1]}.__main__")
    finally:  # what is wrong with it is told in the log, once we know which
        line = sys.stdin.readline()
        if not line:
            os._exit(0)
        _obey(json.loads(line))
    return program.main()


def _obey(given: Mapping[str, Any]) -> None:
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
