# SPDX-License-Identifier: Apache-2.0
"""Ports for test networks: ranges nobody uses, and no other test session takes meanwhile."""

import fcntl
import os
import random
import re
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from pedchain_network.topology.model import PORTS_PER_ORGANIZATION

_BASES = range(20_000, 32_000, PORTS_PER_ORGANIZATION)  # below what systems give to clients


@contextmanager
def free() -> Iterator[int]:
    """The first port of a range for one organisation, held until the end."""
    bases = list(_BASES)
    random.SystemRandom().shuffle(bases)
    for base in bases:
        lock = os.open(
            Path(tempfile.gettempdir()) / f"pedchain-ports-{base}.lock",
            os.O_RDWR | os.O_CREAT,
            0o600,
        )
        try:
            if _taken(lock, base):
                continue
            yield base
            return
        finally:
            os.close(lock)
    raise RuntimeError("no free range of ports on this machine")


@contextmanager
def moved(topology: str) -> Iterator[str]:
    """A topology's text with every organisation on free ports, held until the end."""
    with ExitStack() as stack:
        for base in re.findall(r"ports: (\d+)", topology):
            own = stack.enter_context(free())
            topology = topology.replace(f"ports: {base}", f"ports: {own}", 1)
        yield topology


def _taken(lock: int, base: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for port in range(base, base + PORTS_PER_ORGANIZATION):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
    except OSError:
        return True
    return False
