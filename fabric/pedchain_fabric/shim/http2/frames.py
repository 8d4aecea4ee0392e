# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 frames (RFC 9113, sections 4 and 6): cutting bytes into them, and making them."""

import enum
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"  # a client's first bytes

DATA: Final = 0
HEADERS: Final = 1
PRIORITY: Final = 2
RST_STREAM: Final = 3
SETTINGS: Final = 4
PUSH_PROMISE: Final = 5
PING: Final = 6
GOAWAY: Final = 7
WINDOW_UPDATE: Final = 8
CONTINUATION: Final = 9

ACK: Final = 0x1  # of SETTINGS and PING
END_STREAM: Final = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8
PRIORITIZED: Final = 0x20

_HEADER: Final = struct.Struct(">HBBBI")  # 16 and 8 bits of length, kind, flags, stream
_HEADER_BYTES: Final = _HEADER.size
_STREAM_ID: Final = 0x7FFF_FFFF  # the highest bit is reserved
_PRIORITY_BYTES: Final = 5


class ErrorCode(enum.IntEnum):
    """RFC 9113, section 7."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2
    FLOW_CONTROL_ERROR = 3
    SETTINGS_TIMEOUT = 4
    STREAM_CLOSED = 5
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    CANCEL = 8
    COMPRESSION_ERROR = 9
    CONNECT_ERROR = 10
    ENHANCE_YOUR_CALM = 11


class ConnectionFault(Exception):  # noqa: N818 - the peer's fault, which ends the connection
    """The peer broke the protocol: `code` goes into the GOAWAY, with the text."""

    def __init__(self, code: ErrorCode, text: str) -> None:
        super().__init__(text)
        self.code = code


class Frame(NamedTuple):
    """One frame as it came."""

    kind: int
    flags: int
    stream: int
    payload: bytes


class Reader:
    """Collects bytes until they are frames. Holds less than one frame."""

    def __init__(self, frame_bytes: int) -> None:
        self._frame_bytes = frame_bytes
        self._rest = b""
        self.begun = False  # whether the preface has come

    def frames(self, data: bytes) -> Iterator[Frame]:
        """The frames that `data` completes.

        Raises `ConnectionFault` for a wrong preface or a frame that is too large.
        """
        if self._rest:
            data = self._rest + data
            self._rest = b""
        start = 0
        if not self.begun:
            if not self._take_preface(data):
                self._rest = data
                return
            start = len(PREFACE)
        while len(data) - start >= _HEADER_BYTES:
            high, low, kind, flags, stream = _HEADER.unpack_from(data, start)
            end = start + _HEADER_BYTES + (high << 8 | low)
            if end - start - _HEADER_BYTES > self._frame_bytes:
                raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "a frame is too large")
            if end > len(data):
                break
            yield Frame(kind, flags, stream & _STREAM_ID, data[start + _HEADER_BYTES : end])
            start = end
        self._rest = data[start:]

    def _take_preface(self, data: bytes) -> bool:
        known = data[: len(PREFACE)]
        if not PREFACE.startswith(known):
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "no HTTP/2 preface")
        self.begun = len(known) == len(PREFACE)
        return self.begun


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """One frame's bytes."""
    size = len(payload)
    return _HEADER.pack(size >> 8, size & 0xFF, kind, flags, stream) + payload


def header(kind: int, flags: int, stream: int, size: int) -> bytes:
    """A frame's header alone; `size` bytes must follow."""
    return _HEADER.pack(size >> 8, size & 0xFF, kind, flags, stream)


def unpadded(received: Frame) -> bytes:
    """The payload of DATA or HEADERS without padding and priority. Raises `ConnectionFault`."""
    payload, padding = received.payload, 0
    if not received.flags & (PADDED | PRIORITIZED):
        return payload
    if received.flags & PADDED:
        if not payload:
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "no room for the padding's length")
        padding, payload = payload[0], payload[1:]
    if received.kind == HEADERS and received.flags & PRIORITIZED:
        if len(payload) < _PRIORITY_BYTES:
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "no room for the priority")
        payload = payload[_PRIORITY_BYTES:]
    if padding > len(payload):
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "more padding than payload")
    return payload[: len(payload) - padding]
