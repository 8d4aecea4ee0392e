# SPDX-License-Identifier: Apache-2.0
"""What clients notice when the leading orderer is killed: nothing is committed for so long."""

import asyncio
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from bench.processes import BIN
from pedchain_fabric.client import Deadlines, Gateway, profile
from pedchain_fabric.errors import CommitError, GatewayError

PROBE = "org.hyperledger.fabric:GetMetadata"
EVERY_S = 0.2
AT_MOST_S = 90.0
_DEADLINES = Deadlines(endorse=10, submit=AT_MOST_S, commit_status=AT_MOST_S)


async def leader_loss_s(state: Path) -> float:
    """Seconds from the leader's end to the first commit of what was submitted after it.

    The client is another organisation's, so that its own orderer lives.
    """
    parts = {each["name"]: each for each in look(state)["parts"]}
    name = look(state)["ordering"]["leader"]
    leader = parts[name]
    profiles = sorted((state / "profiles").glob("*.json"))
    client = next(path for path in profiles if path.stem != leader["organization"])
    async with await profile.connect(client, deadlines=_DEADLINES) as gateway:
        await submit(gateway)
        kill(leader)
        began = time.perf_counter()
        await first_commit(gateway)
        return time.perf_counter() - began


async def first_commit(gateway: Gateway) -> None:
    """A new transaction every moment, until one of them is committed."""
    trials: set[asyncio.Task[bool]] = set()
    deadline = time.monotonic() + AT_MOST_S
    try:
        while time.monotonic() < deadline:
            trials.add(asyncio.create_task(submit(gateway)))
            done, trials = await asyncio.wait(
                trials, timeout=EVERY_S, return_when=asyncio.FIRST_COMPLETED
            )
            if any(each.result() for each in done):
                return
    finally:
        for trial in trials:
            trial.cancel()
        await asyncio.gather(*trials, return_exceptions=True)
    raise RuntimeError(f"nothing was committed for {AT_MOST_S:.0f} s")


async def submit(gateway: Gateway) -> bool:
    """Whether a transaction was committed."""
    try:
        await gateway.network("ped").contract("registry").submit(PROBE)
    except (GatewayError, CommitError):
        await asyncio.sleep(EVERY_S)
        return False
    return True


def look(state: Path) -> dict[str, Any]:
    """What `status` says."""
    command = [str(BIN / "ped-network"), "status", "--json", "--state", str(state)]
    done = subprocess.run(command, capture_output=True, check=False)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def kill(part: dict[str, Any]) -> None:
    """SIGKILL, to a process or to a container."""
    if part["pid"]:
        os.killpg(part["pid"], signal.SIGKILL)
        return
    label = f"label=com.docker.compose.service={part['name']}"
    found = subprocess.run(
        ["docker", "ps", "--quiet", "--filter", label], capture_output=True, text=True, check=True
    )
    subprocess.run(["docker", "kill", *found.stdout.split()], check=True, capture_output=True)
