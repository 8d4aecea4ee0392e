# SPDX-License-Identifier: Apache-2.0
"""Compose at work: it creates, starts and removes containers, networks and volumes."""

import hashlib
import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pedchain_network import files
from pedchain_network.errors import PartError, PortBusyError
from pedchain_network.limits import COMPOSE_TIMEOUT_S, LOG_LINE_CHARACTERS, LOG_LINES
from pedchain_network.runtimes.docker import composefile, endpoint, images, services
from pedchain_network.runtimes.docker.engine import Engine
from pedchain_network.state import State

_ALL = ("--profile", services.GATEWAYS, "--profile", services.AGENTS)
_BUSY = re.compile(r"port is already allocated|address already in use")


def project(state: State) -> str:
    """The compose project of a state directory: the same name for the same place."""
    place = hashlib.sha256(str(state.root.resolve()).encode()).hexdigest()
    return f"ped-{place[:8]}"


def file(state: State) -> Path:
    """The file that compose works from."""
    return state.config / composefile.FILE


@dataclass(frozen=True, slots=True)
class Compose:
    """Compose at work on one state directory."""

    command: tuple[str, ...]
    state: State

    def configure(self, text: str, settings: dict[str, str]) -> None:
        """Write the file, and beside it what it needs from the environment."""
        files.write(file(self.state), text.encode())
        lines = "".join(f"{key}={value}\n" for key, value in sorted(settings.items()))
        files.write(self.state.config / ".env", lines.encode())

    def check(self) -> None:
        """Is the file one that this compose understands. Raises `PartError`."""
        self._run("config", "--quiet")

    def up(self, names: Sequence[str]) -> None:
        """Create and start services and what they depend on. Raises `PartError`."""
        self._run("up", "-d", "--no-build", *names)

    def remove(self, names: Sequence[str]) -> None:
        """Stop these services and remove their containers."""
        self._run("rm", "--stop", "--force", *names)

    def down(self, *, volumes: bool = False) -> None:
        """Stop everything, the profiles' services too, and remove containers and networks."""
        self._run(*_ALL, "down", "--remove-orphans", *(["--volumes"] if volumes else []))

    def _run(self, *arguments: str) -> None:
        command = [
            *self.command,
            "--project-name",
            project(self.state),
            "--file",
            str(file(self.state)),
        ]
        try:
            done = subprocess.run(  # noqa: S603 - compose, found by us, with our own file
                [*command, *arguments],
                cwd=self.state.config,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=COMPOSE_TIMEOUT_S,
            )
        except subprocess.TimeoutExpired as error:
            text = f"has not finished within {COMPOSE_TIMEOUT_S:.0f} s"
            raise PartError("compose", text, fix="look at docker ps, then run it again") from error
        if done.returncode:
            raise _failure(done.stdout + done.stderr)


def _environment() -> dict[str, str]:
    """Ours, without what would override the settings that stand beside the file."""
    inherited = {
        key: value for key, value in os.environ.items() if not key.startswith(("PED_", "COMPOSE_"))
    }
    return inherited | {"DOCKER_HOST": endpoint.address() or ""}


def settings(state: State, connected: Engine) -> dict[str, str]:
    """What the file needs from the environment. Containers run as whoever owns the keys."""
    owner = state.crypto.stat()
    uid, gid = (0, 0) if connected.maps_root() else (owner.st_uid, owner.st_gid)
    return {
        "COMPOSE_PROJECT_NAME": project(state),
        "PED_STATE": str(state.root.resolve()),
        "PED_SOURCE": str(images.source() or state.config),
        "PED_UID": str(uid),
        "PED_GID": str(gid),
    }


def _failure(output: str) -> PartError | PortBusyError:
    lines = [line[:LOG_LINE_CHARACTERS] for line in output.splitlines() if line.strip()]
    shown = "\n".join(f"  compose| {line}" for line in lines[-LOG_LINES:])
    if _BUSY.search(output):
        return PortBusyError(
            f"a port is taken\n{shown}", "end who has it, or choose other ports in the topology"
        )
    return PartError("compose", "fails", shown, "docker ps -a shows what is there; run it again")
