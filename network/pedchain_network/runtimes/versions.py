# SPDX-License-Identifier: Apache-2.0
"""Fabric's binaries and their versions: 3.1 is what we speak, write and test."""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pedchain_network import files
from pedchain_network.errors import RuntimeMissingError
from pedchain_network.limits import VERSION_TIMEOUT_S

_VERSION = re.compile(r"^\s*Version:\s*v?(\S+)", re.MULTILINE)
_ACCEPTED = re.compile(r"3\.1\.[0-9]+")


@dataclass(frozen=True, slots=True)
class Release:
    """A Fabric release laid out as its archive: `bin/` and `builders/ccaas/bin/`."""

    peer: Path
    orderer: Path
    builder: Path


def require(release: Release, wanted: str, cache: Path) -> None:
    """Both binaries are a release of Fabric 3.1. Raises `RuntimeMissingError`.

    Another patch than `wanted` is taken: within 3.1 ledgers and messages are the same. Asking takes
    a tenth of a second, so `cache` remembers the answer for as long as the files are the same.
    """
    known = _read(cache)
    found = {str(each): _known(each, known) for each in (release.peer, release.orderer)}
    for path, (_, version) in found.items():
        if not _ACCEPTED.fullmatch(version):
            raise RuntimeMissingError(
                f"{path} is of Fabric {version}, and this network speaks 3.1",
                f"unpack the release v{wanted} and point FABRIC_HOME at it",
            )
    if found != known:
        files.write(cache, json.dumps(found).encode())


def _known(path: Path, known: dict[str, tuple[str, str]]) -> tuple[str, str]:
    status = path.stat()
    state = f"{status.st_mtime_ns}/{status.st_size}"
    before = known.get(str(path))
    return before if before and before[0] == state else (state, ask(path))


def ask(path: Path) -> str:
    """What a binary says of its version. Raises `RuntimeMissingError` if it says nothing."""
    try:
        done = subprocess.run(  # noqa: S603 - the binary we are about to run as a node
            (str(path), "version"), capture_output=True, text=True, timeout=VERSION_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RuntimeMissingError(f"{path} does not run: {error}", _FIX) from error
    match = _VERSION.search(done.stdout)
    if match is None:
        raise RuntimeMissingError(f"{path} does not tell its version", _FIX)
    return match[1]


_FIX = "unpack a Fabric v3.1 release for this machine and point FABRIC_HOME at it"


def _read(cache: Path) -> dict[str, tuple[str, str]]:
    """What is remembered, as far as it can be read."""
    try:
        document = json.loads(cache.read_text())
        return {str(path): (str(each[0]), str(each[1])) for path, each in document.items()}
    except (OSError, ValueError, AttributeError, IndexError, TypeError):
        return {}
