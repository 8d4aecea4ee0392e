# SPDX-License-Identifier: Apache-2.0
"""Collects what a simulation reads and writes (Fabric rwsetutil/rwset_builder.go)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from pedchain_fabric.wire.rwset import (
    Entries,
    HashedCollection,
    HashedMetadataWrite,
    HashedRead,
    HashedWrite,
    KvRead,
    KvWrite,
    MetadataWrite,
    Namespace,
    PrivateCollection,
    PrivateNamespace,
    RangeQuery,
    Version,
    hash_key,
    private_hash,
)

V = TypeVar("V")


@dataclass(slots=True)
class _Collection:
    """By plain key, so that hashed entries can be ordered as Fabric orders them."""

    reads: dict[str, Version | None] = field(default_factory=dict)
    # Value (empty: delete) and whether it is a purge.
    writes: dict[str, tuple[bytes, bool]] = field(default_factory=dict)
    metadata_writes: dict[str, Entries] = field(default_factory=dict)

    def hashed(self, name: str, private_hash: bytes) -> HashedCollection:
        return HashedCollection(
            name,
            tuple(HashedRead(hash_key(key), seen) for key, seen in _by_key(self.reads)),
            tuple(
                HashedWrite.of(key, value, purge=purge)
                for key, (value, purge) in _by_key(self.writes)
            ),
            tuple(
                HashedMetadataWrite(hash_key(key), entries)
                for key, entries in _by_key(self.metadata_writes)
            ),
            private_hash,
        )

    def private(self, name: str) -> PrivateCollection | None:
        if not self.writes and not self.metadata_writes:
            return None
        return PrivateCollection(
            name,
            tuple(KvWrite.of(key, value) for key, (value, _) in _by_key(self.writes)),
            tuple(MetadataWrite(key, ()) for key, _ in _by_key(self.metadata_writes)),
        )


@dataclass(slots=True)
class _Namespace:
    reads: dict[str, Version | None] = field(default_factory=dict)
    writes: dict[str, bytes] = field(default_factory=dict)
    metadata_writes: dict[str, Entries] = field(default_factory=dict)
    range_queries: dict[tuple[str, str, bool], RangeQuery] = field(default_factory=dict)
    collections: dict[str, _Collection] = field(default_factory=dict)


class RwsetBuilder:
    """The read-write set of one transaction, as it grows."""

    def __init__(self) -> None:
        self._namespaces: dict[str, _Namespace] = {}

    def _of(self, namespace: str) -> _Namespace:
        return self._namespaces.setdefault(namespace, _Namespace())

    def _in(self, namespace: str, collection: str) -> _Collection:
        return self._of(namespace).collections.setdefault(collection, _Collection())

    def read(self, namespace: str, key: str, version: Version | None) -> None:
        """A public key was read."""
        self._of(namespace).reads[key] = version

    def write(self, namespace: str, key: str, value: bytes) -> None:
        """A public key gets a value; an empty one deletes it."""
        self._of(namespace).writes[key] = value

    def write_metadata(self, namespace: str, key: str, entries: Mapping[str, bytes]) -> None:
        """A public key gets metadata; none removes it."""
        self._of(namespace).metadata_writes[key] = tuple(_by_key(entries))

    def range_query(self, namespace: str, query: RangeQuery) -> None:
        """A range was read; the same range with the same end counts once."""
        place = (query.start_key, query.end_key, query.exhausted)
        self._of(namespace).range_queries.setdefault(place, query)

    def read_private(
        self, namespace: str, collection: str, key: str, version: Version | None
    ) -> None:
        """A private key, or its hash, was read."""
        self._in(namespace, collection).reads[key] = version

    def write_private(
        self, namespace: str, collection: str, key: str, value: bytes, *, purge: bool = False
    ) -> None:
        """A private key gets a value; an empty one deletes or purges it."""
        self._in(namespace, collection).writes[key] = (value, purge)

    def write_private_metadata(
        self, namespace: str, collection: str, key: str, entries: Mapping[str, bytes]
    ) -> None:
        """A private key gets metadata, kept with its hash."""
        self._in(namespace, collection).metadata_writes[key] = tuple(_by_key(entries))

    def private(self) -> tuple[PrivateNamespace, ...]:
        """The private write sets, empty if nothing private was written."""
        found = []
        for name, namespace in _by_key(self._namespaces):
            parts = [each.private(coll) for coll, each in _by_key(namespace.collections)]
            kept = tuple(part for part in parts if part is not None)
            if kept:
                found.append(PrivateNamespace(name, kept))
        return tuple(found)

    def public(self, private: tuple[PrivateNamespace, ...]) -> tuple[Namespace, ...]:
        """The public read-write set, with the hashes of these private write sets."""
        hashes = {
            (namespace.name, collection.name): private_hash(collection)
            for namespace in private
            for collection in namespace.collections
        }
        return tuple(
            Namespace(
                name,
                tuple(KvRead(key, seen) for key, seen in _by_key(each.reads)),
                tuple(each.range_queries.values()),
                tuple(KvWrite.of(key, value) for key, value in _by_key(each.writes)),
                tuple(MetadataWrite(key, held) for key, held in _by_key(each.metadata_writes)),
                tuple(
                    held.hashed(coll, hashes.get((name, coll), b""))
                    for coll, held in _by_key(each.collections)
                ),
            )
            for name, each in _by_key(self._namespaces)
        )


def _by_key(found: Mapping[str, V]) -> Iterable[tuple[str, V]]:
    """Items in key order; code points order as UTF-8 bytes do, which is Go's order."""
    return sorted(found.items(), key=lambda item: item[0])
