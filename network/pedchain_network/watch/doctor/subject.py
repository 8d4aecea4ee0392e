# SPDX-License-Identifier: Apache-2.0
"""The network under examination: what all checks share."""

from collections.abc import Sequence
from dataclasses import dataclass

from pedchain_fabric.admin.endorser import Endorser
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_network.change.reach import Reach
from pedchain_network.runtimes.part import Part
from pedchain_network.state import Run, State
from pedchain_network.topology.model import ORDERER, PEER, Node, Topology
from pedchain_network.watch.look import Sight


@dataclass(frozen=True, slots=True)
class Subject:
    """A network that is on record, whether or not it runs. `administered` are the names of the
    organisations whose administrator's key is here; `config` is None if nobody tells it."""

    state: State
    topology: Topology
    run: Run
    parts: Sequence[Part]
    sight: Sight
    reach: Reach
    administered: frozenset[str]
    config: ChannelConfig | None

    @property
    def peers(self) -> list[Node]:
        """The peers that answer."""
        return self.sight.answering(PEER)

    @property
    def orderers(self) -> list[Node]:
        """The orderers that answer."""
        return self.sight.answering(ORDERER)

    @property
    def own_peers(self) -> list[Node]:
        """The peers that answer and whose administrator we are."""
        return [each for each in self.peers if each.organization in self.administered]

    def endorser(self, peer: Node) -> Endorser:
        """A peer, asked by its own administrator if we are that, else by one that we are."""
        asks = peer.organization if peer.organization in self.administered else ""
        return self.reach.peer(peer, asks or min(self.administered))
