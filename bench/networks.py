# SPDX-License-Identifier: Apache-2.0
"""Networks to be measured on, and clients that load them with the same jobs."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.processes import BIN
from tests import ports

ROOT = Path(__file__).parent.parent
RIVALS = Path(__file__).parent / "rivals"


@contextmanager
def network(runtime: str, topology: str) -> Iterator[Path]:
    """A network of this topology on free ports, up; its state directory. Gone afterwards."""
    with tempfile.TemporaryDirectory() as folder, ports.moved(topology) as text:
        file, state = Path(folder) / "consortium.yaml", Path(folder) / "state"
        file.write_text(text)
        tool = [str(BIN / "ped-network")]
        try:
            run([*tool, "up", "--runtime", runtime, "--state", str(state), "--topology", str(file)])
            yield state
        finally:
            run([*tool, "clean", "--yes", "--state", str(state)])


def run(command: list[str]) -> None:
    """One command, from the repository's root; its output is shown if it fails."""
    path = {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **path}, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")


def serving(topology: str, command: Sequence[str]) -> str:
    """The topology with another command for all its chaincode."""
    return re.sub(r"  command: .*", f"  command: {json.dumps(list(command))}", topology)


def without(topology: str, labels: list[str]) -> str:
    """The topology without the packages of these labels and their definitions."""
    for label in labels:
        topology = re.sub(rf"(packages: .*), {label}\b", r"\1", topology)
        topology = re.sub(rf"  - {{name: {label}, .*\n", "", topology)
    return topology


class Client:
    """A client process that does jobs: ours (`python`) or the official one (`node`)."""

    def __init__(self, kind: str, profile: Path) -> None:
        command = {
            "python": [sys.executable, "-m", "bench.rivals.client"],
            "node": ["node", str(RIVALS / "node/client.js")],
        }[kind]
        self._process = subprocess.Popen(
            [*command, str(profile)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def do(self, job: dict[str, Any]) -> dict[str, float]:
        """One job's count, seconds and CPU microseconds. Raises if the client gave up."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the client ended with {self._process.wait()}")
        found: dict[str, float] = json.loads(answer)
        return found

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


@contextmanager
def client(kind: str, profile: Path) -> Iterator[Client]:
    """A client for the time of the block."""
    made = Client(kind, profile)
    try:
        yield made
    finally:
        made.close()


def node_installed() -> bool:
    """The official Node packages are there, or can be had now."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return False
    folder = RIVALS / "node"
    if (folder / "node_modules").is_dir():
        return True
    command = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--silent"]
    return subprocess.run(command, cwd=folder).returncode == 0


def go_chaincode(folder: Path) -> Path | None:
    """The contract on the official Go shim, built into `folder`; None if Go cannot."""
    if shutil.which("go") is None:
        return None
    binary = folder / "chaincode"
    built = subprocess.run(["go", "build", "-o", str(binary), "."], cwd=RIVALS / "go")
    return binary if built.returncode == 0 else None
