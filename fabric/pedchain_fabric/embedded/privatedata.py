# SPDX-License-Identifier: Apache-2.0
"""Hands a transaction's private values to the peers that may hold them.

Source: gossip/privdata/distributor.go. All peers of the process share one transient store, and
the ledger gives each organisation only what it is a member of; what remains of dissemination is
the rule that enough other peers must be there to take the values.
"""

from fabric_protos.ledger.rwset.rwset_pb2 import TxPvtReadWriteSet

from pedchain_fabric.embedded.chaincode.context import ChaincodeFailed
from pedchain_fabric.embedded.channel import Channel
from pedchain_fabric.embedded.ledger.lifecycle import implicit_owner
from pedchain_fabric.wire.messages import parse


def distribute(channel: Channel, transaction_id: str, private: bytes, msp_id: str) -> None:
    """Keeps the values until the transaction commits.

    Raises ChaincodeFailed if fewer other peers than a collection requires could take them.
    """
    for namespace in parse(TxPvtReadWriteSet, private).ns_pvt_rwset:
        for collection in namespace.collection_pvt_rwset:
            if implicit_owner(collection.collection_name) is None:
                place = (namespace.namespace, collection.collection_name)
                _require_peers(channel, transaction_id, place, msp_id)
    channel.ledger.transient.put(transaction_id, private)


def _require_peers(
    channel: Channel, transaction_id: str, place: tuple[str, str], msp_id: str
) -> None:
    collection = channel.ledger.collection(*place)
    if collection is None:
        return
    joined = [
        each.msp_id
        for each in channel.members(channel.peers.values())
        if each.msp_id in collection.members
    ]
    eligible = len(joined) - (1 if msp_id in joined else 0)
    if eligible < collection.required_peers:
        raise ChaincodeFailed(
            f"failed to distribute private collection, txID {transaction_id}, channel "
            f"{channel.name}: required to disseminate to at least {collection.required_peers} "
            f"peers, but know of only {eligible} eligible peers"
        )
