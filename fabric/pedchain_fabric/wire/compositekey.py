# SPDX-License-Identifier: Apache-2.0
"""Composite keys, byte for byte as Fabric's Go shim builds them (fabric-chaincode-go shim)."""

from collections.abc import Sequence
from typing import Final

from pedchain_fabric.errors import WireError

NAMESPACE: Final = "\x00"  # first character of every composite key, and separator of its parts
MAX_RUNE: Final = "\U0010ffff"


def create(object_type: str, attributes: Sequence[str]) -> str:
    """`0x00 type 0x00 (attribute 0x00)*`.

    Raises `WireError` for a part with U+0000, U+10FFFF, or what UTF-8 cannot encode. Empty
    parts are allowed, as in Go.
    """
    for part in (object_type, *attributes):
        _check(part)
    return NAMESPACE + "".join(part + NAMESPACE for part in (object_type, *attributes))


def split(key: str) -> tuple[str, tuple[str, ...]]:
    """The object type and attributes of a composite key.

    Raises `WireError` if `key` is none.
    """
    if len(key) < 2 or key[0] != NAMESPACE or key[-1] != NAMESPACE:
        raise WireError("not a composite key")
    object_type, *attributes = key[1:-1].split(NAMESPACE)
    return object_type, tuple(attributes)


def prefix_range(object_type: str, attributes: Sequence[str]) -> tuple[str, str]:
    """The half-open range of keys below a partial composite key.

    The exact key itself lies in the range too, as in Fabric.
    """
    start = create(object_type, attributes)
    return start, start + MAX_RUNE


def _check(part: str) -> None:
    try:
        part.encode()
    except UnicodeEncodeError as error:
        raise WireError("composite key part is not valid UTF-8") from error
    if NAMESPACE in part or MAX_RUNE in part:
        raise WireError("composite key part holds U+0000 or U+10FFFF")
