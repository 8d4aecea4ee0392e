# SPDX-License-Identifier: Apache-2.0
"""A node's metrics: a few of those Fabric 3.1 serves, under its names.

Source: docs/source/metrics_reference.rst. The ordering chain of the process has no leader of its
own; who leads is what its blocks' view says of SmartBFT: of view 0 the lowest consenter.
"""

from collections.abc import Iterable
from typing import Final

from fabric_protos.common.configuration_pb2 import Consenter

from pedchain_fabric.embedded.channel import Channel
from pedchain_fabric.embedded.operations import Sample
from pedchain_fabric.embedded.orderer.node import Orderer
from pedchain_fabric.embedded.peer import Peer
from pedchain_fabric.errors import IdentityError
from pedchain_fabric.wire.identity import Identity, SigningIdentity

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
            if channel.config.consensus_type == "BFT":
                yield from _consensus(channel, self._node.identity)


def _consensus(channel: Channel, identity: SigningIdentity) -> Iterable[Sample]:
    labels = (("channel", channel.name),)
    consenters = channel.config.consenters
    leader = min((each.id for each in consenters), default=0)
    leads = any(each.id == leader and _is(each, identity) for each in consenters)
    gauges = {
        "consensus_BFT_cluster_size": len(consenters),
        "consensus_BFT_committed_block_number": channel.ledger.height - 1,
        "consensus_BFT_leader_id": leader,
        "consensus_BFT_is_leader": int(leads),
        "consensus_smartbft_view_leader_id": leader,
        "consensus_smartbft_view_number": _VIEW,
    }
    for name, value in gauges.items():
        yield Sample(name, "gauge", value, labels)


def _is(consenter: Consenter, identity: SigningIdentity) -> bool:
    if consenter.msp_id != identity.msp_id:
        return False
    try:
        return Identity(consenter.msp_id, consenter.identity).x509 == identity.identity.x509
    except IdentityError:
        return False
