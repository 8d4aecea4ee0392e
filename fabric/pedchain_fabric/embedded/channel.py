# SPDX-License-Identifier: Apache-2.0
"""A channel of the process: one ledger, and the nodes that have joined it."""

from collections.abc import Iterable
from typing import Protocol, TypeVar

from fabric_protos.common.common_pb2 import Block
from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRWSet
from fabric_protos.ledger.rwset.rwset_pb2 import TxReadWriteSet

from pedchain_fabric.embedded.ledger import BlockOutcome, Ledger
from pedchain_fabric.embedded.ledger.lifecycle import NAMESPACE
from pedchain_fabric.wire.channelconfig import ChannelConfig

_PURGE = {"V2_5"}


class Member(Protocol):
    """A peer or an orderer."""

    @property
    def name(self) -> str:
        """Unique in the process."""
        ...

    @property
    def msp_id(self) -> str:
        """Its organisation."""
        ...


M = TypeVar("M", bound=Member)


class Channel:
    """All nodes of the process share the channel's ledger; what they may read differs.

    `lifecycle_revision` grows with every block that may have changed a definition or approval.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.name = ledger.channel_id
        self.peers: dict[str, Member] = {}
        self.lifecycle_revision = 0
        ledger.on_commit(self._committed)

    @property
    def config(self) -> ChannelConfig:
        """The configuration in force."""
        return self.ledger.config

    @property
    def can_purge(self) -> bool:
        """Whether private data may be purged (application capability V2_5)."""
        return bool(self.config.application_capabilities & _PURGE)

    def members(self, peers: Iterable[M]) -> list[M]:
        """Which of these peers other members talk to: joined, and of an organisation that is on
        the channel still (or already)."""
        organizations = {each.msp_id for each in self.config.application_orgs.values()}
        return [each for each in peers if each.name in self.peers and each.msp_id in organizations]

    def config_block(self) -> Block:
        """The block that holds the configuration in force."""
        block = self.ledger.block(self.ledger.config_block)
        if block is None:
            raise AssertionError("a ledger holds the block its configuration came from")
        return block

    def _committed(self, outcome: BlockOutcome) -> None:
        if any(
            each.valid and each.parts is not None and _writes_lifecycle(each.parts.results)
            for each in outcome.transactions
        ):
            self.lifecycle_revision += 1


def _writes_lifecycle(results: bytes) -> bool:
    """Whether a read-write set changes `_lifecycle`; nearly every one reads it."""
    for namespace in TxReadWriteSet.FromString(results).ns_rwset:
        if namespace.namespace == NAMESPACE:
            public = KVRWSet.FromString(namespace.rwset)
            return bool(public.writes or namespace.collection_hashed_rwset)
    return False
