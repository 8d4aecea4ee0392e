# SPDX-License-Identifier: Apache-2.0
"""Runs the tests of one target; says at the end what ran on real Fabric and how stale that is."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTEST = [str(Path(sys.executable).parent / "python"), "-m", "pytest"]
NATIVE = ROOT / "tests" / "native.json"
#: Trees whose content decides whether a recorded run on real Fabric still speaks for this one.
TREES = ("fabric", "chaincode", "network")
TARGETS: dict[str, list[list[str]]] = {
    # Parallel where tests are pure; those that kill processes or hold a network run alone.
    "test": [
        ["tests/unit", "-n", "2", "--dist", "loadfile", "-m", "not serial and not native"],
        ["tests/unit", "-p", "no:randomly", "-m", "serial and not native"],
        ["tests/scenarios", "tests/conformance", "-p", "no:randomly", "-m", "not native"],
    ],
    "conformance": [
        [
            "tests/scenarios",
            "tests/conformance",
            "tests/interop",
            "-m",
            "native",
            "-p",
            "no:randomly",
        ]
    ],
    "soak": [["tests/soak", "-p", "no:randomly", "--timeout", "3600"]],
    "golden": [["tests/conformance", "-m", "native", "-p", "no:randomly", "--record"]],
}


def fabric_home() -> Path | None:
    """Where Fabric's binaries are, laid out as in the official archive; None when nowhere."""
    home = Path(os.environ.get("FABRIC_HOME", "/opt/hyperledger/fabric"))
    return (
        home if (home / "bin" / "peer").exists() and (home / "bin" / "orderer").exists() else None
    )


def tree_hash(folder: str) -> str:
    done = subprocess.run(
        ["git", "rev-parse", f"HEAD:{folder}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()


def about_real_fabric() -> str:
    """One sentence: what the last recorded run on real Fabric says of this tree."""
    if not NATIVE.exists():
        return "real Fabric: nothing has ever run on it from this tree"
    run = json.loads(NATIVE.read_text())
    stale = [name for name in TREES if run["trees"].get(name) != tree_hash(name)]
    state = "of this very tree" if not stale else f"since then changed: {', '.join(stale)}"
    return (
        f"real Fabric {run['fabric']}: last run {run['at']}, {run['passed']} passed, "
        f"{run['failed']} failed; {state}"
    )


def main() -> int:
    target = sys.argv[1]
    if target in ("conformance", "golden") and fabric_home() is None:
        print("conformance: Fabric's peer and orderer were not found (FABRIC_HOME): NOT RUN")
        print(about_real_fabric())
        return 0 if target == "conformance" else 1
    codes = []
    for arguments in TARGETS[target]:
        done = subprocess.run([*PYTEST, "-q", *arguments], cwd=ROOT, check=False)
        codes.append(done.returncode)
    print(about_real_fabric())
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
