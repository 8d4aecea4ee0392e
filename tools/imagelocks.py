# SPDX-License-Identifier: Apache-2.0
"""Writes images/*.lock: of requirements.lock what each image needs, hashes included.

Run by `make lock`; needs the uv.lock that it leaves.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = Path(sys.executable).parent / "uv"
IMAGES = ROOT / "images"
#: Image -> the member whose requirements it has.
ROLES = {"chaincode": "pedchain-chaincode", "gateway": "pedchain-gateway", "agent": "emsagent"}
#: Members whose image carries every optional part: an agent's drivers, its planner, its tokens.
WHOLE = ("emsagent",)
#: What is asked for by a package that we use and imported by nothing we use of it: file readers of
#: dsmr-parser alone import tailer, which has no wheel.
UNUSED = ("tailer",)
BACKEND = "uv-build"


def blocks(lock: str) -> dict[str, str]:
    """Name -> a lock's entry, from its pin to its last hash."""
    entries = re.findall(r"^([\w.-]+)(.*(?:\n +--hash=.*)*)", lock, re.MULTILINE)
    return {name: name + rest for name, rest in entries}


def main() -> int:
    whole = (ROOT / "requirements.lock").read_text()
    (IMAGES / "build.lock").write_text(blocks(whole)[BACKEND] + "\n")
    for image, member in ROLES.items():
        export(IMAGES / f"{image}.lock", member)
    print(f"lock: images/*.lock for {', '.join(ROLES)}")
    return 0


def export(path: Path, member: str) -> None:
    command = [str(UV), "export", "--quiet", "--frozen", "--package", member]
    command += ["--no-dev", "--no-emit-workspace", "--no-annotate", "--no-header"]
    command += ["--all-extras"] if member in WHOLE else []
    subprocess.run([*command, "-o", str(path)], cwd=ROOT, check=True)
    path.write_text(without_unused(path.read_text()))


def without_unused(lock: str) -> str:
    """A lock without packages that nothing imports."""
    found = blocks(lock)
    for name in UNUSED:
        lock = lock.replace(found[name] + "\n", "") if name in found else lock
    return lock


if __name__ == "__main__":
    sys.exit(main())
