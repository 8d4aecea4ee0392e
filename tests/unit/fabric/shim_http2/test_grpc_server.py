# SPDX-License-Identifier: Apache-2.0
"""The server on sockets: gRPC's own client is the peer, or somebody who only pretends to be."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import grpc
import grpc.aio
import pytest

from pedchain_fabric.shim.http2 import frames, limits
from pedchain_fabric.shim.http2.listening import bind, tls_context
from pedchain_fabric.shim.http2.protocol import Answer, GrpcProtocol
from pedchain_fabric.shim.http2.server import GrpcServer

GREETING = frames.PREFACE + frames.frame(frames.SETTINGS, 0, 0)
LARGE = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
MESSAGE_BYTES = 100 * 1024 * 1024


class Echo:
    """Sends back what comes, and ends when the peer does."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def received(self, message: bytes) -> None:
        self._answer.send(message)

    def ended(self, cancelled: bool) -> None:
        self._answer.finish()


@asynccontextmanager
async def serving(message_bytes: int = MESSAGE_BYTES) -> AsyncIterator[tuple[GrpcServer, str]]:
    server = GrpcServer({"/s/m": Echo}, message_bytes)
    port = await server.start("127.0.0.1:0", None)
    try:
        yield server, f"127.0.0.1:{port}"
    finally:
        await server.stop(5)


@asynccontextmanager
async def called(address: str, path: str = "/s/m") -> AsyncIterator["Stream"]:
    async with grpc.aio.insecure_channel(address, options=LARGE) as channel:
        yield channel.stream_stream(path)()


Stream = grpc.aio.StreamStreamCall[bytes, bytes]


