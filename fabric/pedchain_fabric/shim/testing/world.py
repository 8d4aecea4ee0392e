# SPDX-License-Identifier: Apache-2.0
"""The committed state of a peer in memory: values, versions, key policies, history."""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from pedchain_fabric.shim.testing.outcome import CommitRefused, Outcome
from pedchain_fabric.wire.rwset import (
    HashedCollection,
    MetadataWrite,
    Namespace,
    PrivateCollection,
    RangeQuery,
    Version,
    hash_key,
)

Metadata = Mapping[str, bytes]
Place = tuple[str, str]  # namespace and collection; an empty collection is the public state


@dataclass(frozen=True, slots=True)
class Entry:
    """A key's value, metadata, and where it was last written."""

    value: bytes
    version: Version
    metadata: Metadata = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Modification:
    """A write in a key's history."""

    transaction_id: str
    timestamp_ns: int
    value: bytes


class World:
    """Every commit is a block of one transaction."""

    def __init__(self) -> None:
        self.height = 1
        self._state: dict[Place, dict[str, Entry]] = defaultdict(dict)
        # Kept beside it, so that no call's cost grows with what the peer holds.
        self._order: dict[Place, list[str]] = defaultdict(list)
        self._hashed: dict[Place, dict[bytes, str]] = defaultdict(dict)
        self._history: dict[tuple[str, str], list[Modification]] = defaultdict(list)

    def get(self, place: Place, key: str) -> Entry | None:
        """The key's entry."""
        return self._state[place].get(key)

    def items(self, place: Place) -> dict[str, bytes]:
        """All keys and values, in key order."""
        return {key: self._state[place][key].value for key in self._order[place]}

    def scan(self, place: Place, start: str, end: str) -> list[tuple[str, Entry]]:
        """Entries from `start` (inclusive) to `end` (exclusive, or open), in key order."""
        keys = self._order[place]
        last = bisect_left(keys, end) if end else len(keys)
        return [(key, self._state[place][key]) for key in keys[bisect_left(keys, start) : last]]

    def history(self, namespace: str, key: str) -> list[Modification]:
        """Writes of a public key, the newest first."""
        return list(reversed(self._history[namespace, key]))

    def commit(self, outcome: Outcome) -> int:
        """Apply the writes, if what was read is unchanged; the block. Raises `CommitRefused`."""
        for namespace in outcome.namespaces:
            self._check(namespace)
        version = Version(self.height, 0)
        self.height += 1
        for namespace in outcome.namespaces:
            place = (namespace.name, "")
            for write in namespace.writes:
                self._put(place, write.key, write.value, version)
                change = Modification(outcome.transaction_id, outcome.timestamp_ns, write.value)
                self._history[namespace.name, write.key].append(change)
            self._set_metadata(place, namespace.metadata_writes, version)
        for private in outcome.private_namespaces:
            for part in private.collections:
                public = _collection(outcome.namespaces, private.name, part.name)
                self._commit_private((private.name, part.name), part, public, version)
        return version.block

    def _commit_private(
        self, place: Place, part: PrivateCollection, public: HashedCollection, version: Version
    ) -> None:
        for write in part.writes:
            self._put(place, write.key, write.value, version)
        entries = {each.key_hash: each.entries for each in public.metadata_writes}
        metadata = [
            MetadataWrite(each.key, entries[hash_key(each.key)]) for each in part.metadata_writes
        ]
        self._set_metadata(place, metadata, version)

    def _put(self, place: Place, key: str, value: bytes, version: Version) -> None:
        old = self._state[place].pop(key, None)
        if old is None and value:
            insort(self._order[place], key)
            self._hashed[place][hash_key(key)] = key
        elif old is not None and not value:
            del self._order[place][bisect_left(self._order[place], key)]
            del self._hashed[place][hash_key(key)]
        if value:
            metadata = old.metadata if old is not None else {}
            self._state[place][key] = Entry(value, version, metadata)

    def _set_metadata(
        self, place: Place, writes: Iterable[MetadataWrite], version: Version
    ) -> None:
        for write in writes:
            old = self._state[place].get(write.key)
            if old is not None:  # Fabric ignores metadata of a key without a value
                new = replace(old, metadata=dict(write.entries), version=version)
                self._state[place][write.key] = new

    def _check(self, namespace: Namespace) -> None:
        for read in namespace.reads:
            if self._version((namespace.name, ""), read.key) != read.version:
                raise CommitRefused("MVCC_READ_CONFLICT")
        for query in namespace.range_queries:
            self._check_range(namespace.name, query)
        for part in namespace.collections:
            place = (namespace.name, part.name)
            for hashed in part.reads:
                key = self._hashed[place].get(hashed.key_hash)
                known = None if key is None else self._version(place, key)
                if known != hashed.version:
                    raise CommitRefused("MVCC_READ_CONFLICT")

    def _check_range(self, namespace: str, query: RangeQuery) -> None:
        reads = query.reads or ()
        found = self.scan((namespace, ""), query.start_key, query.end_key)
        if not query.exhausted and reads:
            last = reads[-1].key
            found = self.scan((namespace, ""), query.start_key, last + "\0")
        seen = [(read.key, read.version) for read in reads]
        if [(key, entry.version) for key, entry in found] != seen:
            raise CommitRefused("PHANTOM_READ_CONFLICT")

    def _version(self, place: Place, key: str) -> Version | None:
        entry = self.get(place, key)
        return entry.version if entry is not None else None


def _collection(
    namespaces: Iterable[Namespace], namespace: str, collection: str
) -> HashedCollection:
    for each in namespaces:
        if each.name == namespace:
            for part in each.collections:
                if part.name == collection:
                    return part
    return HashedCollection(collection)
