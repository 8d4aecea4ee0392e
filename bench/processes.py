# SPDX-License-Identifier: Apache-2.0
"""Shared by measurements: where real Fabric is, timing of a command, memory of processes."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil

BIN = Path(sys.executable).parent


def fabric_found() -> bool:
    """Whether real Fabric's peer and orderer can be run here (FABRIC_HOME)."""
    home = Path(os.environ.get("FABRIC_HOME", "/opt/hyperledger/fabric"))
    return all((home / "bin" / name).exists() for name in ("peer", "orderer"))


def docker_found() -> bool:
    """Whether an engine answers here, and compose is there."""
    if shutil.which("docker") is None:
        return False
    asked = (["docker", "info"], ["docker", "compose", "version"])
    return all(subprocess.run(each, capture_output=True).returncode == 0 for each in asked)


def timed(*command: str) -> float:
    """Wall time of one of our commands in seconds; raises where it fails."""
    start = time.perf_counter()
    subprocess.run([str(BIN / command[0]), *command[1:]], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def resident_mb(pid: int) -> float:
    """Resident memory of one process in MB (10^6 bytes)."""
    return round(psutil.Process(pid).memory_info().rss / 1e6, 1)


def recorded(state: Path) -> list[psutil.Process]:
    """What `up` started for this state."""
    record = json.loads((state / "run.json").read_text())
    return [psutil.Process(each["pid"]) for each in record["processes"]]


def cpu_us(process: psutil.Process) -> float:
    """Microseconds of CPU a process has used, all its threads."""
    used = process.cpu_times()
    return float(used.user + used.system) * 1e6
