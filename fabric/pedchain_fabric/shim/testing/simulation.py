# SPDX-License-Identifier: Apache-2.0
"""One transaction's reads and writes on a peer in memory (Fabric's txmgr/tx_simulator.go)."""

from collections import defaultdict
from dataclasses import dataclass, field

from pedchain_fabric.shim.testing.world import Entry, Metadata, Place, World
from pedchain_fabric.wire import rwset
from pedchain_fabric.wire.rwset import Entries, Version


class SimulationError(Exception):
    """Fabric's text for a read or write that is not possible."""


@dataclass(slots=True)
class _Touched:
    reads: dict[str, Version | None] = field(default_factory=dict)
    writes: dict[str, bytes] = field(default_factory=dict)
    purged: set[str] = field(default_factory=set)
    metadata: dict[str, Metadata] = field(default_factory=dict)


class Cursor:
    """Results of a public range, remembered as far as they were taken."""

    def __init__(self, start: str, end: str, found: list[tuple[str, Entry]]) -> None:
        self._start, self._end = start, end
        self._found = found
        self._taken = 0

    def take(self, count: int) -> list[tuple[str, bytes]]:
        """The next results, at most `count`."""
        batch = self._found[self._taken : self._taken + count]
        self._taken += len(batch)
        return [(key, entry.value) for key, entry in batch]

    @property
    def next_key(self) -> str:
        """The first key not taken, or nothing."""
        return self._found[self._taken][0] if self._taken < len(self._found) else ""

    def read(self) -> rwset.RangeQuery:
        """What the transaction saw, to be seen again at commit.

        A peer looks at one result more than it sends, to know whether there are more.
        """
        exhausted = self._taken == len(self._found)
        seen = self._found[: self._taken + 1]
        reads = tuple(rwset.KvRead(key, entry.version) for key, entry in seen)
        end = self._end if exhausted else seen[-1][0]
        return rwset.RangeQuery(self._start, end, exhausted, reads or None)


class Simulation:
    """Reads the committed state, collects the writes; a read never sees a write."""

    def __init__(self, world: World, transaction_id: str) -> None:
        self._world = world
        self._id = transaction_id
        self._touched: dict[Place, _Touched] = defaultdict(_Touched)
        self._cursors: dict[str, list[Cursor]] = defaultdict(list)
        self._wrote = False
        self._paged = False
        self._queried_private = False

    def get(self, place: Place, key: str) -> Entry | None:
        """A key's entry; the read is recorded."""
        entry = self._world.get(place, key)
        self._touched[place].reads[key] = entry.version if entry is not None else None
        return entry

    def put(self, place: Place, key: str, value: bytes) -> None:
        """Record a write; no value deletes."""
        self._check_write()
        self._touched[place].writes[key] = value
        self._touched[place].purged.discard(key)

    def purge(self, place: Place, key: str) -> None:
        """Record a purge."""
        self.put(place, key, b"")
        self._touched[place].purged.add(key)

    def set_metadata(self, place: Place, key: str, metadata: Metadata) -> None:
        """Record a key's new metadata."""
        self._check_write()
        self._touched[place].metadata[key] = metadata

    def scan(self, place: Place, start: str, end: str) -> Cursor:
        """A range; of private data only where nothing is written."""
        cursor = Cursor(start, end, self._world.scan(place, start, end))
        if place[1]:
            self._check_query("Queries on pvt data is supported only in a read-only transaction")
            self._queried_private = True
        else:
            self._cursors[place[0]].append(cursor)
        return cursor

    def page(self, namespace: str, start: str, end: str) -> Cursor:
        """A public range that is read in part; only where nothing is written."""
        self._check_query("Paginated queries are supported only in a read-only transaction")
        self._paged = True
        return self.scan((namespace, ""), start, end)

    def results(self) -> tuple[bytes, bytes]:
        """The public and the private read-write set, as Fabric encodes them."""
        names = sorted({name for name, _ in self._touched} | set(self._cursors))
        public = [self._namespace(name) for name in names]
        private = [self._private(name) for name in names]
        written = [each for each in private if each.collections]
        return rwset.encode(public), rwset.encode_private(written) if written else b""

    def _namespace(self, name: str) -> rwset.Namespace:
        touched = self._touched[name, ""]
        return rwset.Namespace(
            name=name,
            reads=tuple(rwset.KvRead(key, v) for key, v in sorted(touched.reads.items())),
            range_queries=tuple(cursor.read() for cursor in self._cursors[name]),
            writes=_writes(touched),
            metadata_writes=tuple(
                rwset.MetadataWrite(key, _entries(metadata))
                for key, metadata in sorted(touched.metadata.items())
            ),
            collections=tuple(self._hashed(place) for place in self._collections(name)),
        )

    def _hashed(self, place: Place) -> rwset.HashedCollection:
        touched = self._touched[place]
        return rwset.HashedCollection(
            name=place[1],
            reads=tuple(
                rwset.HashedRead(rwset.hash_key(key), version)
                for key, version in sorted(touched.reads.items())
            ),
            writes=tuple(
                rwset.HashedWrite.of(key, value, purge=key in touched.purged)
                for key, value in sorted(touched.writes.items())
            ),
            metadata_writes=tuple(
                rwset.HashedMetadataWrite(rwset.hash_key(key), _entries(metadata))
                for key, metadata in sorted(touched.metadata.items())
            ),
            private_hash=rwset.private_hash(_plain(place[1], touched)) if _wrote(touched) else b"",
        )

    def _private(self, name: str) -> rwset.PrivateNamespace:
        places = [place for place in self._collections(name) if _wrote(self._touched[place])]
        parts = tuple(_plain(place[1], self._touched[place]) for place in places)
        return rwset.PrivateNamespace(name, parts)

    def _collections(self, name: str) -> list[Place]:
        return sorted(place for place in self._touched if place[0] == name and place[1])

    def _check_write(self) -> None:
        if self._queried_private:
            raise self._unsupported("Transaction has already performed queries on pvt data")
        if self._paged:
            raise self._unsupported("Transaction has already performed a paginated query")
        self._wrote = True

    def _check_query(self, text: str) -> None:
        if self._wrote:
            raise self._unsupported(text, "")

    def _unsupported(self, text: str, end: str = ". Writes are not allowed") -> SimulationError:
        return SimulationError(f"txid [{self._id}]: unsuppored transaction. {text}{end}")


def _wrote(touched: _Touched) -> bool:
    return bool(touched.writes or touched.metadata)


def _writes(touched: _Touched) -> tuple[rwset.KvWrite, ...]:
    return tuple(rwset.KvWrite.of(key, value) for key, value in sorted(touched.writes.items()))


def _plain(name: str, touched: _Touched) -> rwset.PrivateCollection:
    metadata = tuple(rwset.MetadataWrite(key, ()) for key in sorted(touched.metadata))
    return rwset.PrivateCollection(name, _writes(touched), metadata)


def _entries(metadata: Metadata) -> Entries:
    return tuple(sorted(metadata.items()))
