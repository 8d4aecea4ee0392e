# SPDX-License-Identifier: Apache-2.0
"""Tests of single fields of a registered document, and the test of its set of fields.

A shape is {field: test}; a name that ends in `?` may be left out. Fields no shape knows are
refused too: a misspelt parameter must not be silently unused.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from pedchain_domain import der, limits, text
from pedchain_domain.reasons import DomainError, Reason

Test = Callable[[Any], bool]
Shape = Mapping[str, Test]
_HEX32 = re.compile(r"[0-9a-f]{32}\Z")
_HEX64 = re.compile(r"[0-9a-f]{64}\Z")
_CURVES = {"ES256": "secp256r1", "ES256K": "secp256k1"}


def check(document: Mapping[str, Any], shape: Shape) -> None:
    """Refuse a document with a missing, wrong or unknown field; DomainError."""
    optional = {name[:-1] for name in shape if name.endswith("?")}
    for name in document:
        if name not in shape and name not in optional:
            raise DomainError(Reason.MALFORMED_DOCUMENT, "a field nobody reads")
    for name, test in shape.items():
        plain = name.removesuffix("?")
        if plain not in document:
            if name.endswith("?"):
                continue
            raise DomainError(Reason.MALFORMED_DOCUMENT, plain)
        if not test(document[plain]):
            raise DomainError(Reason.MALFORMED_DOCUMENT, plain)


def identifier(value: object) -> bool:
    """An id: ASCII letters, digits and `._:@-`, at most 64."""
    return isinstance(value, str) and text.is_id(value, limits.ID_LENGTH)


def identifier_or_none(value: object) -> bool:
    """An id or null."""
    return value is None or identifier(value)


def identifiers(value: object) -> bool:
    """1 to 32 ids."""
    return isinstance(value, list) and 0 < len(value) <= 32 and all(map(identifier, value))


def count(value: object) -> bool:
    """An integer from 0 to 10^15."""
    return type(value) is int and 0 <= value <= limits.REGISTER_WH


def positive(value: object) -> bool:
    """An integer from 1 to 10^15."""
    return count(value) and value != 0


def count_or_none(value: object) -> bool:
    """A count or null."""
    return value is None or count(value)


def up_to(most: int) -> Test:
    """An integer from 0 to `most`."""
    return lambda value: type(value) is int and 0 <= value <= most


def flag(value: object) -> bool:
    """True or false."""
    return isinstance(value, bool)


def one_of(*values: object) -> Test:
    """One of these values."""
    return lambda value: value in values and not isinstance(value, bool)


def line(most: int) -> Test:
    """Text of at most so many characters, without control characters."""
    return lambda value: isinstance(value, str) and 0 < len(value) <= most and value.isprintable()


def salt(value: object) -> bool:
    """128 bits as lower-case hex: what keeps a hash of few possible values from being guessed."""
    return isinstance(value, str) and _HEX32.match(value) is not None


def digest(value: object) -> bool:
    """256 bits as lower-case hex."""
    return isinstance(value, str) and _HEX64.match(value) is not None


def key(value: object) -> bool:
    """A P-256 key {alg, spki}; DomainError `malformed-key` for a point that is none."""
    return meter_key(value) and isinstance(value, dict) and value["alg"] == "ES256"


def meter_key(value: object) -> bool:
    """The same of a meter, whose maker may have chosen secp256k1 (alg ES256K, RFC 8812)."""
    if not isinstance(value, dict) or sorted(value) != ["alg", "spki"]:
        return False
    if not all(isinstance(part, str) for part in value.values()):
        return False
    return bool(_CURVES.get(value["alg"]) == der.meter_key(value["spki"]).curve.name)
