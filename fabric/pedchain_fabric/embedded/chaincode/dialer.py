# SPDX-License-Identifier: Apache-2.0
"""Dials chaincode servers: `protos.Chaincode/Connect`, the peer being the client.

Source: core/chaincode/extcc/extcc_handler.go, internal/pkg/comm/config.go.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

import grpc
import grpc.aio
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from pedchain_fabric.embedded import limits
from pedchain_fabric.embedded.chaincode.package import Connection

_OPTIONS = (
    ("grpc.max_receive_message_length", limits.MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", limits.MAX_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", limits.CHAINCODE_PING_INTERVAL_MS),
    ("grpc.keepalive_timeout_ms", limits.CHAINCODE_PING_TIMEOUT_MS),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.use_local_subchannel_pool", 1),
)


class DialFailed(Exception):  # noqa: N818 - it names an answer, not a fault
    """The chaincode server could not be reached, or its stream broke; the text says how."""


class Stream(Protocol):
    """A chaincode stream as the handler sees it, whoever dialled."""

    async def read(self) -> ChaincodeMessage | None:
        """The next message, None when the other side has ended the stream."""
        ...

    async def write(self, message: ChaincodeMessage) -> None:
        """Sends a message. One call at a time."""
        ...


class _ClientStream:
    """The stream of a chaincode server."""

    def __init__(self, call: grpc.aio.StreamStreamCall[ChaincodeMessage, ChaincodeMessage]) -> None:
        self._call = call

    async def read(self) -> ChaincodeMessage | None:
        try:
            message = await self._call.read()
        except grpc.aio.AioRpcError as error:
            raise DialFailed(_text(error)) from error
        return message if isinstance(message, ChaincodeMessage) else None

    async def write(self, message: ChaincodeMessage) -> None:
        try:
            await self._call.write(message)
        except grpc.aio.AioRpcError as error:
            raise DialFailed(_text(error)) from error
        except asyncio.InvalidStateError as error:
            raise DialFailed("EOF") from error


@asynccontextmanager
async def connect(ccid: str, connection: Connection) -> AsyncIterator[Stream]:
    """A stream to the server, closed at the end. Raises DialFailed when it does not answer."""
    async with _channel(connection) as channel:
        try:
            await asyncio.wait_for(channel.channel_ready(), connection.dial_timeout_s)
        except TimeoutError as error:
            raise DialFailed(
                f"error cannot create connection for {ccid}: error creating grpc connection to "
                f"{connection.address}: failed to create new connection: "
                "context deadline exceeded"
            ) from error
        open_stream: grpc.aio.StreamStreamMultiCallable[ChaincodeMessage, ChaincodeMessage] = (
            channel.stream_stream(
                "/protos.Chaincode/Connect",
                request_serializer=ChaincodeMessage.SerializeToString,
                response_deserializer=ChaincodeMessage.FromString,
            )
        )
        call = open_stream()
        try:
            yield _ClientStream(call)
        finally:
            call.cancel()


def _channel(connection: Connection) -> grpc.aio.Channel:
    if connection.root_cert is None:
        return grpc.aio.insecure_channel(connection.address, options=_OPTIONS)
    credentials = grpc.ssl_channel_credentials(
        connection.root_cert, connection.client_key, connection.client_cert
    )
    return grpc.aio.secure_channel(connection.address, credentials, options=_OPTIONS)


def _text(error: grpc.aio.AioRpcError) -> str:
    """As Go prints a gRPC error."""
    words = "".join(part.capitalize() for part in error.code().name.split("_"))
    return f"rpc error: code = {words} desc = {error.details()}"
