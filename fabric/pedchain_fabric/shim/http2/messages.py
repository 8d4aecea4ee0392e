# SPDX-License-Identifier: Apache-2.0
"""gRPC's framing of messages within a stream, and its status in trailers.

Source: grpc/doc/PROTOCOL-HTTP2.md. Messages are never compressed: peers do not ask for it.
"""

import enum
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from urllib.parse import quote

Header = tuple[str, str]

_PREFIX: Final = struct.Struct(">BI")  # whether compressed, length
_PREFIX_BYTES: Final = _PREFIX.size
_CONTENT_TYPE: Final = "application/grpc"
_PLAIN: Final = " !\"#$&'()*+,/:;<=>?@[\\]^`{|}"  # printable ASCII but `%`, beside what quote keeps


class Status(enum.IntEnum):
    """The gRPC status codes that a server's transport gives."""

    OK = 0
    CANCELLED = 1
    RESOURCE_EXHAUSTED = 8
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14


class MessageFault(Exception):  # noqa: N818 - the peer's fault, which ends the stream
    """What came is no message we take: `status` and the text end the stream."""

    def __init__(self, status: Status, text: str) -> None:
        super().__init__(text)
        self.status = status


class Messages:
    """Joins a stream's data to messages of at most `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._held = 0
        self._wanted = _PREFIX_BYTES  # bytes that must be there before anything can be done

    @property
    def partial(self) -> bool:
        """Whether a message has begun and not ended."""
        return self._held > 0

    def feed(self, data: bytes) -> Sequence[bytes]:
        """The messages that `data` completes.

        Raises `MessageFault` for one that is compressed or too large, as soon as that is known.
        """
        if self._held:
            self._parts.append(data)
            self._held += len(data)
            if self._held < self._wanted:
                return ()
            data = b"".join(self._parts)
            self._parts.clear()
        elif len(data) > _PREFIX_BYTES and len(data) == _PREFIX_BYTES + self._size(data, 0):
            return (data[_PREFIX_BYTES:],)  # as most messages come
        found: list[bytes] = []
        start = 0
        self._wanted = _PREFIX_BYTES
        while len(data) - start >= _PREFIX_BYTES:
            size = self._size(data, start)
            end = start + _PREFIX_BYTES + size
            if end > len(data):
                self._wanted = end - start
                break
            found.append(data[start + _PREFIX_BYTES : end])
            start = end
        self._held = len(data) - start
        if self._held:
            self._parts.append(data[start:] if start else data)
        return found

    def _size(self, data: bytes, start: int) -> int:
        compressed, size = _PREFIX.unpack_from(data, start)
        if compressed:
            raise MessageFault(Status.UNIMPLEMENTED, "compressed messages are not taken")
        if size > self._limit:
            text = f"received message larger than max ({size} vs. {self._limit})"
            raise MessageFault(Status.RESOURCE_EXHAUSTED, text)
        assert isinstance(size, int)
        return size


def prefix(message: bytes) -> bytes:
    """What goes before a message."""
    return _PREFIX.pack(0, len(message))


def accepted() -> list[Header]:
    """The headers that open a stream's answer."""
    return [
        (":status", "200"),
        ("content-type", _CONTENT_TYPE),
        ("grpc-accept-encoding", "identity"),
    ]


def trailers(status: Status, text: str = "") -> list[Header]:
    """The headers that end it."""
    told = [("grpc-status", str(int(status)))]
    return [*told, ("grpc-message", quote(text, safe=_PLAIN))] if text else told


def refusal(headers: Iterable[Header], paths: Mapping[str, object]) -> list[Header] | None:
    """The only headers of an answer to a request that is none of ours; None if it is ours."""
    named = dict(headers)
    kind = named.get("content-type", "")
    if named.get(":method") != "POST":
        return [(":status", "405")]
    if kind != _CONTENT_TYPE and not kind.startswith((_CONTENT_TYPE + "+", _CONTENT_TYPE + ";")):
        return [(":status", "415")]
    if named.get(":path") in paths:
        return None
    status = trailers(Status.UNIMPLEMENTED, "Method not found!")
    return [(":status", "200"), ("content-type", _CONTENT_TYPE), *status]
