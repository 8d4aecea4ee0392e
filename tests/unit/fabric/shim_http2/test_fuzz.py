# SPDX-License-Identifier: Apache-2.0
"""Whatever bytes come, a connection ends with an error of HTTP/2 or goes on, and nothing else."""

import asyncio
from contextlib import suppress
from typing import cast

from hpack import Encoder
from hypothesis import given, settings
from hypothesis import strategies as st

from pedchain_fabric.shim.http2 import frames, messages
from pedchain_fabric.shim.http2.frames import ConnectionFault
from pedchain_fabric.shim.http2.messages import MessageFault, Messages
from pedchain_fabric.shim.http2.protocol import Answer, GrpcProtocol
from pedchain_fabric.shim.http2.session import Session

GREETING = frames.PREFACE + frames.frame(frames.SETTINGS, 0, 0)
REQUEST = Encoder().encode(
    [(":method", "POST"), (":path", "/s/m"), ("content-type", "application/grpc")]
)
OPENED = GREETING + frames.frame(frames.HEADERS, frames.END_HEADERS, 1, REQUEST)

any_frame = st.builds(
    frames.frame,
    st.integers(0, 12),
    st.integers(0, 255),
    st.sampled_from([0, 1, 2, 3, 5, 2**31 - 1]),
    st.one_of(
        st.binary(max_size=40),
        st.sampled_from([REQUEST, bytes(4), bytes(5), bytes(6), bytes(8), b"\0\0\0\0\2hi"]),
    ),
)


class Quiet:
    """Hears what a session tells, and answers it."""

    def __init__(self) -> None:
        self.session = Session(self)
        self.events: list[tuple[object, ...]] = []

    def requested(self, stream: int, headers: list[tuple[str, str]]) -> None:
        self.events.append((stream, *headers))
        self.session.answer(stream, messages.accepted())

    def received(self, stream: int, data: bytes) -> None:
        self.events.append((stream, data))
        self.session.send(stream, data)

    def ended(self, stream: int, cancelled: bool) -> None:
        self.events.append((stream, cancelled))
        self.session.finish(stream, messages.trailers(messages.Status.OK))


def heard(parts: list[bytes]) -> tuple[list[tuple[object, ...]], str]:
    """What was told until the end, and what ended it. Sent is only then: whether a stream that both
    sides have ended is still known decides what more of it means."""
    quiet = Quiet()
    try:
        for part in parts:
            quiet.session.receive(part)
        quiet.session.take()
    except ConnectionFault as fault:
        return quiet.events, fault.code.name
    return quiet.events, ""


@given(st.binary(max_size=200))
def test_any_bytes(junk: bytes) -> None:
    for before in (b"", frames.PREFACE, GREETING, OPENED):
        heard([before + junk])


@settings(max_examples=300)
@given(st.lists(any_frame, max_size=12), st.booleans())
def test_any_frames(parts: list[bytes], opened: bool) -> None:
    heard([OPENED if opened else GREETING, *parts])


@given(st.lists(any_frame, max_size=6), st.data())
def test_how_bytes_are_cut_changes_nothing(parts: list[bytes], draw: st.DataObject) -> None:
    whole = OPENED + b"".join(parts)
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    bytewise = [bytes([each]) for each in whole]
    told, code = heard([whole])
    for each in (pieces, bytewise):
        again, other = heard(each)
        assert (again, other) == (told, code)


@given(st.lists(st.binary(max_size=50), max_size=8), st.data())
def test_messages_are_joined_however_they_are_cut(wanted: list[bytes], draw: st.DataObject) -> None:
    whole = b"".join(messages.prefix(each) + each for each in wanted)
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    joined = Messages(50)
    found: list[bytes] = []
    for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        found += joined.feed(whole[a:b])
    assert found == wanted
    assert not joined.partial


@given(st.binary(max_size=60))
def test_any_data_are_messages_or_a_status(junk: bytes) -> None:
    with suppress(MessageFault):
        assert all(len(each) <= 20 for each in Messages(20).feed(junk))


class Socket:
    """Takes what is written."""

    def get_extra_info(self, _: str) -> None:
        return None

    def __init__(self) -> None:
        self.closed = False

    def write(self, data: bytes) -> None:
        assert not self.closed, "written after its end"

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True


class Echo:
    """A method that sends back what comes."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def received(self, message: bytes) -> None:
        self._answer.send(message)

    def ended(self, cancelled: bool) -> None:
        self._answer.finish()


@given(st.lists(any_frame, max_size=12))
def test_a_protocol_takes_any_frames_and_ends_clean(parts: list[bytes]) -> None:
    async def converse() -> None:
        connections: set[GrpcProtocol] = set()
        protocol = GrpcProtocol({"/s/m": Echo}, 100, connections)
        protocol.connection_made(cast(asyncio.Transport, Socket()))
        protocol.data_received(OPENED)
        for part in parts:
            protocol.data_received(part)
            await asyncio.sleep(0)
        protocol.connection_lost(None)
        assert not connections

    asyncio.run(converse())
