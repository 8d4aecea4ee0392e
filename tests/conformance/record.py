# SPDX-License-Identifier: Apache-2.0
"""Records what real Fabric answers into `tests/golden/shim`: `python -m tests.conformance.record`.

Needs Fabric's binaries (FABRIC_HOME). It runs the steps on two fresh networks, and keeps what
both say; where they differ it fails, for then the difference is not the steps'.
"""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from pedchain_network import native
from tests.conformance import driver, facts
from tests.conformance.network import network
from tests.conformance.steps import SECTIONS, STEPS


def record() -> dict[str, facts.Fact]:
    """One run on a network of its own."""
    with tempfile.TemporaryDirectory() as directory, network("native", Path(directory)) as made:
        made.run("up")
        return asyncio.run(driver.run(made.profiles, STEPS))


def _release() -> str:
    """What the peer says of itself."""
    command = [str(native.find().peer), "version"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    known = [line.strip() for line in lines if "Version" in line or "Commit" in line]
    return "Real Fabric, two networks alike.\n" + "\n".join(known) + "\n"


def main() -> None:
    """Record twice, compare, store."""
    first, second = record(), record()
    unstable = [name for name, fact in first.items() if second[name] != fact]
    for name in unstable:
        sys.stderr.write(f"{name}\n  {first[name]}\n  {second[name]}\n")
    if unstable:
        raise SystemExit(f"{len(unstable)} steps were answered differently the second time")
    facts.store(first, SECTIONS)
    (facts.GOLDEN / "recorded.txt").write_text(_release())
    sys.stdout.write(f"{len(first)} steps recorded\n")


if __name__ == "__main__":
    main()
