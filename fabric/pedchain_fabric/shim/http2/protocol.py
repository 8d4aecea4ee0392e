# SPDX-License-Identifier: Apache-2.0
"""One socket of a peer: joins HTTP/2 and gRPC's messages to calls of one streaming method.

Everything that becomes ready within one turn of the event loop leaves in one write: to a peer
that has many transactions under way this saves TLS records, system calls and wake-ups, on both
sides.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Protocol, cast

from pedchain_fabric.shim.http2 import limits, messages
from pedchain_fabric.shim.http2.frames import ConnectionFault, ErrorCode
from pedchain_fabric.shim.http2.listening import at_once
from pedchain_fabric.shim.http2.messages import Header, MessageFault, Messages, Status
from pedchain_fabric.shim.http2.session import Session

log = logging.getLogger(__name__)


class Call(Protocol):
    """What a method's implementation makes of one stream. None of these may raise."""

    def received(self, message: bytes) -> None:
        """The peer sent a message."""

    def ended(self, cancelled: bool) -> None:
        """The peer sends nothing more; `cancelled`: it takes nothing more either."""


class Answer:
    """Where a call sends its messages. After the stream's end they go nowhere."""

    def __init__(self, protocol: "GrpcProtocol", stream: int) -> None:
        self._protocol = protocol
        self._session = protocol.session
        self._stream = stream

    def send(self, message: bytes) -> None:
        """One message."""
        self._session.send(self._stream, messages.prefix(message), message)
        self._protocol.flush_soon()

    def finish(self, status: Status = Status.OK, text: str = "") -> None:
        """End the stream once all messages are sent."""
        self._session.finish(self._stream, messages.trailers(status, text))
        self._protocol.flush_soon()


Method = Callable[[Answer], Call]


class GrpcProtocol(asyncio.Protocol):
    """Serves streaming methods by their paths, on one connection."""

    def __init__(
        self,
        methods: Mapping[str, Method],
        message_bytes: int,
        connections: "set[GrpcProtocol]",
    ) -> None:
        self.session = Session(self)
        self.closed = asyncio.Event()
        self._methods = methods
        self._message_bytes = message_bytes
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        self._calls: dict[int, tuple[Call, Messages]] = {}
        self._transport: asyncio.Transport | None = None
        self._paused = self._flushing = False
        self._stopping = self._closed = False
        self._heard = False
        self._timer: asyncio.TimerHandle | None = None

    # the socket's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if len(self._connections) >= limits.CONNECTIONS:
            log.warning("too many connections")
            self._closed = True
            transport.close()
            return
        self._connections.add(self)
        at_once(transport)
        self._transport = cast(asyncio.Transport, transport)
        self._wait(limits.HANDSHAKE_SECONDS, self._greeted)
        self._flush()

    def data_received(self, data: bytes) -> None:
        self._heard = True
        if self._closed:
            return
        try:
            self.session.receive(data)
        except ConnectionFault as fault:
            log.warning("a peer's connection ended: %s", fault)
            self.session.goaway(fault.code, str(fault))
            self._write()
            self._close()
        self.flush_soon()

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self.flush_soon()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        calls, self._calls = self._calls, {}
        for call, _ in calls.values():
            call.ended(True)
        self._connections.discard(self)
        self.closed.set()

    # the session's side

    def requested(self, stream: int, headers: list[Header]) -> None:
        """A stream has opened: begin its call, or say why there is none."""
        refusal = messages.refusal(headers, self._methods)
        if refusal is not None:
            self.session.finish(stream, refusal)
            return
        self.session.answer(stream, messages.accepted())
        method = self._methods[dict(headers)[":path"]]
        self._calls[stream] = method(Answer(self, stream)), Messages(self._message_bytes)

    def received(self, stream: int, data: bytes) -> None:
        """Data came: the messages in it."""
        if (known := self._calls.get(stream)) is None:
            return
        call, joined = known
        try:
            for message in joined.feed(data):
                call.received(message)
        except MessageFault as fault:
            self._give_up(stream, fault.status, str(fault))

    def ended(self, stream: int, cancelled: bool) -> None:
        """The peer sends nothing more."""
        if (known := self._calls.pop(stream, None)) is None:
            return
        call, joined = known
        if joined.partial and not cancelled:
            self.session.finish(
                stream, messages.trailers(Status.INTERNAL, "a message is not complete")
            )
        call.ended(cancelled)

    def _give_up(self, stream: int, status: Status, text: str) -> None:
        call, _ = self._calls.pop(stream)
        self.session.finish(stream, messages.trailers(status, text))
        call.ended(True)

    # what is sent

    def flush_soon(self) -> None:
        """Send what is ready, together with what else gets ready in this turn of the loop."""
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        if self._closed:
            return
        self._write()
        if self._stopping and not self.session.streams:
            self._close()

    def _write(self) -> None:
        more = True
        while more and not self._paused and self._transport is not None:
            data = self.session.take()
            more = len(data) >= limits.WRITE_BYTES
            if data:
                self._transport.write(data)

    # its life

    def stop(self) -> None:
        """Take no new streams; close once those that are open have ended."""
        self._stopping = True
        self.session.goaway(ErrorCode.NO_ERROR)
        self.flush_soon()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def _close(self) -> None:
        """Nothing more is taken or sent but what was written; a peer has so long to read it."""
        self._closed = True
        if self._transport is not None:
            self._transport.close()
            self._wait(limits.KEEPALIVE_TIMEOUT_SECONDS, self.abort)

    def _greeted(self) -> None:
        if self.session.begun:
            self._watch()
        else:
            log.warning("a peer's connection ended: it does not speak HTTP/2")
            self.abort()

    def _watch(self) -> None:
        """Ask a silent peer for a sign of life."""
        silent, self._heard = not self._heard, False
        if silent:
            self.session.ping()
            self.flush_soon()
            self._wait(limits.KEEPALIVE_TIMEOUT_SECONDS, self._check)
        else:
            self._wait(limits.KEEPALIVE_SECONDS, self._watch)

    def _wait(self, seconds: float, then: Callable[[], None]) -> None:
        """The connection's one timer."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, then)

    def _check(self) -> None:
        if self._heard:
            self._watch()
        else:
            log.warning("a peer's connection ended: it is silent")
            self.abort()
