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
    scan(data, limits)
    return parse(data, _LEDGER)


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


def reader(number: Callable[[str], object] | None = None) -> json.JSONDecoder:
    """A JSON reader with refusals. `number` makes a value of a number's text; without it integers
    are Python's own, whose spelling `scan` has judged, and there are no others."""
    return json.JSONDecoder(
        object_pairs_hook=_object,
        parse_int=number,
        parse_float=number or _refuse_real,
        parse_constant=_refuse_real,
    )


def parse(data: bytes, with_reader: json.JSONDecoder) -> Value:
    """The value of scanned bytes; CanonicalError."""
    try:
        value: Value = with_reader.decode(data.decode())
        if b"\\u" in data:
            # An escaped lone surrogate parses, yet is no text: find it while it can be refused.
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeError as err:
        raise CanonicalError(Reason.MALFORMED_JSON, "not UTF-8") from err
    except json.JSONDecodeError as err:
        raise CanonicalError(Reason.MALFORMED_JSON) from err
    return value


def scan(data: bytes, limits: Limits, *, integers: bool = True) -> None:
    """Refuse input that is too long, too deep, has non-ASCII outside strings or, where numbers are
    to become integers, long ones or -0; CanonicalError."""
    if len(data) > limits.size:
        raise CanonicalError(Reason.TOO_LARGE)
    if data.isascii() and not integers and data.count(b"[") + data.count(b"{") <= limits.depth:
        return
    # Without escapes, what stands between every other pair of quotes is outside strings.
    bare = _STRING.sub(b"", data) if b"\\" in data else b"".join(data.split(b'"')[::2])
    if not bare.isascii():
        raise CanonicalError(Reason.MALFORMED_JSON)
    if integers and _NO_INTEGER.search(bare):
        raise CanonicalError(Reason.NOT_AN_INTEGER)
    depth = 0
    for bracket in bare.translate(None, _NO_BRACKET):
        depth += 1 if bracket in _OPEN else -1
        if depth > limits.depth:
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