async def until_the_end(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the connection ends, whichever way."""
    heard = b""
    with suppress(ConnectionError):
        while part := await asyncio.wait_for(reader.read(100), 20):
            heard += part
    return heard


@asynccontextmanager
async def connected(
    address: str, said: bytes = b""
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    host, _, port = address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(said)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def test_messages_of_100_mb_pass_both_ways() -> None:
    message = bytes(MESSAGE_BYTES)
    async with serving() as (_, address), called(address) as call:
        await call.write(message)
        assert await call.read() == message
        await call.done_writing()
        assert await call.code() == grpc.StatusCode.OK


async def test_many_messages_keep_their_order() -> None:
    wanted = [b"%d" % number * (number % 70) for number in range(2_000)]
    async with serving() as (_, address), called(address) as call:
        sending = asyncio.create_task(send(call, wanted))
        assert [await call.read() for _ in wanted] == wanted
        await sending


async def test_what_is_written_goes_out_at_once() -> None:
    """Nagle's algorithm would hold a message back for 40 ms now and then."""
    made: list[asyncio.Transport] = []

    class Noting(GrpcProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            made.append(transport)  # type: ignore[arg-type]  # of a socket

    loop = asyncio.get_running_loop()
    (listening,) = bind("127.0.0.1:0")
    listening.setblocking(False)
    server = await loop.create_server(lambda: Noting({}, 1_000, set()), sock=listening)
    async with server, connected(f"127.0.0.1:{listening.getsockname()[1]}", GREETING) as (heard, _):
        await heard.read(9)
        taken = made[0].get_extra_info("socket")
        assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        made[0].abort()


async def send(call: Stream, wanted: list[bytes]) -> None:
    for each in wanted:
        await call.write(each)


async def test_a_message_beyond_the_limit_ends_its_stream_with_grpcs_words() -> None:
    async with serving(1_000) as (_, address), called(address) as call:
        await call.write(bytes(1_001))
        assert await call.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert await call.details() == "received message larger than max (1001 vs. 1000)"


async def test_a_method_that_is_not_there_is_unimplemented() -> None:
    async with serving() as (_, address), called(address, "/s/other") as call:
        assert await call.code() == grpc.StatusCode.UNIMPLEMENTED


async def test_a_call_that_the_peer_cancels_leaves_the_connection_usable() -> None:
    async with serving() as (_, address), grpc.aio.insecure_channel(address) as channel:
        first: Stream = channel.stream_stream("/s/m")()
        await first.write(b"1")
        assert await first.read() == b"1"
        first.cancel()
        second: Stream = channel.stream_stream("/s/m")()
        await second.write(b"2")
        assert await second.read() == b"2"


@pytest.mark.parametrize(
    "junk",
    [
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="http1"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01", id="tls"),
        pytest.param(GREETING + b"\xff" * 100, id="frames-of-junk"),
        pytest.param(GREETING + frames.frame(frames.PUSH_PROMISE, 0, 1), id="a-push"),
    ],
)
async def test_a_stranger_loses_its_connection_and_others_keep_theirs(junk: bytes) -> None:
    async with serving() as (_, address), called(address) as call:
        async with connected(address, junk) as (reader, _writer):
            assert b"\x07" in await until_the_end(reader)  # GOAWAY tells why
        await call.write(b"on")
        assert await call.read() == b"on"


async def test_who_says_nothing_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HANDSHAKE_SECONDS", 0.05)
    async with serving() as (_, address), connected(address) as (reader, _writer):
        await until_the_end(reader)


async def test_a_silent_peer_is_asked_and_then_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HANDSHAKE_SECONDS", 1.0)
    monkeypatch.setattr(limits, "KEEPALIVE_SECONDS", 0.05)
    monkeypatch.setattr(limits, "KEEPALIVE_TIMEOUT_SECONDS", 0.05)
    async with serving() as (_, address), connected(address, GREETING) as (reader, _writer):
        assert frames.frame(frames.PING, 0, 0, bytes(8)) in await until_the_end(reader)


async def test_a_peer_that_answers_pings_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HANDSHAKE_SECONDS", 1.0)
    monkeypatch.setattr(limits, "KEEPALIVE_SECONDS", 0.01)
    monkeypatch.setattr(limits, "KEEPALIVE_TIMEOUT_SECONDS", 1.0)
    ping, pong = (frames.frame(frames.PING, flags, 0, bytes(8)) for flags in (0, frames.ACK))
    async with serving() as (_, address), connected(address, GREETING) as (reader, writer):
        async with asyncio.timeout(20):
            for _ in range(2):
                await reader.readuntil(ping)
                writer.write(pong)


async def test_one_connection_too_many_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CONNECTIONS", 1)
    async with serving() as (_, address), called(address) as call:
        await call.write(b"1")
        assert await call.read() == b"1"
        async with connected(address) as (reader, _writer):
            assert await until_the_end(reader) == b""


async def test_a_server_that_stops_waits_for_open_streams_and_closes_idle_connections() -> None:
    async with (
        serving() as (server, address),
        called(address) as call,
        connected(address, GREETING) as (idle, _writer),
    ):
        await call.write(b"1")
        assert await call.read() == b"1"
        await asyncio.wait_for(idle.readuntil(frames.frame(frames.SETTINGS, 1, 0)), 20)
        stopping = asyncio.create_task(server.stop(20))
        assert frames.header(frames.GOAWAY, 0, 0, 8) in await until_the_end(idle)
        await call.write(b"2")
        assert await call.read() == b"2"
        await call.done_writing()
        await asyncio.wait_for(stopping, 20)


async def test_a_stream_that_never_ends_is_cut_off_when_time_is_up() -> None:
    async with serving() as (server, address), called(address) as call:
        await call.write(b"1")
        assert await call.read() == b"1"
        await server.stop(0.01)
        assert await call.code() == grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("address", ["localhost:0", "[::1]:0", ":0", "0.0.0.0:0"])
def test_a_name_is_bound_on_all_its_addresses_with_one_port(address: str) -> None:
    found = bind(address)
    try:
        assert len({each.getsockname()[1] for each in found}) == 1
    finally:
        for each in found:
            each.close()


@pytest.mark.parametrize("address", ["localhost", "localhost:x", "localhost:65536", "localhost:-1"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"port|int"):
        bind(address)


@pytest.mark.parametrize("ca", [None, b"junk", b"\xff"])
def test_tls_material_that_is_none_is_refused(ca: bytes | None) -> None:
    with pytest.raises(ValueError, match="not usable"):
        tls_context(b"junk", b"junk", ca)


async def test_plain_text_to_a_tls_port_ends_and_the_server_goes_on() -> None:
    server = GrpcServer({"/s/m": Echo}, MESSAGE_BYTES)
    port = await server.start("127.0.0.1:0", ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    try:
        for _ in range(2):
            async with connected(f"127.0.0.1:{port}", GREETING) as (reader, _writer):
                assert frames.frame(frames.SETTINGS, 1, 0) not in await until_the_end(reader)
    finally:
        await server.stop(5)
