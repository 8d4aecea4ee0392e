# SPDX-License-Identifier: Apache-2.0
"""gRPC servers: services as tables of methods, refusals as exceptions, Fabric's limits."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import load_pem_x509_certificate
from google.protobuf.message import DecodeError, Message
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # Google ships no stubs

from pedchain_fabric.embedded import limits
from pedchain_fabric.embedded.config import Address, TlsFiles

Context = grpc.aio.ServicerContext[Any, Any]
_log = logging.getLogger("comm.grpc")

SERVER_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", limits.MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", limits.MAX_MESSAGE_BYTES),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", limits.MIN_PING_INTERVAL_MS),
    ("grpc.so_reuseport", 0),
)


class RpcRefused(Exception):  # noqa: N818 - it names an answer, not a fault
    """The call ends with this gRPC status; `details` travel in grpc-status-details-bin."""

    def __init__(
        self, code: grpc.StatusCode, message: str, details: Sequence[Message] = ()
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = tuple(details)


@dataclass(frozen=True, slots=True)
class Method:
    """One rpc. `handler(request, context)`; the codecs are None where raw bytes are wanted."""

    name: str
    handler: Callable[[Any, Context], Any]
    request: Callable[[bytes], Any] | None
    response: Callable[[Any], bytes] | None
    request_stream: bool = False
    response_stream: bool = False


@dataclass(frozen=True, slots=True)
class Service:
    """One gRPC service. With `limit`, more calls at once than that are refused as Fabric does."""

    name: str
    methods: tuple[Method, ...]
    limit: int = 0


class Slots(AbstractContextManager["Slots"]):
    """Counts the calls of one service and refuses those over its limit.

    Source: internal/peer/node/grpc_limiters.go (the code is UNKNOWN there too).
    """

    def __init__(self, service: str, limit: int) -> None:
        self._service = service
        self._limit = limit
        self._used = 0

    def __enter__(self) -> "Slots":
        if self._limit and self._used >= self._limit:
            raise RpcRefused(
                grpc.StatusCode.UNKNOWN,
                f"too many requests for /{self._service}, "
                f"exceeding concurrency limit ({self._limit})",
            )
        self._used += 1
        return self

    def __exit__(self, *_: object) -> None:
        self._used -= 1


def serve(address: Address, tls: TlsFiles, services: Iterable[Service]) -> grpc.aio.Server:
    """A server with these services, not started. Raises OSError."""
    server = grpc.aio.server(options=SERVER_OPTIONS)
    for service in services:
        server.add_generic_rpc_handlers((_generic(service),))
    server.add_generic_rpc_handlers((_Unknown(),))
    credentials = grpc.ssl_server_credentials(
        [(tls.key, tls.certificate)],
        root_certificates=tls.client_ca,
        require_client_auth=tls.client_ca is not None,
    )
    try:
        bound = server.add_secure_port(str(address), credentials)
    except RuntimeError as error:
        raise OSError(f"cannot listen on {address}: {error}") from error
    if bound == 0:
        raise OSError(f"cannot listen on {address}")
    return server


class _Unknown(grpc.GenericRpcHandler):
    """Answers what no service answers, in the words of Fabric's gRPC library."""

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[Any, Any]":
        """A handler that refuses."""
        name = handler_call_details.method.rpartition("/")[0].lstrip("/")

        async def refuse(_request: bytes, context: Context) -> None:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, f"unknown service {name}")

        return grpc.unary_unary_rpc_method_handler(refuse)


def _generic(service: Service) -> grpc.GenericRpcHandler:
    slots = Slots(service.name, service.limit)
    return grpc.method_handlers_generic_handler(
        service.name, {method.name: _handler(method, slots) for method in service.methods}
    )


