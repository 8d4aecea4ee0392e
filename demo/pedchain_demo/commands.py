# SPDX-License-Identifier: Apache-2.0
"""The installed commands, run as a user would run them."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pedchain_demo.errors import DemoError

BIN = Path(sys.executable).parent
TAIL = 12
STOP_S = 10


def run(
    *command: str, accept: tuple[int, ...] = (0,), line: Callable[[str], None] | None = None
) -> str:
    """Runs a command to its end; returns what it printed. `line` hears each line as it comes."""
    printed = []
    # Errors go to a file: a pipe nobody reads meanwhile would stop the command when it is full.
    with tempfile.TemporaryFile("w+") as errors:
        with subprocess.Popen(
            [str(BIN / command[0]), *command[1:]], stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process:
            for text in process.stdout or ():
                printed.append(text)
                if line is not None:
                    line(text.rstrip())
        if process.returncode not in accept:
            errors.seek(0)
            last = "\n".join(("".join(printed) + errors.read()).splitlines()[-TAIL:])
            raise DemoError(f"{' '.join(command[:2])} exits {process.returncode}:\n{last}")
    return "".join(printed)


def objects(*command: str, accept: tuple[int, ...] = (0,)) -> list[dict[str, Any]]:
    """Runs a command that prints one JSON object per line."""
    return [json.loads(text) for text in run(*command, accept=accept).splitlines()]


@contextmanager
def background(log: Path, *command: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Keeps a command running; ended with the block, whatever happens in it."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            [str(BIN / command[0]), *command[1:]], stdout=file, stderr=subprocess.STDOUT
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
