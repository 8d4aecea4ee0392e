# SPDX-License-Identifier: Apache-2.0
"""One transaction's conversation with the peer: one request outstanding, the others queued.

A peer logs and drops a second request of the same transaction (Fabric core/chaincode/handler.go,
registerTxid), and the chaincode would wait for its answer until the peer's time-out.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, TypeAlias

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from pedchain_fabric.shim.encoding import Envelope
from pedchain_fabric.shim.errors import PeerError, StubError
from pedchain_fabric.shim.limits import PAYLOAD_BYTES

MessageType: TypeAlias = ChaincodeMessage.Type.ValueType
_RESPONSE: Final = ChaincodeMessage.RESPONSE
Send = Callable[[bytes], None]
Reply = asyncio.Future[ChaincodeMessage]


class Exchange:
    """Asks the peer on behalf of one transaction, in the order of the calls."""

    def __init__(self, channel_id: str, transaction_id: str, send: Send) -> None:
        self.channel_id = channel_id
        self.transaction_id = transaction_id
        self.envelope = Envelope(channel_id, transaction_id)
        self._send = send
        self.loop = asyncio.get_running_loop()  # asked once: each time costs a system call
        self._queue: deque[tuple[bytes, Reply]] = deque()
        self._outstanding: Reply | None = None
        self._drained: asyncio.Future[None] | None = None
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether a request is unanswered or unsent."""
        return self._outstanding is not None or bool(self._queue)

    async def ask(self, kind: MessageType, payload: bytes) -> bytes:
        """The peer's answer to one request.

        Raises `PeerError` if it answers ERROR, `StubError` once the transaction has ended or for
        a request larger than a message may be (sending it would break the stream for everyone).
        A cancelled caller does not free the line: the peer still answers what was sent.
        """
        if self._closed:
            raise StubError("the transaction has ended")
        if len(payload) > PAYLOAD_BYTES:
            raise StubError(f"a request of {len(payload)} bytes is too large")
        message = self.envelope.message(kind, payload)
        reply: Reply = self.loop.create_future()
        if self._outstanding is None and not self._queue:
            self._outstanding = reply
            self._send(message)
        else:
            self._queue.append((message, reply))
        answer = await reply
        if answer.type == _RESPONSE:
            return answer.payload
        raise PeerError(answer.payload.decode(errors="replace"))

    def answer(self, message: ChaincodeMessage) -> None:
        """Take the peer's RESPONSE or ERROR; send the next request."""
        reply, self._outstanding = self._outstanding, None
        if reply is not None and not reply.done():
            reply.set_result(message)
        if self._queue:
            self._advance()
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    async def close(self) -> bool:
        """End the conversation: drop what is unsent, wait for what is unanswered.

        True if there was neither. A contract that returns while requests are under way would
        leave their outcome to chance.
        """
        self._closed = True
        clean = not self.busy
        while self._queue:
            self._queue.popleft()[1].cancel()
        if self._outstanding is not None:
            self._drained = self.loop.create_future()
            await self._drained
        return clean

    def _advance(self) -> None:
        while self._outstanding is None and self._queue:
            message, reply = self._queue.popleft()
            if not reply.done():
                self._outstanding = reply
                self._send(message)
