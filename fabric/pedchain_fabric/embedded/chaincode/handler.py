# SPDX-License-Identifier: Apache-2.0
"""The peer's side of one chaincode stream: registration, transactions, state requests.

Source: core/chaincode/handler.go. One handler serves one package (ccid), whatever names it is
committed under; so two names backed by one package cannot call each other.
"""

import asyncio
import enum
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, Protocol

from fabric_protos.peer.chaincode_pb2 import ChaincodeID
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from pedchain_fabric.embedded import limits
from pedchain_fabric.embedded.chaincode.context import ChaincodeFailed, Context
from pedchain_fabric.embedded.chaincode.dialer import DialFailed, Stream
from pedchain_fabric.embedded.chaincode.state import REQUESTS
from pedchain_fabric.errors import FabricError
from pedchain_fabric.wire.messages import parse

_log = logging.getLogger("chaincode")

STREAM_TERMINATED = "chaincode stream terminated"
EXECUTION_TIMEOUT = "timeout expired while executing transaction"


class Registry(Protocol):
    """Knows which chaincode may register, and is told how it went."""

    def register(self, handler: "Handler") -> None:
        """Takes the handler under its ccid. Raises ChaincodeFailed."""
        ...

    def ready(self, handler: "Handler") -> None:
        """The chaincode may be called now."""
        ...

    def failed(self, ccid: str, reason: str) -> None:
        """The chaincode did not get ready."""
        ...

    def deregister(self, handler: "Handler") -> None:
        """The stream is gone."""
        ...


Invoke = Callable[[Context, bytes], Awaitable[bytes]]


class _State(enum.Enum):
    CREATED = "created"
    READY = "ready"


