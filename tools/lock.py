# SPDX-License-Identifier: Apache-2.0
"""Resolves all members into requirements.lock: versions and hashes, no host, no path.

`uv.lock` names registry hosts and is ignored by git; the export names none. It ends by checking
that every package is to be had as a wheel, since a resolution alone proves nothing of that.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tools import imagelocks

ROOT = Path(__file__).resolve().parent.parent
UV = Path(sys.executable).parent / "uv"
LOCK = ROOT / "requirements.lock"
SOURCE_ONLY = "tailer"
"""The one package without a wheel: dsmr-parser stands on it."""


def run(*command: str) -> None:
    subprocess.run([str(UV), *command], cwd=ROOT, check=True)


def main() -> int:
    run("lock", "--quiet", *sys.argv[1:])
    run(
        "export",
        "--quiet",
        "--frozen",
        "--all-packages",
        "--all-extras",
        "--no-emit-workspace",
        "--no-annotate",
        "--no-header",
        "-o",
        str(LOCK),
    )
    if found := re.findall(r"https?://\S+|file:\S+", LOCK.read_text()):
        print(f"lock: requirements.lock names addresses: {found[:3]}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        run("venv", "--quiet", folder)
        run(
            "pip",
            "install",
            "--quiet",
            "--python",
            f"{folder}/bin/python",
            "--require-hashes",
            "--only-binary",
            ":all:",
            "--no-binary",
            SOURCE_ONLY,
            "-r",
            str(LOCK),
        )
    print("lock: requirements.lock resolves and installs from wheels")
    return imagelocks.main()


if __name__ == "__main__":
    sys.exit(main())
