# SPDX-License-Identifier: Apache-2.0
"""Removes what builds and runs left behind; a running network is refused, not killed."""

import json
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEFT = (
    ".venv",
    ".pedchain",
    "typings",
    "uv.lock",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".hypothesis",
    ".import_linter_cache",
    "build",
    "dist",
    "tests/fuzz/.environment",
    "tests/interop/.environments",
    "tests/interop/node/node_modules",
    "bench/rivals/node/node_modules",
)


def main() -> int:
    run = ROOT / ".pedchain" / "run.json"
    if run.exists() and json.loads(run.read_text())["processes"]:
        print("clean: a network may be running here; first: make network-down", file=sys.stderr)
        return 1
    for name in LEFT:
        path = ROOT / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for cache in ROOT.rglob("__pycache__"):
        shutil.rmtree(cache)
    return 0


if __name__ == "__main__":
    sys.exit(main())
