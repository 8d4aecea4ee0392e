# SPDX-License-Identifier: Apache-2.0
"""One HTTP/2 connection, the server's end, without I/O: bytes in, events and bytes out.

Source: RFC 9113. Requests only (no push, no priorities); the peer's header table is kept by
`hpack`, our own headers are sent without one.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from hpack import Decoder, Encoder
from hpack.exceptions import HPACKError

from pedchain_fabric.shim.http2 import frames, limits
from pedchain_fabric.shim.http2.frames import ConnectionFault, ErrorCode, Frame
from pedchain_fabric.shim.http2.messages import Header
from pedchain_fabric.shim.http2.stream import WINDOW_MAX, Inlet, Outlet, Stream

_WINDOW: Final = 65_535  # both sides' window until told otherwise
_U32: Final = struct.Struct(">I")
_SETTING: Final = struct.Struct(">HI")
_PING_BYTES: Final = 8
_GOAWAY_BYTES: Final = 8

_ENABLE_PUSH: Final = 2
_MAX_CONCURRENT_STREAMS: Final = 3
_INITIAL_WINDOW_SIZE: Final = 4
_MAX_FRAME_SIZE: Final = 5
_MAX_HEADER_LIST_SIZE: Final = 6
_OUR_SETTINGS: Final = (
    (_MAX_CONCURRENT_STREAMS, limits.STREAMS),
    (_INITIAL_WINDOW_SIZE, limits.WINDOW_BYTES),
    (_MAX_HEADER_LIST_SIZE, limits.HEADER_BYTES),
)
_FRAME_BYTES_MAX: Final = 2**24 - 1


class Events(Protocol):
    """What a session tells. None of these may raise."""

    def requested(self, stream: int, headers: list[Header]) -> None:
        """A stream has opened."""

    def received(self, stream: int, data: bytes) -> None:
        """Data came on it."""

    def ended(self, stream: int, cancelled: bool) -> None:
        """The peer sends nothing more on it; `cancelled`: it takes nothing more either."""


@dataclass(slots=True)
class _Block:
    """A header block that is not complete."""

    stream: int
    ends_stream: bool
    data: bytes
    frames: int = 1


class Session:
    """Give it what the socket brings, and send what `take` gives."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._reader = frames.Reader(limits.FRAME_BYTES)
        self._decoder = Decoder(max_header_list_size=limits.HEADER_BYTES)
        self._encoder = Encoder()
        self._encoder.header_table_size = 0  # so none is to be kept in step with the peer
        self._streams: dict[int, Stream] = {}
        self._last = 0  # the highest stream the peer has opened
        self._block: _Block | None = None
        self._settled = False  # the peer's first frame, its SETTINGS, has come
        self._closing = False
        self._resets = 0
        self._peer_window, self._peer_frame = _WINDOW, limits.FRAME_BYTES
        self._outlet, self._inlet = Outlet(_WINDOW), Inlet()
        settings = b"".join(_SETTING.pack(*each) for each in _OUR_SETTINGS)
        self._controls = [
            frames.frame(frames.SETTINGS, 0, 0, settings),
            _window_update(0, limits.WINDOW_BYTES - _WINDOW),
        ]

    @property
    def begun(self) -> bool:
        """Whether the peer has shown that it speaks HTTP/2."""
        return self._settled

    @property
    def streams(self) -> int:
        """How many are open."""
        return len(self._streams)

    # what comes

    def receive(self, data: bytes) -> None:
        """Take bytes. Raises `ConnectionFault`: send what `take` gives after `goaway`, and end."""
        for frame in self._reader.frames(data):
            if self._block is not None and frame.kind != frames.CONTINUATION:
                raise _protocol("a header block is not complete")
            if not self._settled and frame.kind != frames.SETTINGS:
                raise _protocol("SETTINGS must come first")
            take = _TAKERS.get(frame.kind)
            if take is not None:  # RFC 9113, section 5.5: unknown kinds are ignored
                take(self, frame)
        if len(self._controls) > limits.CONTROLS:
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "it asks much and reads nothing")

    def _data(self, frame: Frame) -> None:
        stream, size = self._known(frame), len(frame.payload)
        self._inlet.take(size)
        if stream is None or stream.peer_ended:
            if stream is not None:
                self.reset(stream.id, ErrorCode.STREAM_CLOSED)
            return
        stream.inlet.take(size)
        data = frames.unpadded(frame) if frame.flags & frames.PADDED else frame.payload
        if data:
            self._events.received(stream.id, data)
        if frame.flags & frames.END_STREAM:
            stream.peer_ended = True
            self._events.ended(stream.id, False)

    def _headers(self, frame: Frame) -> None:
        if not frame.stream % 2:
            raise _protocol("a client's streams have odd numbers")
        ends = bool(frame.flags & frames.END_STREAM)
        self._grow(_Block(frame.stream, ends, frames.unpadded(frame)), frame)

    def _continuation(self, frame: Frame) -> None:
        block = self._block
        if block is None or block.stream != frame.stream:
            raise _protocol("it continues no header block")
        block.data += frame.payload
        block.frames += 1
        self._grow(block, frame)

    def _grow(self, block: _Block, frame: Frame) -> None:
        if len(block.data) > limits.HEADER_BYTES or block.frames > limits.HEADER_FRAMES:
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "too many headers")
        self._block = block
        if frame.flags & frames.END_HEADERS:
            self._block = None
            self._request(block, self._unpacked(block.data))

    def _unpacked(self, block: bytes) -> list[Header]:
        """Decoded even where nobody wants it: the table must stay that of the peer."""
        try:
            return [(str(name), str(value)) for name, value in self._decoder.decode(block)]
        except (HPACKError, UnicodeDecodeError) as error:
            raise ConnectionFault(ErrorCode.COMPRESSION_ERROR, "no header block") from error

    def _request(self, block: _Block, headers: list[Header]) -> None:
        if block.stream <= self._last:
            self._peer_trailers(block)
            return
        self._last = block.stream
        if self._closing or len(self._streams) >= limits.STREAMS:
            self._controls.append(_reset(block.stream, ErrorCode.REFUSED_STREAM))
            return
        stream = self._streams[block.stream] = Stream(block.stream, self._peer_window)
        self._events.requested(block.stream, headers)
        if block.ends_stream:
            stream.peer_ended = True
            self._events.ended(block.stream, False)

    def _peer_trailers(self, block: _Block) -> None:
        stream = self._streams.get(block.stream)
        if stream is None:
            return  # it has ended here already
        if stream.peer_ended or not block.ends_stream:
            raise _protocol("headers in the midst of a stream")
        stream.peer_ended = True
        self._events.ended(block.stream, False)

    def _priority(self, frame: Frame) -> None:
        if not frame.stream:
            raise _protocol("PRIORITY needs a stream")
        _sized(frame, 5)

    def _rst_stream(self, frame: Frame) -> None:
        _sized(frame, _U32.size)
        stream = self._known(frame)
        self._resets += 1
        if self._resets > limits.RESETS:
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "too many cancelled streams")
        if stream is not None:
            del self._streams[stream.id]
            self._events.ended(stream.id, True)

    def _settings(self, frame: Frame) -> None:
        _of_connection(frame)
        if frame.flags & frames.ACK:
            _sized(frame, 0)
            return
        if len(frame.payload) % _SETTING.size:
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "SETTINGS of an odd length")
        for name, value in _SETTING.iter_unpack(frame.payload):
            self._set(name, value)
        self._settled = True
        self._controls.append(frames.frame(frames.SETTINGS, frames.ACK, 0))

    def _set(self, name: int, value: int) -> None:
        if name == _ENABLE_PUSH and value > 1:
            raise _protocol("ENABLE_PUSH is 0 or 1")
        if name == _INITIAL_WINDOW_SIZE:
            if value > WINDOW_MAX:
                raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "the window is too large")
            for stream in self._streams.values():
                stream.outlet.widen(value - self._peer_window)
            self._peer_window = value
        if name == _MAX_FRAME_SIZE:
            if not limits.FRAME_BYTES <= value <= _FRAME_BYTES_MAX:
                raise _protocol("MAX_FRAME_SIZE out of its bounds")
            self._peer_frame = value

    def _push_promise(self, frame: Frame) -> None:
        raise _protocol("a client cannot push")

    def _ping(self, frame: Frame) -> None:
        _of_connection(frame)
        _sized(frame, _PING_BYTES)
        if not frame.flags & frames.ACK:
            self._controls.append(frames.frame(frames.PING, frames.ACK, 0, frame.payload))

    def _goaway(self, frame: Frame) -> None:
        """The peer opens no more streams; those that are open go on."""
        _of_connection(frame)
        if len(frame.payload) < _GOAWAY_BYTES:
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "GOAWAY is too short")

    def _window_update(self, frame: Frame) -> None:
        _sized(frame, _U32.size)
        more = _U32.unpack(frame.payload)[0] & WINDOW_MAX
        if not more:
            raise _protocol("a window update of nothing")
        if not frame.stream:
            self._outlet.widen(more)
        elif (stream := self._known(frame)) is not None:
            stream.outlet.widen(more)

    def _known(self, frame: Frame) -> Stream | None:
        """The frame's stream, None if it has ended. Raises `ConnectionFault` if it never was."""
        if not frame.stream or frame.stream > self._last:
            raise _protocol("the stream is not open")
        return self._streams.get(frame.stream)

    # what goes

    def answer(self, stream: int, headers: list[Header]) -> None:
        """The headers of an answer that has data."""
        if stream in self._streams:
            block = self._encoder.encode(headers)
            self._controls.append(frames.frame(frames.HEADERS, frames.END_HEADERS, stream, block))

    def send(self, stream: int, *parts: bytes) -> None:
        """More data; nothing if the stream has ended."""
        if (open_ := self._streams.get(stream)) is not None and open_.trailers is None:
            open_.add(*parts)

    def finish(self, stream: int, trailers: list[Header]) -> None:
        """End the stream with these headers, once its data are sent."""
        if (open_ := self._streams.get(stream)) is not None and open_.trailers is None:
            open_.trailers = self._encoder.encode(trailers)

    def reset(self, stream: int, code: ErrorCode) -> None:
        """Give the stream up."""
        if self._streams.pop(stream, None) is not None:
            self._controls.append(_reset(stream, code))
            self._events.ended(stream, True)

    def ping(self) -> None:
        """Ask whether the peer is there; any byte of it is an answer."""
        self._controls.append(frames.frame(frames.PING, 0, 0, bytes(_PING_BYTES)))

    def goaway(self, code: ErrorCode, text: str = "") -> None:
        """Take no more streams."""
        self._closing = True
        payload = _U32.pack(self._last) + _U32.pack(code) + text.encode()
        self._controls.append(frames.frame(frames.GOAWAY, 0, 0, payload))

    def take(self, budget: int = limits.WRITE_BYTES) -> bytes:
        """What can be sent now: control frames, then at most about `budget` bytes of data.

        Also grants the peer new windows, as long as it takes what we send.
        """
        made = self._controls
        self._controls = []
        unsent = 0
        for stream in list(self._streams.values()):
            data = stream.frames(self._outlet, self._peer_frame, budget)
            made += data
            budget -= sum(map(len, data))
            unsent += stream.unsent
            if stream.trailers is not None and not stream.unsent:
                self._end(stream, made)
        if unsent <= limits.UNSENT_BYTES:
            self._grant(made)
        return b"".join(made)

    def _end(self, stream: Stream, made: list[bytes]) -> None:
        flags = frames.END_HEADERS | frames.END_STREAM
        made.append(frames.frame(frames.HEADERS, flags, stream.id, stream.trailers or b""))
        if not stream.peer_ended:  # RFC 9113, section 8.1: it need not send the rest
            made.append(_reset(stream.id, ErrorCode.NO_ERROR))
        del self._streams[stream.id]

    def _grant(self, made: list[bytes]) -> None:
        if more := self._inlet.grant():
            made.append(_window_update(0, more))
        made += [
            _window_update(stream.id, more)
            for stream in self._streams.values()
            if not stream.peer_ended and (more := stream.inlet.grant())
        ]


_TAKERS: Final[dict[int, Callable[[Session, Frame], None]]] = {
    frames.DATA: Session._data,
    frames.HEADERS: Session._headers,
    frames.PRIORITY: Session._priority,
    frames.RST_STREAM: Session._rst_stream,
    frames.SETTINGS: Session._settings,
    frames.PUSH_PROMISE: Session._push_promise,
    frames.PING: Session._ping,
    frames.GOAWAY: Session._goaway,
    frames.WINDOW_UPDATE: Session._window_update,
    frames.CONTINUATION: Session._continuation,
}


def _protocol(text: str) -> ConnectionFault:
    return ConnectionFault(ErrorCode.PROTOCOL_ERROR, text)


def _sized(frame: Frame, size: int) -> None:
    if len(frame.payload) != size:
        raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "a frame of the wrong length")


def _of_connection(frame: Frame) -> None:
    if frame.stream:
        raise _protocol("the frame belongs to the connection, not to a stream")


def _reset(stream: int, code: ErrorCode) -> bytes:
    return frames.frame(frames.RST_STREAM, 0, stream, _U32.pack(code))


def _window_update(stream: int, more: int) -> bytes:
    return frames.frame(frames.WINDOW_UPDATE, 0, stream, _U32.pack(more))
