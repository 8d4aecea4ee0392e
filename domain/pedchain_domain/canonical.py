# SPDX-License-Identifier: Apache-2.0
"""Canonical bytes of ledger documents, and the strict reader (blueprint 8).

A document is an object tree of dict, list, str, int, bool and None. Its canonical form is UTF-8
JSON with keys sorted by code point, no spaces and integers only, so equal documents have equal
bytes and hashes. The reader refuses what different parsers could read differently: doubled keys,
floats, NaN, lone surrogates, deep or long input. Depth and length are judged by a scan before
parsing, because the parser's own limits vary with the Python version.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from pedchain_domain import limits as bounds
from pedchain_domain import text
from pedchain_domain.reasons import DomainError, Reason

Value = dict[str, "Value"] | list["Value"] | str | int | bool | None

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NO_INTEGER = re.compile(rb"[0-9]{%d}|-0(?![0-9])" % (bounds.INTEGER_DIGITS + 1))
_NO_BRACKET = bytes(byte for byte in range(256) if byte not in b"[]{}")
_SQUARE = bytes.maketrans(b"{}", b"[]")
_BEYOND = 10**bounds.INTEGER_DIGITS
_OPEN = frozenset(b"[{")


class CanonicalError(DomainError):
    """Bytes or values that are not a ledger document; `reason` says why."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one read: length in bytes, nesting of arrays and objects."""

    size: int = bounds.DOCUMENT_BYTES
    depth: int = bounds.DOCUMENT_DEPTH


DEFAULT = Limits()


def encode(value: object) -> bytes:
    """Canonical bytes of a document; CanonicalError if it holds anything else than its types."""
    _check(value, bounds.DOCUMENT_DEPTH)
    try:
        return json.dumps(
            value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
        ).encode()
    except UnicodeEncodeError as err:
        raise CanonicalError(Reason.MALFORMED_JSON, "lone surrogate") from err


def decode(data: bytes, limits: Limits = DEFAULT) -> Value:
    """Read a document in any key order and spacing; CanonicalError."""
    return parse(data, limits, _LEDGER)


def decode_canonical(data: bytes, limits: Limits = DEFAULT) -> Value:
    """Read a document that must be its own canonical form; CanonicalError `not-canonical`."""
    value = decode(data, limits)
    if encode(value) != data:
        raise CanonicalError(Reason.NOT_CANONICAL)
    return value


def check_id(identifier: object) -> str:
    """An identifier as ids on the ledger are spelt (ASCII pattern, at most 64); CanonicalError."""
    if not isinstance(identifier, str) or not text.is_id(identifier, bounds.ID_LENGTH):
        raise CanonicalError(Reason.MALFORMED_ID)
    return identifier


@dataclass(frozen=True, slots=True)
class Reader:
    """A JSON reader in two spellings of the same rules. `careful` looks at each object for doubled
    names; `quick` leaves that to a count, which holds where no escape hides where a string ends."""

    careful: json.JSONDecoder
    quick: json.JSONDecoder


def reader(number: Callable[[str], object] | None = None) -> Reader:
    """A JSON reader with refusals. `number` makes a value of a number's text; without it integers
    are Python's own, whose spelling `scan` has judged, and there are no others."""
    careful, quick = (
        json.JSONDecoder(
            object_pairs_hook=hook,
            parse_int=number,
            parse_float=number or _refuse_real,
            parse_constant=_refuse_real,
        )
        for hook in (_object, None)
    )
    return Reader(careful, quick)


def parse(data: bytes, limits: Limits, with_reader: Reader, *, integers: bool = True) -> Value:
    """The value of bytes. Refuses input that is too long, too deep, has non-ASCII outside strings
    or, where numbers are to become integers, long ones or -0; CanonicalError."""
    if len(data) > limits.size:
        raise CanonicalError(Reason.TOO_LARGE)
    escaped = b"\\" in data
    # Without escapes, what stands between every other pair of quotes is outside strings.
    bare = _STRING.sub(b"", data) if escaped else b"".join(data.split(b'"')[::2])
    _scan(bare, limits.depth, integers=integers)
    try:
        if escaped:
            value: Value = with_reader.careful.decode(data.decode())
            # An escaped lone surrogate parses, yet is no text: find it while it can be refused.
            json.dumps(value, ensure_ascii=False).encode()
        else:
            value = with_reader.quick.decode(data.decode())
            # Outside strings a colon follows each name; a doubled name is fewer members.
            if bare.count(b":") != _members(value):
                raise CanonicalError(Reason.DUPLICATE_KEY)
    except UnicodeError as err:
        raise CanonicalError(Reason.MALFORMED_JSON, "not UTF-8") from err
    except json.JSONDecodeError as err:
        raise CanonicalError(Reason.MALFORMED_JSON) from err
    return value


def _members(value: Value) -> int:
    """How many members all objects of a value have together."""
    count, waiting = 0, [value]
    for one in waiting:
        if type(one) is dict:
            count += len(one)
            waiting.extend(one.values())
        elif type(one) is list:
            waiting.extend(one)
    return count


def _scan(bare: bytes, most: int, *, integers: bool) -> None:
    if not bare.isascii():
        raise CanonicalError(Reason.MALFORMED_JSON)
    if integers and _NO_INTEGER.search(bare):
        raise CanonicalError(Reason.NOT_AN_INTEGER)
    brackets = bare.translate(None, _NO_BRACKET)
    left = brackets.translate(_SQUARE)
    for _ in range(most):  # each round takes the innermost brackets away
        left = left.replace(b"[]", b"")
    depth = 0
    for bracket in brackets if left else b"":  # too deep, or not even JSON
        depth += 1 if bracket in _OPEN else -1
        if depth > most:
            raise CanonicalError(Reason.TOO_DEEP)


def _refuse_real(_: str) -> NoReturn:
    raise CanonicalError(Reason.NOT_AN_INTEGER)


def _object(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise CanonicalError(Reason.DUPLICATE_KEY)
    return found


_LEDGER = reader()


def _check(value: object, depth: int) -> None:
    kind = type(value)
    if kind is int:
        if not -_BEYOND < value < _BEYOND:
            raise CanonicalError(Reason.NOT_AN_INTEGER, "too many digits")
    elif kind is dict or kind is list or kind is tuple:
        _check_inner(value, depth)
    elif kind is not str and kind is not bool and value is not None:
        raise CanonicalError(Reason.NOT_AN_INTEGER, kind.__name__)


def _check_inner(value: object, depth: int) -> None:
    if depth == 0:
        raise CanonicalError(Reason.TOO_DEEP)
    if isinstance(value, dict):
        for key, inner in value.items():
            if type(key) is not str:
                raise CanonicalError(Reason.MALFORMED_JSON, "key is not text")
            _check(inner, depth - 1)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check(inner, depth - 1)
