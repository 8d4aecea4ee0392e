# SPDX-License-Identifier: Apache-2.0
"""Versioned values, the spaces they live in, and the updates a block makes to them.

One table holds three kinds of space, named as Fabric names its derived namespaces: a chaincode's
public state, the hashes of a collection, the values of a collection.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from pedchain_fabric.wire.rwset import Version


class Versioned(NamedTuple):
    """A committed value.

    `metadata` is the serialized key metadata (public and hashed spaces; empty if none); in a
    collection's space of values it lists the organisations that hold the value.
    """

    value: bytes
    metadata: bytes
    version: Version


class Entry(NamedTuple):
    """A key of a space and its committed value."""

    key: bytes
    row: Versioned


class Change(NamedTuple):
    """What a transaction makes of a key: a new row, or none (deleted), and where it stands."""

    row: Versioned | None
    version: Version


def hashed_space(namespace: str, collection: str) -> str:
    """The space of a collection's hashes; keys are SHA-256 of the private keys."""
    return f"{namespace}$$h{collection}"


def private_space(namespace: str, collection: str) -> str:
    """The space of a collection's values."""
    return f"{namespace}$$p{collection}"


class UpdateBatch:
    """What the transactions of one block that are valid so far change, by space and key."""

    def __init__(self) -> None:
        self._spaces: dict[str, dict[bytes, Change]] = {}

    def get(self, space: str, key: bytes) -> Change | None:
        """The change of a key, None if it is untouched."""
        return self._spaces.get(space, {}).get(key)

    def put(self, space: str, key: bytes, row: Versioned) -> None:
        """The key gets this value."""
        self._spaces.setdefault(space, {})[key] = Change(row, row.version)

    def delete(self, space: str, key: bytes, version: Version) -> None:
        """The key goes."""
        self._spaces.setdefault(space, {})[key] = Change(None, version)

    def range(self, space: str, start: bytes, end: bytes) -> list[tuple[bytes, Change]]:
        """Changes with start <= key < end in key order; an empty `end` is open."""
        changes = self._spaces.get(space, {})
        return sorted(
            (key, change)
            for key, change in changes.items()
            if key >= start and (not end or key < end)
        )

    def items(self) -> Iterator[tuple[str, bytes, Change]]:
        """Every change."""
        for space, changes in self._spaces.items():
            for key, change in changes.items():
                yield space, key, change

    def spaces(self) -> Iterable[str]:
        """The spaces touched."""
        return self._spaces.keys()

    def changes(self, space: str) -> Mapping[bytes, Change]:
        """The changes of one space."""
        return self._spaces.get(space, {})


def pack_holders(holders: Iterable[str]) -> bytes:
    """The organisations that hold a private value, as its row keeps them."""
    return "\n".join(sorted(holders)).encode()


def unpack_holders(packed: bytes) -> frozenset[str]:
    """The organisations, from a row."""
    return frozenset(packed.decode().split("\n"))


def holds(row: Versioned, organization: str) -> bool:
    """Whether the organisation holds this private value."""
    return organization in row.metadata.decode().split("\n")