class Handler:
    """Runs until its stream ends. `invoke` carries out calls to other chaincode."""

    def __init__(
        self, stream: Stream, registry: Registry, invoke: Invoke, keepalive_s: float = 0.0
    ) -> None:
        self.ccid = ""
        self._stream = stream
        self._registry = registry
        self._invoke = invoke
        self._keepalive_s = keepalive_s
        self._state = _State.CREATED
        self._contexts: dict[tuple[str, str], Context] = {}
        self._pending: set[tuple[str, str]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writing = asyncio.Lock()
        self._ended = False

    @property
    def is_ready(self) -> bool:
        """Registered, and its stream still open."""
        return self._state is _State.READY and not self._ended

    async def run(self) -> None:
        """Handles the stream's messages until it ends. Raises DialFailed or ChaincodeFailed."""
        if self._keepalive_s:
            self._spawn(self._keep_alive())
        try:
            while (message := await self._stream.read()) is not None:
                await self._receive(message)
        finally:
            self._end()

    async def _keep_alive(self) -> None:
        with suppress(DialFailed):  # then reading fails too, and that ends the handler
            while True:
                await asyncio.sleep(self._keepalive_s)
                await self._send(ChaincodeMessage(type=ChaincodeMessage.KEEPALIVE))

    def _end(self) -> None:
        self._ended = True
        if self.ccid:
            self._registry.deregister(self)
        for context in self._contexts.values():
            context.fail(ChaincodeFailed(STREAM_TERMINATED))
        for task in self._tasks:
            task.cancel()

    async def _receive(self, message: ChaincodeMessage) -> None:
        if message.type == ChaincodeMessage.KEEPALIVE:
            return
        if self._state is _State.CREATED:
            if message.type != ChaincodeMessage.REGISTER:
                raise ChaincodeFailed(self._cannot(message))
            await self._register(message)
        elif message.type in (ChaincodeMessage.COMPLETED, ChaincodeMessage.ERROR):
            self._completed(message)
        elif message.type in REQUESTS or message.type == ChaincodeMessage.INVOKE_CHAINCODE:
            self._accept(message)
        else:
            raise ChaincodeFailed(self._cannot(message))

    def _cannot(self, message: ChaincodeMessage) -> str:
        return (
            f"[{message.txid}] Fabric side handler cannot handle message "
            f"({_name(message)}) while in {self._state.value} state"
        )

    async def _register(self, message: ChaincodeMessage) -> None:
        ccid = parse(ChaincodeID, message.payload).name
        if not ccid:
            self._registry.failed(
                "", "error in handling register chaincode, chaincodeID name is empty"
            )
            return
        self.ccid = ccid
        try:
            self._registry.register(self)
        except ChaincodeFailed as error:
            self.ccid = ""  # another handler's registration must not end with this stream
            _log.error("failed to start %s -- %s", ccid, error)
            self._registry.failed(ccid, str(error))
            return
        await self._send(ChaincodeMessage(type=ChaincodeMessage.REGISTERED))
        await self._send(
            ChaincodeMessage(type=ChaincodeMessage.READY, payload=additional_parameters())
        )
        self._state = _State.READY
        self._registry.ready(self)

    def _completed(self, message: ChaincodeMessage) -> None:
        context = self._contexts.get((message.channel_id, message.txid))
        if context is not None:
            context.finish(message)

    def _accept(self, message: ChaincodeMessage) -> None:
        """One request at a time for each transaction: a second one is dropped, not queued."""
        key = (message.channel_id, message.txid)
        if key in self._pending:
            _log.error(
                "[%s] Another request pending for this CC: %s, Txid: %s, ChannelID: %s. "
                "Cannot process.",
                message.txid[:8], self.ccid, message.txid, message.channel_id,
            )  # fmt: skip
            return
        self._pending.add(key)
        self._spawn(self._serve(key, message))

    async def _serve(self, key: tuple[str, str], message: ChaincodeMessage) -> None:
        kind = ChaincodeMessage.RESPONSE
        try:
            payload = await self._answer(key, message)
        except (ChaincodeFailed, FabricError) as error:
            kind = ChaincodeMessage.ERROR
            payload = f"{_name(message)} failed: transaction ID: {message.txid}: {error}".encode()
        response = ChaincodeMessage(
            type=kind, payload=payload, txid=message.txid, channel_id=message.channel_id
        )
        self._pending.discard(key)
        try:
            await self._send(response)
        except DialFailed as error:
            context = self._contexts.get(key)
            if context is not None:
                context.fail(ChaincodeFailed(f"error sending {_name(response)}: {error}"))

    async def _answer(self, key: tuple[str, str], message: ChaincodeMessage) -> bytes:
        context = self._contexts.get(key)
        if message.type == ChaincodeMessage.INVOKE_CHAINCODE:
            if context is None or context.transaction.simulator is None:
                raise ChaincodeFailed("could not get valid transaction")
            return await self._invoke(context, message.payload)
        if context is None or context.transaction.simulator is None:
            raise ChaincodeFailed("no ledger context")
        return REQUESTS[message.type](context, message.payload)

    async def execute(
        self, context: Context, message: ChaincodeMessage, timeout_s: float
    ) -> ChaincodeMessage:
        """Sends a transaction and waits for its answer. Raises ChaincodeFailed."""
        key = (message.channel_id, message.txid)
        if key in self._contexts:
            raise ChaincodeFailed(f"txid: {message.txid}({message.channel_id}) exists")
        if self._ended:
            raise ChaincodeFailed(STREAM_TERMINATED)
        self._contexts[key] = context
        try:
            await self._send(message)
            return await asyncio.wait_for(context.response, timeout_s)
        except TimeoutError as error:
            raise ChaincodeFailed(EXECUTION_TIMEOUT) from error
        except DialFailed as error:
            raise ChaincodeFailed(STREAM_TERMINATED) from error
        finally:
            del self._contexts[key]

    async def _send(self, message: ChaincodeMessage) -> None:
        async with self._writing:
            await self._stream.write(message)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _name(message: ChaincodeMessage) -> str:
    """The type's name, as Go prints it: of an unknown one its number."""
    known = message.type in ChaincodeMessage.Type.values()
    return ChaincodeMessage.Type.Name(message.type) if known else str(message.type)


def additional_parameters() -> bytes:
    """READY's payload, `protos.ChaincodeAdditionalParams`, which our protobuf package lacks.

    Fields: use_write_batch = 1, max_size_write_batch = 2, use_get_multiple_keys = 3,
    max_size_get_multiple_keys = 4.
    """
    return (
        b"\x08\x01\x10"
        + _varint(limits.WRITE_BATCH_LIMIT)
        + b"\x18\x01\x20"
        + _varint(limits.GET_MULTIPLE_LIMIT)
    )


def _varint(value: int) -> bytes:
    low, high = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(high) if high else bytes([low])
