# SPDX-License-Identifier: Apache-2.0
"""Room for blocks. Fabric has no guard of its own: a full disk stops a node in mid-write."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pedchain_network.limits import DISK_FAIL, DISK_WARN
from pedchain_network.watch.doctor.finding import Finding, fail, ok, warn

CHECK = "disk"

_GB = 10**9


@dataclass(frozen=True, slots=True)
class Disk:
    """A file system that holds `path`: its share in use (0 to 1), and what is left in bytes."""

    path: str
    used: float
    free: int


def judge(disks: Iterable[Disk]) -> list[Finding]:
    """No file system is nearly full."""
    all_disks = list(disks)
    findings = []
    for disk in all_disks:
        if disk.used >= DISK_WARN:
            finding = fail if disk.used >= DISK_FAIL else warn
            text = f"{disk.used:.0%} full, {disk.free / _GB:.1f} GB left"
            findings.append(finding(CHECK, disk.path, text, "free space, or move the data"))
    what = ", ".join(f"{each.path} {each.used:.0%} full" for each in all_disks)
    return findings or [ok(CHECK, what)]


def look(paths: Iterable[Path]) -> list[Disk]:
    """The file systems of those paths that exist, each once."""
    disks: dict[int, Disk] = {}
    for path in paths:
        if path.exists():
            found = os.statvfs(path)
            used = 1 - found.f_bavail / found.f_blocks if found.f_blocks else 0.0
            disk = Disk(str(path), used, found.f_bavail * found.f_frsize)
            disks.setdefault(path.stat().st_dev, disk)
    return list(disks.values())
