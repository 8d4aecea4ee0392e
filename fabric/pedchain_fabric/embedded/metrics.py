# SPDX-License-Identifier: Apache-2.0
"""A node's metrics: a few of those Fabric 3.1 serves, under its names.

Source: docs/source/metrics_reference.rst. All orderers of the process share one chain: the
lowest consenter that takes part counts as its leader, and blocks never leave SmartBFT's view 0.
"""

from collections.abc import Iterable
from typing import Final

from pedchain_fabric.embedded.operations import Sample
from pedchain_fabric.embedded.orderer.chain import OrderingChain
from pedchain_fabric.embedded.orderer.consensus import Member
from pedchain_fabric.embedded.orderer.node import Orderer
from pedchain_fabric.embedded.peer import Peer

VERSION: Final = "3.1.5-embedded"
_VIEW: Final = 0


class Sampler:
    """Reads one node's numbers whenever they are asked for."""

    def __init__(self, node: Peer | Orderer) -> None:
        self._node = node

    def __call__(self) -> Iterable[Sample]:
        yield Sample("fabric_version", "gauge", 1, (("version", VERSION),))
        for channel in self._node.joined:
            labels = (("channel", channel.name),)
            yield Sample("ledger_blockchain_height", "gauge", channel.ledger.height, labels)
        if isinstance(self._node, Peer):
            counts = self._node.endorser.counts
            yield Sample("endorser_proposals_received", "counter", counts["received"])
            yield Sample("endorser_successful_proposals", "counter", counts["successful"])
            yield Sample("endorser_proposal_validation_failures", "counter", counts["failed"])
            return
        for status, count in self._node.broadcasts.items():
            yield Sample("broadcast_processed_count", "counter", count, (("status", status),))
        for channel in self._node.joined:
            chain = self._node.chain(channel.name)
            if chain is not None:
                yield from _consensus(chain, self._node.member)


def _consensus(chain: OrderingChain, member: Member) -> Iterable[Sample]:
    labels = (("channel", chain.channel.name),)
    bft = chain.channel.config.consensus_type == "BFT"
    family = "consensus_BFT_" if bft else "consensus_etcdraft_"
    gauges = {
        f"{family}cluster_size": chain.size,
        f"{family}committed_block_number": chain.channel.ledger.height - 1,
        f"{family}is_leader": int(chain.leads(member)),
    }
    if bft:
        gauges |= {
            "consensus_BFT_leader_id": chain.leader,
            "consensus_smartbft_view_leader_id": chain.leader,
            "consensus_smartbft_view_number": _VIEW,
        }
    else:
        yield Sample("consensus_etcdraft_leader_changes", "counter", 1, labels)
    for name, value in gauges.items():
        yield Sample(name, "gauge", value, labels)
