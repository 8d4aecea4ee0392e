# SPDX-License-Identifier: Apache-2.0
"""Orders a channel's envelopes into signed blocks.

All orderers of the process share one chain, so they agree without talking; what SmartBFT makes
visible is kept: batches by count, bytes and interval, config alone, a quorum of signatures, no
block unless a quorum of the channel's consenters takes part.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping

from fabric_protos.common.common_pb2 import Envelope, Payload, SignatureHeader
from fabric_protos.common.configuration_pb2 import Consenter as ConsenterMapping
from fabric_protos.orderer.smartbft.configuration_pb2 import Options

from pedchain_fabric.embedded import limits
from pedchain_fabric.embedded.channel import Channel
from pedchain_fabric.embedded.ledger import BlockRefused
from pedchain_fabric.embedded.orderer import blocks
from pedchain_fabric.embedded.orderer.blocks import Consenter
from pedchain_fabric.embedded.orderer.pool import (
    Cut,
    Request,
    RequestPool,
    request_of,
)
from pedchain_fabric.errors import FabricError, IdentityError
from pedchain_fabric.wire import durations
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.identity import Identity, SigningIdentity
from pedchain_fabric.wire.messages import parse
from pedchain_fabric.wire.quorum import bft_quorum

_log = logging.getLogger("orderer.consensus.smartbft.chain")

BFT = "BFT"


class OrderingChain:
    """One channel's ordering service. Start it, and stop it before the ledger closes.

    `broken` is told once if it cannot go on; an orderer panics then.
    """

    def __init__(self, channel: Channel, broken: Callable[[BaseException], None]) -> None:
        self.channel = channel
        self._broken = broken
        self._pool = RequestPool()
        self._orderers: dict[str, SigningIdentity] = {}
        self._taking_part: tuple[ChannelConfig, dict[int, SigningIdentity]] | None = None
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to cut blocks."""
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _log.critical("[%s] ordering ends: %s", self.channel.name, error, exc_info=error)
            self._broken(error)

    async def stop(self) -> None:
        """Ends; what is in the pool is lost, as when orderers stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def join(self, orderer: str, identity: SigningIdentity) -> None:
        """An orderer of the process serves the channel now."""
        self._orderers[orderer] = identity
        self._taking_part = None
        self._arrived.set()

    def leave(self, orderer: str) -> None:
        """An orderer of the process was removed from the channel."""
        self._orderers.pop(orderer, None)
        self._taking_part = None

    def is_consenter(self, identity: SigningIdentity) -> bool:
        """Whether the channel's mapping names this orderer."""
        return any(_same(mapping, identity) for mapping in self.channel.config.consenters)

    def submit(self, orderer: str, envelope: bytes) -> None:
        """Takes a checked envelope. Raises RequestRefused."""
        options = _options(self.channel.config)
        limit = options.request_pool_size or limits.REQUEST_POOL_SIZE
        self._pool.add(orderer, request_of(envelope), limit)
        self._arrived.set()

    async def _run(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while len(self._pool) and len(self._consenters()) >= self._quorum():
                await self._fill()
                self._cut()

    async def _fill(self) -> None:
        """Waits for a full batch, at most the batch interval."""
        config = self.channel.config
        cut = _cut(config)
        deadline = asyncio.get_running_loop().time() + _interval(config)
        while not self._pool.is_full(cut):
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return
            try:
                await asyncio.wait_for(self._arrived.wait(), left)
            except TimeoutError:
                return
            self._arrived.clear()

    def _cut(self) -> None:
        batch = self._pool.batch(_cut(self.channel.config))
        if not batch:
            return
        sequence = self.channel.config.sequence
        try:
            self._order(batch)
        except BlockRefused as refused:
            _log.critical("[%s] cannot make a block: %s", self.channel.name, refused)
            for request in batch:
                self._pool.drop(request)
            return
        self._pool.processed(batch)
        if self.channel.config.sequence != sequence:
            self._prune()

    def _order(self, batch: list[Request]) -> None:
        ledger = self.channel.ledger
        info = ledger.chain_info()
        last_config = info.height if batch[0].is_config else ledger.config_block
        envelopes = [request.envelope for request in batch]
        block = blocks.assemble(info.height, info.current_hash, envelopes, last_config)
        blocks.sign(block, self._signers(info.height))
        ledger.commit(block)

    def _quorum(self) -> int:
        return bft_quorum(max(1, len(self.channel.config.consenters)))

    def _consenters(self) -> Mapping[int, SigningIdentity]:
        """The orderers that take part, by their number in the channel's mapping."""
        config = self.channel.config
        if self._taking_part is None or self._taking_part[0] is not config:
            present = {
                mapping.id: identity
                for mapping in config.consenters
                for identity in self._orderers.values()
                if _same(mapping, identity)
            }
            self._taking_part = (config, present)
        return self._taking_part[1]

    def _signers(self, number: int) -> list[Consenter]:
        """A quorum, another one for each block."""
        present = sorted(self._consenters().items())
        first = number % len(present)
        chosen = (present[first:] + present[:first])[: self._quorum()]
        return [Consenter(identifier, identity.signer) for identifier, identity in chosen]

    def _prune(self) -> None:
        """After a new configuration, requests it no longer admits are dropped.

        A config update was computed from the old configuration, so it never fits the new one.
        """
        writers = self.channel.config.policy("/Channel/Writers")
        for request in self._pool.waiting():
            envelope = Envelope.FromString(request.envelope)
            header = parse(Payload, envelope.payload).header
            creator = _creator(header.signature_header)
            claim = (creator, envelope.payload, envelope.signature)
            if request.is_config or not writers.satisfied_by([claim]):
                self._pool.drop(request)


def _creator(signature_header: bytes) -> bytes:
    return parse(SignatureHeader, signature_header).creator


def _same(mapping: ConsenterMapping, identity: SigningIdentity) -> bool:
    if mapping.msp_id != identity.msp_id:
        return False
    try:
        named = Identity(mapping.msp_id, mapping.identity)
        return named.x509 == identity.identity.x509
    except IdentityError:
        return False


def _options(config: ChannelConfig) -> Options:
    return parse(Options, config.consensus_metadata)


def _cut(config: ChannelConfig) -> Cut:
    """SmartBFT takes count and bytes from the channel's batch size (createSmartBftConfig)."""
    size = config.batch_size
    return Cut(max(1, size.max_message_count), size.absolute_max_bytes or limits.MAX_MESSAGE_BYTES)


def _interval(config: ChannelConfig) -> float:
    try:
        return durations.seconds(_options(config).request_batch_max_interval)
    except (ValueError, FabricError):
        return 0.05
