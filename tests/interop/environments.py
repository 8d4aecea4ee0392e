# SPDX-License-Identifier: Apache-2.0
"""Other projects' software, each in an environment of its own, exactly the versions pinned here.

    python -m tests.interop.environments

makes them. Tests take them as they are; in a run on real Fabric, and where `CI` is set, they are
made if need be. Whoever has no registry in reach goes without, and is told so.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
_MADE: Final = FOLDER / ".environments"
_SECONDS: Final = 240


@dataclass(frozen=True)
class Environment:
    """`program` runs in it; it is complete if `stamp` holds what `pins` hold."""

    name: str
    program: Path
    pins: Path
    stamp: Path
    make: Callable[["Environment"], None]

    @property
    def ready(self) -> bool:
        """Whether it is there, in the versions pinned."""
        made = self.stamp.is_file() and self.stamp.read_bytes() == self.pins.read_bytes()
        return made and self.program.exists()


class MissingError(Exception):
    """An environment is not there and could not be made; the text says why."""


def required(environment: Environment, *, make: bool) -> Environment:
    """The environment, made if it is not there and may be. Raises `MissingError`."""
    if environment.ready:
        return environment
    if not make:
        raise MissingError(
            f"{environment.name} is not here: python -m tests.interop.environments makes it"
        )
    try:
        environment.make(environment)
    except (OSError, subprocess.SubprocessError) as error:
        raise MissingError(f"{environment.name} cannot be installed: {_reason(error)}") from error
    environment.stamp.write_bytes(environment.pins.read_bytes())
    return environment


def _reason(error: Exception) -> str:
    said = getattr(error, "stderr", None) or str(error)
    return " ".join(str(said).split())[-300:]


def _run(*command: str | Path, cwd: Path = FOLDER) -> None:
    subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True, timeout=_SECONDS)


def _python(environment: Environment) -> None:
    """Everything is pinned, so nothing is resolved: what the packages demand is often outdated."""
    uv = Path(sys.executable).with_name("uv")
    folder = environment.program.parent.parent
    shutil.rmtree(folder, ignore_errors=True)
    _run(uv, "venv", "--quiet", "--python", sys.executable, folder)
    _run(
        uv, "pip", "install", "--quiet", "--no-deps",
        "--python", environment.program, "--requirement", environment.pins,
    )  # fmt: skip


def _node(environment: Environment) -> None:
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise OSError("Node and npm are not on this machine")
    _run(npm, "ci", "--silent", "--fetch-retries", "1", cwd=environment.pins.parent)


def _of_python(name: str, folder: str) -> Environment:
    place = _MADE / folder
    return Environment(
        name,
        program=place / "bin" / "python",
        pins=FOLDER / folder / "requirements.txt",
        stamp=place / "pins",
        make=_python,
    )


HFC: Final = _of_python("fabric-sdk-py 1.0.0 (hfc)", "hfc")
CHAINCODE_PYTHON: Final = _of_python("fabric-chaincode-python 2.5.4", "fcp")
NODE: Final = Environment(
    "the official Node client and chaincode",
    program=FOLDER / "node" / "node_modules" / ".bin" / "fabric-chaincode-node",
    pins=FOLDER / "node" / "package-lock.json",
    stamp=FOLDER / "node" / "node_modules" / ".pins",
    make=_node,
)
ALL: Final = (NODE, HFC, CHAINCODE_PYTHON)


def node() -> str:
    """The Node program."""
    return shutil.which("node") or "node"


def asked(markers: str) -> bool:
    """Whether a test run that selects by `markers` is to make what is missing."""
    return "CI" in os.environ or ("native" in markers and "not native" not in markers)


def main() -> int:
    """Make them all; 1 if one is missing."""
    missing = 0
    for environment in ALL:
        try:
            required(environment, make=True)
        except MissingError as error:
            print(error)  # noqa: T201 - a command
            missing = 1
        else:
            print(f"{environment.name}: ready")  # noqa: T201 - a command
    return missing


if __name__ == "__main__":
    sys.exit(main())
