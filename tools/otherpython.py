# SPDX-License-Identifier: Apache-2.0
"""Tests of domain and contracts under the newest other Python found, from the same lock.

"3.11 or newer" is a claim only as far as somebody ran it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = str(Path(sys.executable).parent / "uv")
OLDEST = 11
NEWEST = 14  # the newest that the lock's wheels may be there for
MEMBERS = ("domain", "fabric", "chaincode")
TOOLS = ("pytest", "pytest-asyncio", "pytest-xdist", "pytest-timeout", "pytest-randomly")
TESTS = ("tests/unit/domain", "tests/unit/chaincode")


def main() -> int:
    found = newest()
    if found is None:
        print("other Python: none from 3.11 on was found besides our own: NOT RUN")
        return 0
    minor, python = found
    print(f"other Python: 3.{minor}", flush=True)
    with tempfile.TemporaryDirectory(prefix="pedchain-python-") as scratch:
        installed = install(python, Path(scratch))
        command = [installed, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", *TESTS]
        return subprocess.run([*command, "-m", "not serial"], cwd=ROOT, check=False).returncode


def newest() -> tuple[int, str] | None:
    """Minor version and path of the newest Python that runs and is not of our own version."""
    ours = sys.version_info.minor
    answers = [(minor(path), path) for path in candidates()]
    usable = [(m, path) for m, path in answers if m is not None and m != ours]
    return max(usable, default=None)


def candidates() -> Iterator[str]:
    """Pythons by name on PATH, and those of pyenv, whose shims may refuse to run."""
    for number in range(NEWEST, OLDEST - 1, -1):
        if found := shutil.which(f"python3.{number}"):
            yield found
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from (str(path) for path in sorted(pyenv.glob("versions/3.*/bin/python")))


def minor(python: str) -> int | None:
    """Its minor version; None if it does not run or is out of range."""
    done = subprocess.run(
        [python, "-c", "import sys; print(sys.version_info.minor)"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0 or not done.stdout.strip().isdigit():
        return None
    number = int(done.stdout)
    return number if OLDEST <= number <= NEWEST else None


def install(python: str, folder: Path) -> str:
    """A throwaway environment of three members and the test tools, in the lock's versions."""
    installed = str(folder / "venv" / "bin" / "python")
    run(UV, "venv", "--quiet", "--python", python, str(folder / "venv"))
    editable = [argument for member in MEMBERS for argument in ("--editable", f"./{member}")]
    pip = [UV, "pip", "install", "--quiet", "--python", installed, "--compile-bytecode"]
    run(*pip, "--constraint", "requirements.lock", *editable, *TOOLS, "hypothesis")
    return installed


def run(*command: str) -> None:
    subprocess.run(command, cwd=ROOT, check=True)


if __name__ == "__main__":
    sys.exit(main())
