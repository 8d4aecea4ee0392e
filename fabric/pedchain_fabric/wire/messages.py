# SPDX-License-Identifier: Apache-2.0
"""Reading protobuf messages: garbage is a `WireError`, never another exception."""

from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from pedchain_fabric.errors import WireError
from pedchain_fabric.wire.limits import MESSAGE_BYTES_MAX

M = TypeVar("M", bound=Message)


def parse(kind: type[M], data: bytes, *, code: str = "") -> M:
    """Decode `data` as a message of `kind`.

    Raises `WireError`, carrying `code`, if the bytes are no such message.
    """
    if len(data) > MESSAGE_BYTES_MAX:
        raise WireError(f"{kind.DESCRIPTOR.name} of {len(data)} bytes is too large", code)
    message = kind()
    try:
        message.ParseFromString(data)
    except (DecodeError, RecursionError) as error:
        raise WireError(f"not a {kind.DESCRIPTOR.name}", code) from error
    return message


def require(condition: object, message: str, *, code: str = "") -> None:
    """Raise `WireError(message)` unless `condition` holds."""
    if not condition:
        raise WireError(message, code)


def serialize(message: Message) -> bytes:
    """The message's bytes, map entries sorted by key, fields by number as Go writes them."""
    return message.SerializeToString(deterministic=True)
