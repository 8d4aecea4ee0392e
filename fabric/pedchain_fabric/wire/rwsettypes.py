# SPDX-License-Identifier: Apache-2.0
"""What read-write sets consist of (Fabric core/ledger/kvledger/txmgmt/rwsetutil)."""

import hashlib
from dataclasses import dataclass
from typing import NamedTuple

Entries = tuple[tuple[str, bytes], ...]


class Version(NamedTuple):
    """Where a value was written: block number, place in the block. Orders as Fabric does."""

    block: int
    tx: int


@dataclass(frozen=True, slots=True)
class KvRead:
    """A key and the version seen; no version, no value was there."""

    key: str
    version: Version | None


@dataclass(frozen=True, slots=True)
class KvWrite:
    """A key and its new value, or its deletion. An empty value deletes, as in Fabric."""

    key: str
    value: bytes
    is_delete: bool

    @classmethod
    def of(cls, key: str, value: bytes) -> "KvWrite":
        """The write Fabric records for `put_state`, or with no value for `del_state`."""
        return cls(key, value, not value)

    @property
    def deletes(self) -> bool:
        """Whether the committer removes the key (rwsetutil, IsKVWriteDelete)."""
        return self.is_delete or not self.value


@dataclass(frozen=True, slots=True)
class MetadataWrite:
    """A key's new metadata, by name; none removes it. Key-level policies live here."""

    key: str
    entries: Entries


@dataclass(frozen=True, slots=True)
class MerkleSummary:
    """The results of a long range query, condensed."""

    max_degree: int
    max_level: int
    max_level_hashes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class RangeQuery:
    """A range read, to be read again at commit. Results as reads, or condensed, or neither."""

    start_key: str
    end_key: str
    exhausted: bool
    reads: tuple[KvRead, ...] | None = None
    merkle: MerkleSummary | None = None


@dataclass(frozen=True, slots=True)
class HashedRead:
    """A private key's hash and the version seen."""

    key_hash: bytes
    version: Version | None


@dataclass(frozen=True, slots=True)
class HashedWrite:
    """A private key's hash and its new value's; empty value hash: deleted."""

    key_hash: bytes
    value_hash: bytes
    is_delete: bool
    is_purge: bool = False

    @classmethod
    def of(cls, key: str, value: bytes, *, purge: bool = False) -> "HashedWrite":
        """The public trace of a private write, deletion (no value) or purge."""
        return cls(hash_key(key), sha256(value) if value else b"", not value, purge)

    @property
    def deletes(self) -> bool:
        """Whether the committer removes the key (rwsetutil, IsKVWriteHashDelete)."""
        return self.is_delete or self.value_hash in (b"", _EMPTY_HASH)


@dataclass(frozen=True, slots=True)
class HashedMetadataWrite:
    """A private key's hash and its new metadata."""

    key_hash: bytes
    entries: Entries


@dataclass(frozen=True, slots=True)
class HashedCollection:
    """What a transaction did to a collection, in hashes.

    `private_hash` is the SHA-256 of the collection's private write set, empty if none.
    """

    name: str
    reads: tuple[HashedRead, ...] = ()
    writes: tuple[HashedWrite, ...] = ()
    metadata_writes: tuple[HashedMetadataWrite, ...] = ()
    private_hash: bytes = b""


@dataclass(frozen=True, slots=True)
class Namespace:
    """What a transaction did to one chaincode's state."""

    name: str
    reads: tuple[KvRead, ...] = ()
    range_queries: tuple[RangeQuery, ...] = ()
    writes: tuple[KvWrite, ...] = ()
    metadata_writes: tuple[MetadataWrite, ...] = ()
    collections: tuple[HashedCollection, ...] = ()

    @property
    def is_written(self) -> bool:
        """Whether it writes anything, so that its endorsement policy must be satisfied."""
        hashed = any(each.writes or each.metadata_writes for each in self.collections)
        return bool(self.writes or self.metadata_writes or hashed)


def sha256(value: bytes) -> bytes:
    """Fabric's hash of private values and write sets."""
    return hashlib.sha256(value).digest()


_EMPTY_HASH = sha256(b"")


def hash_key(key: str) -> bytes:
    """The hash that stands for a private key on the ledger."""
    return sha256(key.encode())


@dataclass(frozen=True, slots=True)
class PrivateCollection:
    """A collection's writes in plain. Metadata writes carry the key alone, as in Fabric."""

    name: str
    writes: tuple[KvWrite, ...] = ()
    metadata_writes: tuple[MetadataWrite, ...] = ()


@dataclass(frozen=True, slots=True)
class PrivateNamespace:
    """One chaincode's private writes."""

    name: str
    collections: tuple[PrivateCollection, ...] = ()
