# SPDX-License-Identifier: Apache-2.0
"""The channels of the process: one ledger and one ordering chain each, whoever has joined."""

import asyncio
import sqlite3
from collections.abc import Callable

from fabric_protos.common.common_pb2 import Block

from pedchain_fabric.embedded.channel import Channel
from pedchain_fabric.embedded.joined import JoinRefused
from pedchain_fabric.embedded.ledger import BlockRefused, Ledger, LedgerError
from pedchain_fabric.embedded.orderer.chain import KINDS, OrderingChain
from pedchain_fabric.embedded.store import Store, is_channel_name
from pedchain_fabric.errors import WireError
from pedchain_fabric.wire.block import header_hash
from pedchain_fabric.wire.channelconfig import ChannelConfig


class ProcessChannels:
    """Opens channels and keeps them ordered. `broken` is told if one cannot be ordered any more."""

    def __init__(self, store: Store, broken: Callable[[BaseException], None]) -> None:
        self._store = store
        self._broken = broken
        self.by_name: dict[str, Channel] = {}
        self.chains: dict[str, OrderingChain] = {}

    def open(self, genesis: Block) -> Channel:
        """The channel this block begins; the first node to join creates its ledger.

        Raises JoinRefused.
        """
        config = _join_config(genesis)
        channel = self.by_name.get(config.channel_id)
        if channel is not None:
            _check_same(channel, genesis)
            return channel
        if genesis.header.number != 0:
            raise JoinRefused("no node of this process has the blocks before this one")
        return self._added(self._begun(config.channel_id, genesis))

    def _begun(self, name: str, genesis: Block) -> Ledger:
        """The channel's ledger with its first block in it. Raises JoinRefused, in the words of the
        disk if that is why."""
        try:
            ledger = Ledger.open(self._store.ledger_path(name))
        except (LedgerError, sqlite3.Error, OSError) as error:
            raise JoinRefused(f"cannot create the ledger: {error}") from error
        if ledger.height == 0:
            try:
                ledger.append_genesis(genesis)
            except (BlockRefused, sqlite3.Error) as refused:
                ledger.close()
                raise JoinRefused(str(refused)) from refused
        return ledger

    def restore(self) -> None:
        """Opens what was there when the process ended."""
        for name in self._store.channels():
            ledger = Ledger.open(self._store.ledger_path(name))
            if ledger.height:
                self._added(ledger)
            else:
                ledger.close()

    async def close(self) -> None:
        """Cuts no further block and closes the ledgers."""
        await asyncio.gather(*(chain.stop() for chain in self.chains.values()))
        for channel in self.by_name.values():
            channel.ledger.close()

    def _added(self, ledger: Ledger) -> Channel:
        channel = Channel(ledger)
        chain = OrderingChain(channel, self._broken)
        self.by_name[channel.name] = channel
        self.chains[channel.name] = chain
        chain.start()
        return channel


def _join_config(genesis: Block) -> ChannelConfig:
    try:
        config = ChannelConfig.from_block(genesis)
    except WireError as error:
        raise JoinRefused(str(error)) from error
    if not is_channel_name(config.channel_id):
        raise JoinRefused(f"bad channel ID: '{config.channel_id}' contains illegal characters")
    if config.consensus_type not in KINDS:
        raise JoinRefused(f"failed to find a consenter for consensus type: {config.consensus_type}")
    return config


def _check_same(channel: Channel, block: Block) -> None:
    """All nodes of the process share one chain, so a join block must be of that chain."""
    known = channel.ledger.block(block.header.number)
    if known is None or header_hash(known.header) != header_hash(block.header):
        raise JoinRefused("another chain of that name exists in this process")
