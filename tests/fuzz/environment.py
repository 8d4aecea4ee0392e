# SPDX-License-Identifier: Apache-2.0
"""Atheris in a folder of its own: no member needs it, and not every Python has a build of it.

    python -m tests.fuzz.environment

makes the folder. Who has no registry in reach, or a Python without a build, goes without, and is
told so.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.interop.environments import Environment, MissingError, required

FOLDER: Final = Path(__file__).parent
_PLACE: Final = FOLDER / ".environment" / f"{sys.version_info.major}.{sys.version_info.minor}"
_SECONDS: Final = 240


def _make(environment: Environment) -> None:
    uv = Path(sys.executable).with_name("uv")
    command = [
        uv, "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:",
        "--python", sys.executable, "--target", _PLACE, "--requirement", environment.pins,
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=_SECONDS)


ATHERIS: Final = Environment(
    "Atheris",
    program=_PLACE / "atheris",
    pins=FOLDER / "requirements.txt",
    stamp=_PLACE / "pins",
    make=_make,
)


def command(target: str, seeds: Path, *options: str) -> tuple[list[str], dict[str, str]]:
    """How a target is run, and with which environment variables. Raises `MissingError`."""
    required(ATHERIS, make=True)
    run = [sys.executable, "-m", "tests.fuzz.atheris_run", target, str(seeds), *options]
    return run, {**os.environ, "PYTHONPATH": str(_PLACE)}


def main() -> int:
    """Make it; 1 if it cannot be made."""
    try:
        required(ATHERIS, make=True)
    except MissingError as error:
        print(error)  # noqa: T201 - a command
        return 1
    print("Atheris: ready")  # noqa: T201 - a command
    return 0


if __name__ == "__main__":
    sys.exit(main())
