# SPDX-License-Identifier: Apache-2.0
"""Chaincode as a service: a gRPC server per package, that peers dial."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Final, Self

import grpc.aio
from fabric_protos.peer import chaincode_shim_pb2_grpc
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from pedchain_fabric.errors import WireError
from pedchain_fabric.shim.connection import Connection
from pedchain_fabric.shim.contracts import Contracts
from pedchain_fabric.shim.limits import (
    GRACE_SECONDS,
    KEEPALIVE_MS,
    KEEPALIVE_TIMEOUT_MS,
    MESSAGE_BYTES,
    PING_INTERVAL_MS,
    STREAM_END_SECONDS,
)
from pedchain_fabric.shim.package import Package

log = logging.getLogger(__name__)

Outgoing = asyncio.Queue[ChaincodeMessage | None]

OPTIONS: Final = (
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    # A peer pings an idle stream every 60 s; by default gRPC takes one ping in 5 minutes and
    # then hangs up with `too_many_pings`.
    ("grpc.http2.min_ping_interval_without_data_ms", PING_INTERVAL_MS),
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.keepalive_time_ms", KEEPALIVE_MS),
    ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.so_reuseport", 0),  # a second process on the port must fail, not share it silently
)


class Listener(chaincode_shim_pb2_grpc.ChaincodeServicer):
    """One package on one port; each peer that dials gets its own `Connection`."""

    def __init__(self, package: Package) -> None:
        self.package = package
        self._contracts = Contracts(package.contracts, package.code)
        self._server = grpc.aio.server(options=OPTIONS)
        self._stopping = asyncio.Event()
        chaincode_shim_pb2_grpc.add_ChaincodeServicer_to_server(self, self._server)

    async def start(self) -> str:
        """Listen; the address with the port that was taken. Raises `OSError` if it is in use."""
        address, tls = self.package.address, self.package.tls
        try:
            if tls is None:
                port = self._server.add_insecure_port(address)
            else:
                port = self._server.add_secure_port(address, tls.credentials)
        except RuntimeError as error:
            raise OSError(f"cannot listen on {address}") from error
        await self._server.start()
        return f"{address.rpartition(':')[0]}:{port}"

    async def stop(self) -> None:
        """Let running transactions finish, then end the streams."""
        self._stopping.set()
        await self._server.stop(GRACE_SECONDS + STREAM_END_SECONDS)

    async def Connect(  # noqa: N802 - the name the protocol gives it
        self,
        request_iterator: AsyncIterator[ChaincodeMessage],
        context: grpc.aio.ServicerContext[ChaincodeMessage, ChaincodeMessage],
    ) -> AsyncIterator[ChaincodeMessage]:
        """A peer's stream. This generator is its only writer: gRPC allows no second."""
        outgoing: Outgoing = asyncio.Queue()
        connection = Connection(self.package.ccid, self._contracts, outgoing.put_nowait)
        connection.start()
        tasks = (
            asyncio.create_task(_read(connection, request_iterator, outgoing)),
            asyncio.create_task(self._drain(connection, outgoing)),
        )
        try:
            while (message := await outgoing.get()) is not None:
                yield message
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, connection.close(), return_exceptions=True)

    async def _drain(self, connection: Connection, outgoing: Outgoing) -> None:
        """Once the server stops, end the stream as soon as nothing runs, or when time is up."""
        await self._stopping.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE_SECONDS):
                await connection.drain()
        outgoing.put_nowait(None)


async def _read(
    connection: Connection, incoming: AsyncIterator[ChaincodeMessage], outgoing: Outgoing
) -> None:
    """Hand the peer's messages on until it hangs up or breaks the protocol."""
    try:
        async for message in incoming:
            connection.receive(message)
    except WireError as error:
        log.error("stream ended: %s", error)
    finally:
        outgoing.put_nowait(None)


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


async def serve(
    packages: Sequence[Package], listening: Callable[[Package, str], None] | None = None
) -> None:
    """Serve until SIGTERM or SIGINT, then stop gracefully.

    `listening` is called for each package, with the address, once all of them listen. Raises
    `OSError` if a port is in use, `ValueError` for a package that cannot be served.
    """
    async with Server(packages) as server, _stop_signal() as stop:
        if listening is not None:
            for package, address in zip(packages, server.addresses, strict=True):
                listening(package, address)
        await stop.wait()


@asynccontextmanager
async def _stop_signal() -> AsyncIterator[asyncio.Event]:
    """An event that SIGTERM or SIGINT sets."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT)
    for number in numbers:
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
