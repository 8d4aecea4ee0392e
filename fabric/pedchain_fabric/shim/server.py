# SPDX-License-Identifier: Apache-2.0
"""Chaincode as a service: a gRPC server per package, that peers dial."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from google.protobuf.message import DecodeError

from pedchain_fabric.errors import WireError
from pedchain_fabric.shim.connection import Connection
from pedchain_fabric.shim.contracts import Contracts
from pedchain_fabric.shim.http2.messages import Status
from pedchain_fabric.shim.http2.protocol import Answer
from pedchain_fabric.shim.http2.server import GrpcServer
from pedchain_fabric.shim.limits import GRACE_SECONDS, MESSAGE_BYTES, STREAM_END_SECONDS
from pedchain_fabric.shim.package import Package

log = logging.getLogger(__name__)

CONNECT: Final = "/protos.Chaincode/Connect"


class Listener:
    """One package on one port; each peer that dials gets its own `Connection`."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self._contracts = Contracts(package.contracts, package.code, package.msp_id)
        self._server = GrpcServer({CONNECT: self._connect}, MESSAGE_BYTES)
        self._streams: set[_Stream] = set()

    async def start(self) -> str:
        """Listen; the address with the port that was taken.

        Raises `OSError` if it is in use, `ValueError` for TLS material that is none.
        """
        address, tls = self.package.address, self.package.tls
        try:
            port = await self._server.start(address, None if tls is None else tls.context)
        except OSError as error:
            raise OSError(f"cannot listen on {address}") from error
        return f"{address.rpartition(':')[0]}:{port}"

    async def stop(self) -> None:
        """Let running transactions finish, then end the streams."""
        ends = [asyncio.create_task(stream.drain()) for stream in self._streams]
        await self._server.stop(GRACE_SECONDS + STREAM_END_SECONDS)
        await asyncio.gather(*ends, *(stream.closed() for stream in self._streams))

    def _connect(self, answer: Answer) -> "_Stream":
        stream = _Stream(self.package.ccid, self._contracts, answer, self._streams)
        stream.start()
        return stream


class _Stream:
    """A peer's stream, in the terms of the transport."""

    def __init__(
        self, ccid: str, contracts: Contracts, answer: Answer, open_: "set[_Stream]"
    ) -> None:
        self._connection = Connection(ccid, contracts, answer.send)
        self._answer = answer
        self._open = open_
        self._end: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Speak first, as Fabric has it."""
        self._open.add(self)
        self._connection.start()

    def received(self, message: bytes) -> None:
        """A message of the peer; one that breaks the protocol ends the stream."""
        if self._end is not None:
            return
        try:
            self._connection.receive(ChaincodeMessage.FromString(message))
        except (WireError, DecodeError) as error:
            log.error("stream ended: %s", error)
            status = Status.OK if isinstance(error, WireError) else Status.INTERNAL
            self._finish(status, "")

    def ended(self, cancelled: bool) -> None:
        """The peer hung up: nobody waits for answers any more."""
        self._finish(Status.OK, "")

    async def drain(self) -> None:
        """End the stream as soon as nothing runs, or when time is up."""
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE_SECONDS):
                await self._connection.drain()
        self._finish(Status.OK, "")

    async def closed(self) -> None:
        """Once nothing of it runs."""
        if self._end is not None:
            await self._end

    def _finish(self, status: Status, text: str) -> None:
        if self._end is None:
            self._answer.finish(status, text)
            self._end = asyncio.create_task(self._connection.close())
            self._end.add_done_callback(lambda _: self._open.discard(self))


class Server:
    """Serves packages, one port each, all in this process and event loop.

    Use it as a context manager: entering listens on every port or on none, leaving stops. The
    `addresses` are in the order of the packages, with the ports that were taken. Chaincodes that
    call each other must be different packages: a peer refuses a second call of one package
    within a transaction.
    """

    def __init__(self, packages: Sequence[Package]) -> None:
        self._listeners = [Listener(package) for package in packages]
        self.addresses: tuple[str, ...] = ()

    async def __aenter__(self) -> Self:
        try:
            self.addresses = tuple([await listener.start() for listener in self._listeners])
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Stop gracefully: running transactions finish within `limits.GRACE_SECONDS`."""
        await asyncio.gather(*(listener.stop() for listener in self._listeners))
