# SPDX-License-Identifier: Apache-2.0
"""Networks for scenarios: free ports, a directory of their own, driven by the installed command."""

import fcntl
import json
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pedchain_network.consortium import reference
from pedchain_network.topology import PORTS_PER_ORGANIZATION

NOTES = ("python", str(Path(__file__).parent / "notes_chaincode.py"), "serve")
"""The command that serves this folder's own small contract instead of the product's."""

_PORTS = range(20_000, 32_000, PORTS_PER_ORGANIZATION)  # below what systems give to clients
_USED = 40
_UP_TIMEOUT_S = 110


@dataclass(frozen=True)
class Network:
    """A network under test. `run` calls `ped-network` as a user would."""

    runtime: str
    state: Path
    topology: Path

    def run(
        self,
        verb: str,
        *options: str,
        check: bool = True,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """`ped-network VERB` on this network's state; on `check` a failure shows its output.

        `environment` is added to ours, and reaches the processes that are started.
        """
        done = subprocess.run(
            self._command(verb, *options),
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=_UP_TIMEOUT_S,
        )
        if check and done.returncode:
            raise AssertionError(f"{verb} exits {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def start(self, verb: str) -> subprocess.Popen[str]:
        """The same, but only started; its output is there line by line."""
        return subprocess.Popen(
            self._command(verb), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def _command(self, verb: str, *options: str) -> list[str]:
        command = [sys.executable, "-m", "pedchain_network", verb, "--state", str(self.state)]
        if verb == "up":
            command += ["--runtime", self.runtime, "--topology", str(self.topology)]
        return [*command, *options]

    def status(self) -> dict[str, Any]:
        """What `status --json` says."""
        document: dict[str, Any] = json.loads(self.run("status", "--json", check=False).stdout)
        return document

    def profile(self, organization: str) -> Path:
        """An organisation's connection profile."""
        return self.state / "profiles" / f"{organization}.json"

    @property
    def profiles(self) -> dict[str, Path]:
        """Every organisation's connection profile, by organisation."""
        return {path.stem: path for path in sorted((self.state / "profiles").glob("*.json"))}


@contextmanager
def network(
    runtime: str, directory: Path, command: tuple[str, ...] | None = None
) -> Iterator[Network]:
    """A network of the reference consortium's shape on free ports, not yet up; gone afterwards.

    `command` serves another contract than the product's.
    """
    with ExitStack() as stack:
        text = reference().read_text()
        for base in re.findall(r"ports: (\d+)", text):
            text = text.replace(f"ports: {base}", f"ports: {stack.enter_context(_free_ports())}", 1)
        if command is not None:
            text = re.sub(r"  command: .*", f"  command: {json.dumps(list(command))}", text)
        topology = directory / "consortium.yaml"
        topology.write_text(text)
        made = Network(runtime, directory / "state", topology)
        stack.callback(made.run, "clean")
        yield made


@contextmanager
def _free_ports() -> Iterator[int]:
    """The first of a range of ports nobody uses, and no other session takes meanwhile."""
    bases = list(_PORTS)
    random.SystemRandom().shuffle(bases)
    for base in bases:
        lock = os.open(
            Path(tempfile.gettempdir()) / f"pedchain-ports-{base}.lock",
            os.O_RDWR | os.O_CREAT,
            0o600,
        )
        try:
            if _taken(lock, base):
                continue
            yield base
            return
        finally:
            os.close(lock)
    raise RuntimeError("no free range of ports on this machine")


def _taken(lock: int, base: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for port in range(base, base + _USED):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
    except OSError:
        return True
    return False
