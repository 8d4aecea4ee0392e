# SPDX-License-Identifier: Apache-2.0
"""A channel of the process: one ledger, and the nodes that have joined it."""

from typing import Protocol

from fabric_protos.common.common_pb2 import Block

from pedchain_fabric.embedded.ledger import Ledger
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


class Channel:
    """All nodes of the process share the channel's ledger; what they may read differs."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.name = ledger.channel_id
        self.peers: dict[str, Member] = {}

    @property
    def config(self) -> ChannelConfig:
        """The configuration in force."""
        return self.ledger.config

    @property
    def can_purge(self) -> bool:
        """Whether private data may be purged (application capability V2_5)."""
        return bool(self.config.application_capabilities & _PURGE)

    def config_block(self) -> Block:
        """The block that holds the configuration in force."""
        block = self.ledger.block(self.ledger.config_block)
        if block is None:
            raise AssertionError("a ledger holds the block its configuration came from")
        return block
