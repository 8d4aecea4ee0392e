# SPDX-License-Identifier: Apache-2.0
"""Arguments: bytes as the client sent them, turned into what a method declares."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from pedchain_fabric.shim.errors import Refusal
from pedchain_fabric.shim.limits import INTEGER_DIGITS

Argument = str | int | bool | bytes

# Python's int() takes other scripts' digits, spaces and underscores; a ledger must not.
_INTEGER: Final = re.compile(rb"0|-?[1-9][0-9]{0,%d}" % (INTEGER_DIGITS - 1))
_BOOLEANS: Final = {b"true": True, b"false": False}


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ValueError from error


def _integer(data: bytes) -> int:
    if _INTEGER.fullmatch(data) is None:
        raise ValueError
    return int(data)


def _boolean(data: bytes) -> bool:
    if data not in _BOOLEANS:
        raise ValueError
    return _BOOLEANS[data]


# What a parameter may be declared as, and how its bytes are read. `bytes` takes them raw.
READERS: Final[Mapping[type, Callable[[bytes], Argument]]] = {
    str: _text,
    int: _integer,
    bool: _boolean,
    bytes: bytes,
}


def read(parameters: Sequence[tuple[str, type]], args: Sequence[bytes]) -> list[Argument]:
    """The arguments of a call.

    Raises `Refusal("bad-arguments")` for a wrong count, or the first one that is not of its
    declared type. The refusal names the parameter, never its value.
    """
    if len(args) != len(parameters):
        raise Refusal("bad-arguments", f"expected {len(parameters)}, got {len(args)}")
    return [_read(name, kind, data) for (name, kind), data in zip(parameters, args, strict=True)]


def _read(name: str, kind: type, data: bytes) -> Argument:
    try:
        return READERS[kind](data)
    except ValueError as error:
        raise Refusal("bad-arguments", f"{name} is not of type {kind.__name__}") from error
