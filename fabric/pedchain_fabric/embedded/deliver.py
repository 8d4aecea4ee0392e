# SPDX-License-Identifier: Apache-2.0
"""Streams of blocks, for peers and orderers alike.

Source: common/deliver/deliver.go, acl.go. Failures are status messages, not gRPC errors; after
SUCCESS the next SeekInfo may follow on the same stream.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from fabric_protos.common.common_pb2 import (
    Block,
    ChannelHeader,
    Envelope,
    Payload,
    SignatureHeader,
    Status,
)
from fabric_protos.orderer.ab_pb2 import SeekInfo, SeekPosition

from pedchain_fabric.embedded import limits
from pedchain_fabric.embedded.channel import Channel
from pedchain_fabric.embedded.expiry import expires_at
from pedchain_fabric.embedded.joined import Joined
from pedchain_fabric.errors import WireError
from pedchain_fabric.wire.block import SignedData, is_config
from pedchain_fabric.wire.messages import parse, require

_log = logging.getLogger("common.deliver")

Sent = TypeVar("Sent")


class _Ended(Exception):  # noqa: N818 - it names an answer, not a fault
    """The request ends with this status."""

    def __init__(self, status: Status.ValueType, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class Kind(Generic[Sent]):
    """What a deliver service sends. `allowed` says whether a caller may read the channel."""

    allowed: Callable[[Channel, SignedData], bool]
    block: Callable[[Channel, Block, SignedData], Sent]
    status: Callable[[Status.ValueType], Sent]


@dataclass(frozen=True, slots=True)
class _Seek:
    """One request, checked for form."""

    channel: Channel
    claim: SignedData
    expires: float
    info: SeekInfo


class Deliverer:
    """Serves the channels a node has joined."""

    def __init__(self, joined: Joined, clock: Callable[[], float] = time.time) -> None:
        self._joined = joined
        self._clock = clock

    async def handle(
        self, requests: AsyncIterator[Envelope], kind: Kind[Sent], tls_hash: bytes = b""
    ) -> AsyncIterator[Sent]:
        """Answers each SeekInfo in turn until the client has no more or one fails.

        `tls_hash` is the client's certificate hash that headers must repeat; empty asks for none.
        """
        async for envelope in requests:
            status: Status.ValueType = Status.SUCCESS
            try:
                seek = self._read(envelope, tls_hash)
                async for response in self._blocks(seek, kind):
                    yield response
            except _Ended as ended:
                _log.debug("deliver request ends with %s: %s", ended.status, ended)
                status = ended.status
            yield kind.status(status)
            if status != Status.SUCCESS:
                return

    def _read(self, envelope: Envelope, tls_hash: bytes) -> _Seek:
        try:
            payload = parse(Payload, envelope.payload)
            require(payload.HasField("header"), "envelope has no header")
            header = parse(ChannelHeader, payload.header.channel_header)
            creator = parse(SignatureHeader, payload.header.signature_header).creator
            self._check_header(header, tls_hash)
        except WireError as error:
            raise _Ended(Status.BAD_REQUEST, str(error)) from error
        channel = self._joined.get(header.channel_id)
        if channel is None:
            raise _Ended(Status.NOT_FOUND, f"channel {header.channel_id} not found")
        try:
            info = parse(SeekInfo, payload.data)
        except WireError as error:
            raise _Ended(Status.BAD_REQUEST, "malformed seekInfo payload") from error
        claim = SignedData(creator, envelope.payload, envelope.signature)
        return _Seek(channel, claim, expires_at(creator), info)

    def _check_header(self, header: ChannelHeader, tls_hash: bytes) -> None:
        require(header.HasField("timestamp"), "channel header must contain timestamp")
        claimed = header.timestamp.seconds + header.timestamp.nanos / 1e9
        apart = abs(self._clock() - claimed)
        require(apart <= limits.PROPOSAL_TIME_WINDOW_S, "timestamp is too far from server time")
        if tls_hash:
            require(header.tls_cert_hash == tls_hash, "claimed TLS cert hash does not match")

    async def _blocks(self, seek: _Seek, kind: Kind[Sent]) -> AsyncIterator[Sent]:
        access = _Access(seek, kind.allowed, self._clock)
        access.check()
        number, stop = _bounds(seek)
        ledger = seek.channel.ledger
        while True:
            if seek.info.behavior == SeekInfo.FAIL_IF_NOT_READY and number >= ledger.height:
                raise _Ended(Status.NOT_FOUND, f"block {number} not found")
            await ledger.wait_height(number + 1)
            block = ledger.block(number)
            if block is None:
                raise _Ended(Status.NOT_FOUND, f"block {number} not found")
            access.check()
            yield kind.block(seek.channel, _content(seek.info, block), seek.claim)
            if number == stop:
                return
            number += 1
            await asyncio.sleep(0)  # a long replay must not starve the other streams


def _content(info: SeekInfo, block: Block) -> Block:
    """Whoever only attests blocks gets header and signatures, config blocks excepted."""
    if info.content_type == SeekInfo.HEADER_WITH_SIG and not is_config(block.data):
        return Block(header=block.header, metadata=block.metadata)
    return block


class _Access:
    """May this client still read? Asked again after each change of configuration."""

    def __init__(
        self,
        seek: _Seek,
        allowed: Callable[[Channel, SignedData], bool],
        clock: Callable[[], float],
    ) -> None:
        self._seek = seek
        self._allowed = allowed
        self._clock = clock
        self._checked_at = -1

    def check(self) -> None:
        """Raises _Ended once the client's certificate expired or a policy excludes it."""
        if self._seek.expires < self._clock():
            raise _Ended(Status.FORBIDDEN, "deliver client identity expired")
        sequence = self._seek.channel.config.sequence
        if sequence == self._checked_at:
            return
        self._checked_at = sequence
        if not self._allowed(self._seek.channel, self._seek.claim):
            raise _Ended(Status.FORBIDDEN, "client is not authorized")


def _bounds(seek: _Seek) -> tuple[int, int]:
    """First and last block number. Raises _Ended for what makes no sense."""
    if not seek.info.HasField("start") or not seek.info.HasField("stop"):
        raise _Ended(Status.BAD_REQUEST, "seekInfo with missing start or stop")
    height = seek.channel.ledger.height
    start = _start(seek.info.start, height)
    kind = seek.info.stop.WhichOneof("Type")
    if kind == "oldest":
        return start, start
    if kind == "newest":
        return start, start if seek.info.start == seek.info.stop else height - 1
    if kind == "specified":
        stop = seek.info.stop.specified.number
        if stop < start:
            raise _Ended(Status.BAD_REQUEST, "start number greater than stop number")
        return start, stop
    return start, 0


def _start(position: SeekPosition, height: int) -> int:
    kind = position.WhichOneof("Type")
    if kind == "oldest":
        return 0
    if kind == "newest":
        return height - 1
    if kind == "next_commit":
        return height
    if kind == "specified" and position.specified.number <= height:
        return position.specified.number
    raise _Ended(Status.NOT_FOUND, "the start position does not exist")
