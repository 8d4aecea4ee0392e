# SPDX-License-Identifier: Apache-2.0
"""What `doctor` and the nodes tell of a network, and ways to hurt it that are mended again."""

import datetime
import json
import signal
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from pedchain_network.pki import crypto, leaves
from pedchain_network.watch.exposition import Exposition
from tests.scenarios.growing import topology
from tests.scenarios.harness import Network

Finding = dict[str, str]


def doctor(network: Network) -> list[Finding]:
    """What is wrong, by `doctor --json`; its exit code must say the same."""
    done = network.run("doctor", "--json", check=False)
    report = json.loads(done.stdout)
    assert done.returncode == (0 if report["healthy"] else 4), done.stderr
    found: list[Finding] = [each for each in report["findings"] if each["severity"] != "ok"]
    assert all(each["remedy"] for each in found)
    return found


def named(network: Network, check: str) -> Finding:
    """The one finding of a check."""
    [found] = [each for each in doctor(network) if each["check"] == check]
    return found


@contextmanager
def replaced(path: Path, content: bytes) -> Iterator[None]:
    """A file has other content meanwhile."""
    kept = path.read_bytes()
    path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(kept)


def reissued(network: Network, folder: str, days: float) -> bytes:
    """A certificate of the DSO made anew: it begins now and lives so long (negative: it ended)."""
    shape = topology(network)
    dso = shape.by_name("DSO")
    owned = crypto.of(network.state / "crypto", dso)
    leaf = next(each for each in leaves.of(shape, dso) if each.folder == folder)
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    begins = now + datetime.timedelta(days=days) - datetime.timedelta(days=leaf.days)
    authority = owned.open_authority(leaf.authority, begins)
    return crypto.issue(authority, leaf).certificate


def part(network: Network, kind: str) -> dict[str, Any]:
    """The first part of a kind, as `status` tells of it."""
    found: dict[str, Any] = next(each for each in network.status()["parts"] if each["kind"] == kind)
    return found


def served(network: Network) -> set[str]:
    """Names of all metrics that the nodes serve."""
    shape = topology(network)
    names: set[str] = set()
    for node in (*shape.peers(), *shape.orderers()):
        url = f"http://{shape.address(node, 'operations')}/metrics"
        with urllib.request.urlopen(url, timeout=5) as answer:
            names |= Exposition.parse(answer.read().decode()).names
    return names


def scraped(prometheus: str, count: int) -> set[str]:
    """The targets that Prometheus calls up, once there are so many or a minute is over."""
    deadline = time.monotonic() + 60
    up: set[str] = set()
    while len(up) < count and time.monotonic() < deadline:
        time.sleep(0.5)
        try:
            with urllib.request.urlopen(f"http://{prometheus}/api/v1/targets", timeout=5) as answer:
                told = json.load(answer)["data"]["activeTargets"]
        except OSError:
            continue
        up = {each["labels"]["instance"] for each in told if each["health"] == "up"}
    return up


def killed(pid: int) -> None:
    """End a process at once, and wait until it is gone."""
    process = psutil.Process(pid)
    process.send_signal(signal.SIGKILL)
    process.wait(10)


def wait_until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Poll until it holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)
