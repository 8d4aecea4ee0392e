# SPDX-License-Identifier: Apache-2.0
"""The world state as the blocks make it: values, versions, key-level metadata, private hashes.

A second implementation of what a committer keeps, written for the audit alone: it shares no code
with the embedded network, so that neither can hide the other's mistakes.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field

from pedchain_fabric.wire.rwset import Entries, Namespace, Version

#: Metadata entry of a key-level endorsement policy (Fabric: peer.MetaDataKeys).
VALIDATION_PARAMETER = "VALIDATION_PARAMETER"

#: Namespace, collection (empty for public state), key (of a private key: its hash).
Place = tuple[str, str, str | bytes]


@dataclass(frozen=True, slots=True)
class Cell:
    """One key's value (of a private key: its hash), version and metadata."""

    value: bytes
    version: Version
    metadata: Entries = ()


@dataclass(slots=True)
class Space:
    """Keys of one namespace, or key hashes of one collection, in order."""

    cells: dict[str | bytes, Cell] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)

    def put(self, key: str | bytes, cell: Cell) -> None:
        if isinstance(key, str) and key not in self.cells:
            insort(self.order, key)
        self.cells[key] = cell

    def drop(self, key: str | bytes) -> None:
        if self.cells.pop(key, None) is not None and isinstance(key, str):
            del self.order[bisect_left(self.order, key)]

    def between(self, start: str, end: str, *, include_end: bool) -> Iterator[tuple[str, Cell]]:
        """Keys in [start, end), or [start, end] when `include_end`; an empty end is no end."""
        for position in range(bisect_left(self.order, start), len(self.order)):
            key = self.order[position]
            if end and (key > end or (key == end and not include_end)):
                return
            yield key, self.cells[key]


class World:
    """State after the blocks applied so far. Spaces are (namespace, collection or empty)."""

    def __init__(self) -> None:
        self._spaces: dict[tuple[str, str], Space] = {}
        #: What the block at hand has written or deleted so far, and by which transaction.
        self.touched: dict[Place, Version] = {}

    def begin_block(self) -> None:
        """A new block: what earlier blocks wrote is state, no longer a conflict by itself."""
        self.touched.clear()

    def space(self, namespace: str, collection: str = "") -> Space:
        return self._spaces.setdefault((namespace, collection), Space())

    def cell(self, namespace: str, key: str | bytes, collection: str = "") -> Cell | None:
        found = self._spaces.get((namespace, collection))
        return None if found is None else found.cells.get(key)

    def value(self, namespace: str, key: str) -> bytes | None:
        """A public value; None where there is none."""
        cell = self.cell(namespace, key)
        return None if cell is None else cell.value

    def version(self, namespace: str, key: str | bytes, collection: str = "") -> Version | None:
        cell = self.cell(namespace, key, collection)
        return None if cell is None else cell.version

    def apply(self, namespaces: tuple[Namespace, ...], version: Version) -> None:
        """Writes of one valid transaction (Fabric: txmgmt/validation/tx_ops.go).

        A value write keeps the key's metadata, a delete drops it; metadata written to a key
        without a value is nothing.
        """
        for each in namespaces:
            for write in each.writes:
                value = None if write.deletes else write.value
                self._put((each.name, "", write.key), value, version)
            for change in each.metadata_writes:
                self._put_metadata((each.name, "", change.key), change.entries, version)
            for collection in each.collections:
                for trace in collection.writes:
                    digest = None if trace.deletes else trace.value_hash
                    self._put((each.name, collection.name, trace.key_hash), digest, version)
                for hidden in collection.metadata_writes:
                    place = (each.name, collection.name, hidden.key_hash)
                    self._put_metadata(place, hidden.entries, version)

    def _put(self, place: Place, value: bytes | None, version: Version) -> None:
        """One write: a new value with the metadata it had, or a deletion."""
        self.touched[place] = version
        space, key = self.space(place[0], place[1]), place[2]
        if value is None:
            space.drop(key)
            return
        before = space.cells.get(key)
        space.put(key, Cell(value, version, before.metadata if before else ()))

    def _put_metadata(self, place: Place, entries: Entries, version: Version) -> None:
        """One metadata write; without a value there is nothing to attach it to."""
        space, key = self.space(place[0], place[1]), place[2]
        before = space.cells.get(key)
        if before is not None:
            self.touched[place] = version
            space.put(key, Cell(before.value, version, entries))
