# SPDX-License-Identifier: Apache-2.0
"""Builds every member's wheel, installs them where nothing of this tree is, and runs the demo.

An editable installation finds files that a wheel may lack; this is where that shows. Third-party
packages are those of requirements.lock, hashes checked; what the lock lacks is refused.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.lockdrift import locked, members

ROOT = Path(__file__).resolve().parent.parent
UV = str(Path(sys.executable).parent / "uv")
DAYS = "7"


def main() -> int:
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # the network's start is timed by its imports
    os.environ.pop("PYTHONPATH", None)
    with tempfile.TemporaryDirectory(prefix="pedchain-wheels-") as scratch:
        folder = Path(scratch)
        wheels = build(folder / "dist")
        say(f"{len(wheels)} wheels built")
        python = install(folder / "venv", wheels)
        if strangers := unlocked(python):
            say(f"not from the lock: {', '.join(strangers)}")
            return 1
        say("installed with the lock's hashes; the demo from there:")
        return demo(python, folder)


def build(dist: Path) -> list[str]:
    """One wheel a member; the build backend is uv's own, so nothing is fetched."""
    run(UV, "build", "--quiet", "--offline", "--all-packages", "--wheel", "--out-dir", str(dist))
    return sorted(str(path) for path in dist.glob("*.whl"))


def install(venv: Path, wheels: list[str]) -> Path:
    """A clean environment of the wheels and what they need, in the lock's versions."""
    python = venv / "bin" / "python"
    run(UV, "venv", "--quiet", "--python", sys.executable, str(venv))
    pip = [UV, "pip", "install", "--quiet", "--python", str(python), "--compile-bytecode"]
    run(*pip, "--constraint", "requirements.lock", *wheels)
    return python


def unlocked(python: Path) -> list[str]:
    """What is installed, is none of ours, and is not in the lock at that version."""
    done = subprocess.run(
        [UV, "pip", "freeze", "--python", str(python)], check=True, capture_output=True, text=True
    )
    pins, ours = locked(), members()
    found = [line.partition("==") for line in done.stdout.splitlines() if "==" in line]
    return [
        f"{name}=={version}"
        for name, _, version in found
        if version not in pins.get(name, ()) and name not in ours
    ]


def demo(python: Path, folder: Path) -> int:
    """The main job, from a folder that has no source beside it."""
    command = [str(python.parent / "ped-demo"), "--runtime", "embedded", "--days", DAYS]
    command += ["--folder", str(folder / "demo")]
    environment = {**os.environ, "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(command, cwd=folder, env=environment, check=False).returncode


def run(*command: str) -> None:
    subprocess.run(command, cwd=ROOT, check=True)


def say(text: str) -> None:
    print(f"wheels: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
