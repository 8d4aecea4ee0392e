# SPDX-License-Identifier: Apache-2.0
"""Running a transaction against a snapshot (Fabric txmgr/tx_simulator.go, query_executor.go).

A simulation never sees its own writes. The refusals carry Fabric's own texts, misspelling
included, because clients and tests compare them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from pedchain_fabric.embedded.ledger import keymetadata
from pedchain_fabric.embedded.ledger.definitions import Definitions
from pedchain_fabric.embedded.ledger.errors import SimulationError
from pedchain_fabric.embedded.ledger.history import History, KeyModification
from pedchain_fabric.embedded.ledger.lifecycle import (
    FIELDS,
    NAMESPACE,
    NAMESPACES,
    field_key,
    metadata_key,
)
from pedchain_fabric.embedded.ledger.results import Place, SimulationResults
from pedchain_fabric.embedded.ledger.rwsetbuilder import RwsetBuilder
from pedchain_fabric.embedded.ledger.state import Snapshot
from pedchain_fabric.embedded.ledger.staterange import KeyValue, StateRange
from pedchain_fabric.embedded.ledger.versioned import (
    Versioned,
    hashed_space,
    holds,
    private_space,
)
from pedchain_fabric.wire import rwset
from pedchain_fabric.wire.rwset import Version, hash_key


@dataclass(frozen=True, slots=True)
class Origin:
    """What a simulation reads from."""

    snapshot: Snapshot
    history: History
    definitions: Definitions


class Simulator:
    """One transaction's view of the ledger. Close it, or use it in a `with` statement.

    `organization` is the MSP id whose private values may be read. Every method raises
    `SimulationError` where Fabric refuses.
    """

    def __init__(self, transaction_id: str, organization: str, origin: Origin) -> None:
        self.transaction_id = transaction_id
        self.organization = organization
        self._snapshot = origin.snapshot
        self._history = origin.history
        self._definitions = origin.definitions
        self._builder = RwsetBuilder()
        self._ranges: list[tuple[str, StateRange]] = []
        self._private_reads: set[tuple[str, str]] = set()
        self._written: dict[Place, dict[str, bytes]] = {}
        self._looked_up: set[str] = set()
        self._has_written = False
        self._queried_private = False
        self._paginated = False
        self._finished = False
        self._closed = False

    @property
    def height(self) -> int:
        """The number of blocks this simulation sees."""
        return self._snapshot.height

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the snapshot. May be called twice."""
        self._closed = True
        self._snapshot.close()

    # Public state

    def get_state(self, namespace: str, key: str) -> bytes | None:
        """The committed value."""
        row = self._read(namespace, key)
        return None if row is None else row.value

    def get_states(self, namespace: str, keys: Sequence[str]) -> list[bytes | None]:
        """The committed values, in the order asked for."""
        return [self.get_state(namespace, key) for key in keys]

    def get_metadata(self, namespace: str, key: str) -> dict[str, bytes]:
        """The key's metadata by name."""
        row = self._read(namespace, key)
        return {} if row is None else keymetadata.unpack(row.metadata)

    def _read(self, namespace: str, key: str) -> Versioned | None:
        self._check_open()
        row = self._snapshot.get(namespace, key.encode())
        self._builder.read(namespace, key, None if row is None else row.version)
        return row

    def put_state(self, namespace: str, key: str, value: bytes) -> None:
        """Set a value; an empty one deletes the key, as in Fabric."""
        self._check_write()
        self._builder.write(namespace, key, value)
        self._note_written(namespace, "", key)

    def delete_state(self, namespace: str, key: str) -> None:
        """Delete a key."""
        self.put_state(namespace, key, b"")

    def put_metadata(self, namespace: str, key: str, entries: Mapping[str, bytes]) -> None:
        """Set the key's metadata, or remove it (no entries). Does nothing to a missing key."""
        self._check_write()
        self._builder.write_metadata(namespace, key, entries)
        self._note_written(namespace, "", key)

    def range(self, namespace: str, start: str, end: str, page_size: int = 0) -> StateRange:
        """Keys with start <= key < end; empty is open. A page size makes it read-only."""
        self._check_open()
        if page_size > 0:
            if self._has_written:
                raise self._refused(
                    "Paginated queries are supported only in a read-only transaction"
                )
            self._paginated = True
        entries = self._snapshot.range(namespace, start.encode(), end.encode())
        found = StateRange(entries, (start, end), page_size)
        self._ranges.append((namespace, found))
        return found

    def history(self, namespace: str, key: str) -> Iterator[KeyModification]:
        """Every valid write of the key, newest first. Not checked again at commit."""
        self._check_open()
        return self._history.read(namespace, key, self.height)

    # Private data

    def get_private(self, namespace: str, collection: str, key: str) -> bytes | None:
        """The private value, if this organisation holds it."""
        self._check_collection(namespace, collection)
        row = self._held(namespace, collection, key)
        version = None if row is None else row.version
        hashed = self._hashed(namespace, collection, key)
        public = None if hashed is None else hashed.version
        if version != public:
            raise SimulationError(
                "private data matching public hash version is not available. Public hash "
                f"version = {_show(public)}, Private data version = {_show(version)}"
            )
        self._note_private(namespace, collection, key, version)
        return None if row is None else row.value

    def get_privates(
        self, namespace: str, collection: str, keys: Sequence[str]
    ) -> list[bytes | None]:
        """Private values; unlike `get_private`, a value not held reads as None (as in Fabric)."""
        self._check_collection(namespace, collection)
        rows = [self._held(namespace, collection, key) for key in keys]
        for key, row in zip(keys, rows, strict=True):
            self._note_private(namespace, collection, key, None if row is None else row.version)
        return [None if row is None else row.value for row in rows]

    def _note_private(
        self, namespace: str, collection: str, key: str, version: Version | None
    ) -> None:
        self._builder.read_private(namespace, collection, key, version)
        self._private_reads.add((namespace, collection))

    def _held(self, namespace: str, collection: str, key: str) -> Versioned | None:
        row = self._snapshot.get(private_space(namespace, collection), key.encode())
        return row if row is not None and holds(row, self.organization) else None

    def _hashed(self, namespace: str, collection: str, key: str) -> Versioned | None:
        return self._snapshot.get(hashed_space(namespace, collection), hash_key(key))

    def _read_hashed(self, namespace: str, collection: str, key: str) -> Versioned | None:
        self._check_collection(namespace, collection)
        row = self._hashed(namespace, collection, key)
        version = None if row is None else row.version
        self._builder.read_private(namespace, collection, key, version)
        return row

    def get_private_hash(self, namespace: str, collection: str, key: str) -> bytes | None:
        """SHA-256 of the private value; anyone may ask."""
        row = self._read_hashed(namespace, collection, key)
        return None if row is None else row.value

    def get_private_metadata(self, namespace: str, collection: str, key: str) -> dict[str, bytes]:
        """The private key's metadata by name."""
        row = self._read_hashed(namespace, collection, key)
        return {} if row is None else keymetadata.unpack(row.metadata)

    def put_private(self, namespace: str, collection: str, key: str, value: bytes) -> None:
        """Set a private value; an empty one deletes the key."""
        self._check_private_write(namespace, collection)
        self._builder.write_private(namespace, collection, key, value)
        self._note_written(namespace, collection, key)

    def delete_private(self, namespace: str, collection: str, key: str) -> None:
        """Delete a private key; its past stays in the members' private stores."""
        self.put_private(namespace, collection, key, b"")

    def purge_private(self, namespace: str, collection: str, key: str) -> None:
        """Delete a private key and its past."""
        self._check_private_write(namespace, collection)
        self._builder.write_private(namespace, collection, key, b"", purge=True)
        self._note_written(namespace, collection, key)

    def put_private_metadata(
        self, namespace: str, collection: str, key: str, entries: Mapping[str, bytes]
    ) -> None:
        """Set or remove a private key's metadata."""
        self._check_private_write(namespace, collection)
        self._builder.write_private_metadata(namespace, collection, key, entries)
        self._note_written(namespace, collection, key)

    def private_range(
        self, namespace: str, collection: str, start: str, end: str
    ) -> Iterator[KeyValue]:
        """Private keys with start <= key < end that this organisation holds. Read-only."""
        self._check_collection(namespace, collection)
        if self._has_written:
            raise self._refused("Queries on pvt data is supported only in a read-only transaction")
        self._queried_private = True
        entries = self._snapshot.range(
            private_space(namespace, collection), start.encode(), end.encode()
        )
        return (
            KeyValue(entry.key.decode(), entry.row.value)
            for entry in entries
            if holds(entry.row, self.organization)
        )

    # The end

    def finish(self) -> SimulationResults:
        """The transaction's effects. Once."""
        if self._finished:
            raise SimulationError(
                "this function should only be called once on a transaction simulator instance"
            )
        self._finished = True
        for namespace, found in self._ranges:
            self._builder.range_query(namespace, found.query())
        private = self._builder.private()
        public = self._builder.public(private)
        return SimulationResults(
            rwset.encode(public),
            rwset.encode_private(private) if private else None,
            tuple(namespace.name for namespace in public),
            frozenset(self._private_reads),
            dict(self._written),
        )

    def _note_written(self, namespace: str, collection: str, key: str) -> None:
        """Remember the key's metadata: a key-level policy on it decides who must endorse."""
        row = (
            self._hashed(namespace, collection, key)
            if collection
            else self._snapshot.get(namespace, key.encode())
        )
        held = {} if row is None else keymetadata.unpack(row.metadata)
        self._written[namespace, collection, key] = held

    def _check_open(self) -> None:
        if self._closed:
            raise SimulationError("this instance should not be used after calling Done()")

    def _check_write(self) -> None:
        self._check_open()
        if self._queried_private:
            raise self._refused(
                "Transaction has already performed queries on pvt data. Writes are not allowed"
            )
        if self._paginated:
            raise self._refused(
                "Transaction has already performed a paginated query. Writes are not allowed"
            )
        self._has_written = True

    def _check_private_write(self, namespace: str, collection: str) -> None:
        self._check_collection(namespace, collection)
        self._check_write()

    def _check_collection(self, namespace: str, collection: str) -> None:
        self._check_open()
        self.look_up(namespace)
        if self._definitions.collection(namespace, collection) is not None:
            return
        if namespace != NAMESPACE and self._definitions.get(namespace) is None:
            raise SimulationError(
                f"collection config not defined for chaincode [{namespace}], pass the collection "
                "configuration upon chaincode definition/instantiation"
            )
        raise SimulationError(
            f"collection [{collection}] not defined in the collection config for chaincode "
            f"[{namespace}]"
        )

    def look_up(self, namespace: str) -> None:
        """Read the definition, once: Fabric's look-up of a collection stands in the read set, even
        if what it is looked up for is then refused."""
        if namespace in self._looked_up or namespace == NAMESPACE:
            return
        self._looked_up.add(namespace)
        if self.get_state(NAMESPACE, metadata_key(NAMESPACES, namespace)) is not None:
            for field in FIELDS:
                self.get_state(NAMESPACE, field_key(NAMESPACES, namespace, field))

    def _refused(self, text: str) -> SimulationError:
        return SimulationError(f"txid [{self.transaction_id}]: unsuppored transaction. {text}")


def _show(version: Version | None) -> str:
    """A version as Go prints it."""
    if version is None:
        return "<nil>"
    return f"{{BlockNum: {version.block}, TxNum: {version.tx}}}"
