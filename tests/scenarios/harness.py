# SPDX-License-Identifier: Apache-2.0
"""Networks for scenarios: free ports, a directory of their own, driven by the installed command."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pedchain_network.topology.reader import reference
from tests import ports

NOTES = ("python", str(Path(__file__).parent / "notes_chaincode.py"), "serve")
"""The command that serves this folder's own small contract instead of the product's."""

_UP_TIMEOUT_S = 110
_DOCKER_TIMEOUT_S = 400  # images may have to be built first


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
        """`ped-network VERB` (`up`, `org add`) on its state; on `check` a failure shows its output.

        `environment` is added to ours, and reaches the processes that are started.
        """
        done = subprocess.run(
            self._command(verb, *options),
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=_DOCKER_TIMEOUT_S if self.runtime == "docker" else _UP_TIMEOUT_S,
        )
        if check and done.returncode:
            raise AssertionError(f"{verb} exits {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def start(self, verb: str, *options: str) -> subprocess.Popen[str]:
        """The same, but only started; its output is there line by line."""
        return subprocess.Popen(
            self._command(verb, *options),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _command(self, verb: str, *options: str) -> list[str]:
        command = [sys.executable, "-m", "pedchain_network", *verb.split()]
        command += ["--state", str(self.state)]
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
    runtime: str,
    directory: Path,
    command: tuple[str, ...] | None = None,
    topology: Path | None = None,
) -> Iterator[Network]:
    """A network on free ports, not yet up; gone afterwards.

    Its shape is the reference consortium's, or that of another topology file. `command` serves
    another contract than the topology's.
    """
    with ports.moved((topology or reference()).read_text()) as text:
        if command is not None:
            text = re.sub(r"  command: .*", f"  command: {json.dumps(list(command))}", text)
        own = directory / "consortium.yaml"
        own.write_text(text)
        made = Network(runtime, directory / "state", own)
        try:
            yield made
        finally:
            made.run("clean", "--yes")
