# SPDX-License-Identifier: Apache-2.0
"""Records what real Fabric answers into `tests/golden/shim` (`make golden`)."""

import asyncio
import subprocess
from pathlib import Path

from pedchain_network.runtimes import native
from tests.conformance import driver, facts
from tests.conformance.network import network
from tests.conformance.steps import SECTIONS, STEPS


def record(directory: Path) -> None:
    """Run the steps on a network of their own and store what it answers.

    The tests that follow ask a second network: what differs there was not the steps' doing.
    """
    with network("native", directory) as made:
        made.run("up")
        answers = asyncio.run(driver.run(made.profiles, STEPS))
    facts.store(answers, SECTIONS)
    (facts.GOLDEN / "recorded.txt").write_text(_release())


def _release() -> str:
    """What the peer says of itself."""
    command = [str(native.find().peer), "version"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    known = [line.strip() for line in lines if "Version" in line or "Commit" in line]
    return "Recorded on real Fabric.\n" + "\n".join(known) + "\n"
