# SPDX-License-Identifier: Apache-2.0
"""Orders a channel's envelopes into signed blocks.

All orderers of the process share one chain, so they agree without talking; what consensus makes
visible is kept: batches by count, bytes and interval, config alone, consenters' signatures, no
block unless a quorum of the channel's consenters takes part.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping

from fabric_protos.common.common_pb2 import Envelope, Payload, SignatureHeader
from fabric_protos.common.configtx_pb2 import Config

from pedchain_fabric.embedded.channel import Channel
from pedchain_fabric.embedded.ledger import BlockRefused
from pedchain_fabric.embedded.orderer.blocks import End
from pedchain_fabric.embedded.orderer.consensus import Consensus, Member, Turn
from pedchain_fabric.embedded.orderer.pool import Request, RequestPool
from pedchain_fabric.embedded.orderer.raft import Raft
from pedchain_fabric.embedded.orderer.reconfiguration import incompatible
from pedchain_fabric.embedded.orderer.smartbft import SmartBft
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.messages import parse

_log = logging.getLogger("orderer.consensus.chain")

KINDS: Mapping[str, Callable[[], Consensus]] = {"BFT": SmartBft, "etcdraft": Raft}
"""By the name the channel's `ConsensusType` gives."""


class OrderingChain:
    """One channel's ordering service. Start it, and stop it before the ledger closes.

    `broken` is told once if it cannot go on; an orderer panics then.
    """

    def __init__(self, channel: Channel, broken: Callable[[BaseException], None]) -> None:
        self.channel = channel
        self._broken = broken
        self._pool = RequestPool()
        self._consensus = KINDS[channel.config.consensus_type]()
        self._orderers: dict[str, Member] = {}
        self._taking_part: tuple[ChannelConfig, dict[int, Member]] | None = None
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

    def join(self, orderer: str, member: Member) -> None:
        """An orderer of the process serves the channel now."""
        self._orderers[orderer] = member
        self._taking_part = None
        self._arrived.set()

    def leave(self, orderer: str) -> None:
        """An orderer of the process no longer serves the channel."""
        self._orderers.pop(orderer, None)
        self._taking_part = None

    def is_consenter(self, member: Member) -> bool:
        """Whether the channel names this orderer as one that orders."""
        return self._consensus.number(self.channel.config, member) is not None

    @property
    def size(self) -> int:
        """How many consenters the channel has."""
        return self._consensus.size(self.channel.config)

    @property
    def leader(self) -> int:
        """The number of the consenter that leads, the lowest that takes part; 0: none can."""
        return min(self._consenters(), default=0) if self._has_quorum() else 0

    def leads(self, member: Member) -> bool:
        """Whether this orderer leads."""
        return self._consensus.number(self.channel.config, member) == self.leader

    def invalid(self, wanted: Config) -> str:
        """Why no orderer may propose the configuration; empty if it may. Raises WireError."""
        reason = incompatible(self.channel.config, wanted)
        if reason:
            return reason
        reason = self._consensus.invalid(self.channel.config, wanted)
        prefix = "consensus metadata update for channel config update is invalid: "
        return reason and prefix + reason

    def refusal(self, wanted: Config) -> str:
        """Why the consenters would not order the configuration; empty if they would."""
        return self._consensus.refusal(wanted)

    def submit(self, orderer: str, envelope: bytes) -> None:
        """Takes a checked envelope. Raises RequestRefused."""
        limit = self._consensus.pool_size(self.channel.config)
        self._pool.add(orderer, self._consensus.request(envelope), limit)
        self._arrived.set()

    async def _run(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while len(self._pool) and self._has_quorum():
                await self._fill()
                self._cut()

    async def _fill(self) -> None:
        """Waits for a full batch, at most the batch interval."""
        config = self.channel.config
        cut = self._consensus.cut(config)
        deadline = asyncio.get_running_loop().time() + self._consensus.interval(config)
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
        batch = self._pool.batch(self._consensus.cut(self.channel.config))
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
        end = End(info.height, info.current_hash, last_config)
        turn = Turn(self.channel.config, end, self._consenters())
        ledger.commit(self._consensus.block(turn, [request.envelope for request in batch]))

    def _has_quorum(self) -> bool:
        return len(self._consenters()) >= self._consensus.quorum(self.channel.config)

    def _consenters(self) -> Mapping[int, Member]:
        """The orderers that take part, by their number among the channel's consenters."""
        config = self.channel.config
        if self._taking_part is None or self._taking_part[0] is not config:
            numbered = {
                self._consensus.number(config, each): each for each in self._orderers.values()
            }
            present = {number: each for number, each in numbered.items() if number is not None}
            self._taking_part = (config, present)
        return self._taking_part[1]

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
