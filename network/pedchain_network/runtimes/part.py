# SPDX-License-Identifier: Apache-2.0
"""A part of a network that was started: a process or a container."""

from collections.abc import Mapping
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

    def log_tail(self) -> str:
        """The last lines it wrote, each led by its name."""
        ...