def _handler(method: Method, slots: Slots) -> "grpc.RpcMethodHandler[Any, Any]":
    if method.response_stream:
        make = (
            grpc.stream_stream_rpc_method_handler
            if method.request_stream
            else grpc.unary_stream_rpc_method_handler
        )
        return make(_streaming(method, slots), None, method.response)
    return grpc.unary_unary_rpc_method_handler(_unary(method, slots), None, method.response)


def _unary(method: Method, slots: Slots) -> Callable[[Any, Context], Awaitable[Any]]:
    async def call(data: bytes, context: Context) -> Any:
        try:
            request = _decoded(method, data, "error unmarshalling request")
            with slots:
                return await method.handler(request, context)
        except RpcRefused as refusal:
            return await _abort(context, refusal)

    return call


def _streaming(method: Method, slots: Slots) -> Callable[[Any, Context], AsyncIterator[Any]]:
    async def call(data: Any, context: Context) -> AsyncIterator[Any]:
        try:
            request = (
                _each_decoded(method, data)
                if method.request_stream
                else _decoded(method, data, _RECEIVED)
            )
            with slots:
                async for response in method.handler(request, context):
                    yield response
        except RpcRefused as refusal:
            await _abort(context, refusal)

    return call


_RECEIVED = "failed to unmarshal the received message"


def _decoded(method: Method, data: bytes, failure: str) -> Any:
    """The message. Here and not in gRPC, which would answer UNKNOWN and log a traceback.

    Raises RpcRefused with the code and words of Fabric's gRPC library.
    """
    if method.request is None:
        return data
    try:
        return method.request(data)
    except DecodeError as error:
        reason = "proto: cannot parse invalid wire-format data"
        raise RpcRefused(grpc.StatusCode.INTERNAL, f"grpc: {failure}: {reason}") from error


async def _each_decoded(method: Method, requests: AsyncIterator[bytes]) -> AsyncIterator[Any]:
    async for data in requests:
        yield _decoded(method, data, _RECEIVED)


async def _abort(context: Context, refusal: RpcRefused) -> None:
    metadata: tuple[tuple[str, str | bytes], ...] = ()
    if refusal.details:
        metadata = (("grpc-status-details-bin", _status_bytes(refusal)),)
    await context.abort(refusal.code, refusal.message, metadata)


def _status_bytes(refusal: RpcRefused) -> bytes:
    """A serialised google.rpc.Status with the details packed as Any."""
    number, _ = refusal.code.value
    status = Status(code=number, message=refusal.message)
    for detail in refusal.details:
        status.details.add().Pack(detail)
    return bytes(status.SerializeToString())


def certificate_hash(context: Context) -> bytes:
    """SHA-256 of the client's TLS certificate (DER); empty if the client showed none."""
    shown = context.auth_context().get("x509_pem_cert") or ()
    for pem in shown:
        return load_pem_x509_certificate(pem).fingerprint(hashes.SHA256())
    return b""


_SERVING = b"\x08\x01"
"""grpc.health.v1.HealthCheckResponse{status: SERVING}."""


def _health_service(request: bytes) -> str:
    """The `service` field of a HealthCheckRequest (its only field, number 1)."""
    if len(request) >= 2 and request[0] == 0x0A and request[1] < 0x80:
        return request[2 : 2 + request[1]].decode("utf-8", "replace")
    return ""


async def _check_health(request: bytes, _context: Context) -> bytes:
    if _health_service(request):
        raise RpcRefused(grpc.StatusCode.NOT_FOUND, "unknown service")
    return _SERVING


async def _watch_health(request: bytes, _context: Context) -> AsyncIterator[bytes]:
    if _health_service(request):
        yield b"\x08\x03"  # SERVICE_UNKNOWN
    else:
        yield _SERVING
    await asyncio.Event().wait()


# Orderers and the listeners for chaincode have it, peers themselves do not.
HEALTH = Service(
    "grpc.health.v1.Health",
    (
        Method("Check", _check_health, None, None),
        Method("Watch", _watch_health, None, None, response_stream=True),
    ),
)
