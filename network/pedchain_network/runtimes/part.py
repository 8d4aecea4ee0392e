# SPDX-License-Identifier: Apache-2.0
"""A part of a network that was started: a process or a container."""

from collections.abc import Iterator, Mapping
from typing import Protocol


class Part(Protocol):
    """What all runtimes can say of one. `kind` is `peer`, `orderer`, `chaincode` or `network` (one
    process for all nodes); `listens` maps what it serves to `host:port` as seen from this host."""

    @property
    def name(self) -> str:
        """Its name, unique in the network: `peer0.dso.ped`."""
        ...

    @property
    def kind(self) -> str:
        """What it does."""
        ...

    @property
    def organization(self) -> str:
        """Whose it is; empty if it acts for all."""
        ...

    @property
    def listens(self) -> Mapping[str, str]:
        """Its listeners."""
        ...

    @property
    def alive(self) -> bool:
        """Does it run."""
        ...

    @property
    def memory_bytes(self) -> int | None:
        """Resident memory of all of it; None if that is not known."""
        ...

    def log_tail(self) -> str:
        """The last lines it wrote, each led by its name."""
        ...

    def read_log(self, lines: int | None, *, follow: bool) -> Iterator[str]:
        """The last lines it wrote (None: all), then with `follow` further ones as they come."""
        ...
