# SPDX-License-Identifier: Apache-2.0
"""Messages to the peer as bytes (peer/chaincode_shim.proto). Those of every read and write are put
together by hand: objects to be serialized took a quarter of a read. A property holds them
against protobuf."""

from typing import Final

_PAYLOAD, _TXID, _EVENT, _CHANNEL_ID = b"\x1a", b"\x22", b"\x32", b"\x3a"  # of ChaincodeMessage
_KEY, _SECOND, _THIRD = b"\x0a", b"\x12", b"\x1a"  # of a request: its key, and what follows
_MORE: Final = 0x80  # a varint goes on
_KINDS: Final = tuple(b"\x08" + bytes((kind,)) for kind in range(_MORE))  # the first field


class Envelope:
    """What all messages of one transaction share."""

    __slots__ = ("_channel", "_names", "_transaction")

    def __init__(self, channel_id: str, transaction_id: str) -> None:
        self._transaction = field(_TXID, transaction_id.encode())
        self._channel = field(_CHANNEL_ID, channel_id.encode())
        self._names = self._transaction + self._channel

    def message(self, kind: int, payload: bytes, event: bytes = b"") -> bytes:
        """A `ChaincodeMessage`; `event` is a serialized `ChaincodeEvent`."""
        head = _KINDS[kind] + _before(_PAYLOAD, len(payload))
        if not event:
            return b"".join((head, payload, self._names))  # one copy: it may have 100 MB
        told = field(_EVENT, event)
        return b"".join((head, payload, self._transaction, told, self._channel))


def get(key: bytes, collection: str) -> bytes:
    """A `GetState`, or a `DelState`: they are laid out alike."""
    named = _before(_KEY, len(key)) + key
    return named + field(_SECOND, collection.encode()) if collection else named


def put(key: bytes, value: bytes, collection: str) -> bytes:
    """A `PutState`."""
    head = field(_KEY, key) + _before(_SECOND, len(value))
    return b"".join((head, value, field(_THIRD, collection.encode())))


def field(tag: bytes, data: bytes) -> bytes:
    """A field that has a length; left out where it is empty, as proto3 has it."""
    return _before(tag, len(data)) + data


def _before(tag: bytes, size: int) -> bytes:
    """What goes before so many bytes: the tag, and their number as a varint."""
    if size < _MORE:
        return tag + bytes((size,)) if size else b""
    digits = bytearray(tag)
    while size >= _MORE:
        digits.append(size & 0x7F | _MORE)
        size >>= 7
    digits.append(size)
    return bytes(digits)
