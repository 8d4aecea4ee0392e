# SPDX-License-Identifier: Apache-2.0
"""Where a node finds its files and what it binds, as it sees it: a container sees other paths."""

from dataclasses import dataclass
from pathlib import Path

from pedchain_network.topology.node import Listener


@dataclass(frozen=True, slots=True)
class Places:
    """A node's ledger, MSP and TLS directories, a file with every organisation's TLS CA, and the
    builder of packages (peers only). With `bind` it listens there, whatever the topology says."""

    data: Path
    msp: Path
    tls: Path
    tls_authorities: Path
    builder: Path
    bind: str = ""

    @property
    def own_authority(self) -> Path:
        """The TLS CA of the node's own organisation."""
        return self.msp / "tlscacerts" / "cert.pem"

    def host(self, listener: Listener) -> str:
        """What to bind for a listener."""
        return self.bind or listener.bind

    def address(self, listener: Listener) -> str:
        """The `host:port` to bind for a listener."""
        return f"{self.host(listener)}:{listener.port}"
