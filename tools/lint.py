# SPDX-License-Identifier: Apache-2.0
"""Every static check in one run; each step says how long it took, and all run even if one fails."""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
PACKAGES = (
    "pedchain_fabric",
    "pedchain_domain",
    "pedchain_chaincode",
    "pedchain_gateway",
    "emsagent",
    "pedchain_network",
    "pedchain_audit",
    "pedchain_demo",
    "tools",
)
STEPS: dict[str, list[str]] = {
    "format": ["ruff", "format", "--check", "--quiet", "."],
    "rules": ["ruff", "check", "--quiet", "."],
    "types": ["mypy", *(arg for package in PACKAGES for arg in ("-p", package))],
    "imports": ["lint-imports", "--no-cache"],
    "determinism": ["ped-chaincode", "lint"],
    "lock": ["python", "tools/lockdrift.py"],
    "tree": ["python", "tools/tree.py"],
    "docs": ["python", "-m", "tools.docs", "--check"],
}


def main() -> int:
    failed = []
    for name, command in STEPS.items():
        start = time.monotonic()
        done = subprocess.run(
            [str(BIN / command[0]), *command[1:]],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        print(
            f"lint: {name:12} {'ok' if done.returncode == 0 else 'FAILED':6} "
            f"{time.monotonic() - start:5.1f} s",
            flush=True,
        )
        if done.returncode != 0:
            failed.append(name)
            print(done.stdout + done.stderr)
    if failed:
        print(f"lint: failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
