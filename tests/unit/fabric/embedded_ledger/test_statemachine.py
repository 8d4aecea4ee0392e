# SPDX-License-Identifier: Apache-2.0
"""World state and MVCC against a plain dictionary, over random transactions and blocks."""

from unittest import mock

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from pedchain_fabric.embedded.ledger import keymetadata
from pedchain_fabric.embedded.ledger import state as state_module
from pedchain_fabric.embedded.ledger.mvcc import ReadCheck
from pedchain_fabric.embedded.ledger.rangequery import RangeReads
from pedchain_fabric.embedded.ledger.state import Snapshot, State
from pedchain_fabric.embedded.ledger.store import Store
from pedchain_fabric.embedded.ledger.versioned import UpdateBatch
from pedchain_fabric.embedded.ledger.writes import apply_writes
from pedchain_fabric.wire.rwset import (
    KvRead,
    KvWrite,
    MetadataWrite,
    Namespace,
    RangeQuery,
    Version,
)

KEYS = [f"k{index:02}" for index in range(12)]
keys = st.sampled_from(KEYS)
Model = dict[str, tuple[bytes, bytes, Version]]


class WorldState(RuleBasedStateMachine):
    """`model` is the committed state; `waiting` the transactions for the next block."""

    transactions = Bundle("transactions")

    @initialize()
    def start(self) -> None:
        # Small enough that chunks end and the cache overflows within these few keys.
        self.small = mock.patch.multiple(state_module, RANGE_CHUNK=3, CACHED_ROWS=5, CACHED_VALUE=0)
        self.small.start()
        self.store = Store(None)
        self.state = State(self.store.main, 1)
        self.model: Model = {}
        self.snapshots: list[tuple[Snapshot, Model]] = []
        self.waiting: list[Namespace] = []

    def read(self, key: str) -> KvRead:
        return KvRead(key, self.model[key][2] if key in self.model else None)

    def ranged(self, start: str, end: str) -> RangeQuery:
        found = sorted(key for key in self.model if start <= key < end)
        reads = RangeReads(degree=3)
        for key in found:
            reads.add(self.read(key))
        return RangeQuery(start, end, True, *reads.result())

    @rule(
        target=transactions,
        reads=st.sets(keys, max_size=3),
        bounds=st.none() | st.tuples(keys, keys),
        writes=st.dictionaries(keys, st.sampled_from([b"", b"1", b"2"]), max_size=3),
        marks=st.dictionaries(keys, st.sampled_from([b"", b"m"]), max_size=2),
    )
    def endorse(
        self,
        reads: set[str],
        bounds: tuple[str, str] | None,
        writes: dict[str, bytes],
        marks: dict[str, bytes],
    ) -> Namespace:
        """A transaction that saw the state as it is now."""
        return Namespace(
            "cc",
            tuple(self.read(key) for key in sorted(reads)),
            (self.ranged(*bounds),) if bounds else (),
            tuple(KvWrite.of(key, value) for key, value in sorted(writes.items())),
            tuple(
                MetadataWrite(key, (("n", value),) if value else ())
                for key, value in sorted(marks.items())
            ),
        )

    @rule(transaction=transactions)
    def order(self, transaction: Namespace) -> None:
        """It will be in the next block, now or much later, once or several times."""
        self.waiting.append(transaction)

    @rule()
    def look(self) -> None:
        """Someone starts reading."""
        self.snapshots.append((self.state.snapshot(), dict(self.model)))

    @rule()
    def commit(self) -> None:
        """A block of all that waits."""
        batch = UpdateBatch()
        number = self.state.height
        committed = dict(self.model)
        for position, transaction in enumerate(self.waiting):
            expected = self.holds(committed, transaction)
            code = ReadCheck(self.state, batch).code((transaction,))
            assert (code == 0) == expected
            if code == 0:
                version = Version(number, position)
                apply_writes(self.state, batch, (transaction,), version)
                self.apply(transaction, version)
        with self.store.block_transaction():
            self.state.write(batch)
        self.state.advance(batch)
        self.waiting = []

    def holds(self, committed: Model, transaction: Namespace) -> bool:
        """By the book: nothing read was touched, in earlier blocks or earlier in this one."""
        touched = self.touched(committed)
        for read in transaction.reads:
            if read.key in touched or self.read(read.key) != read:
                return False
        for query in transaction.range_queries:
            if self.ranged(query.start_key, query.end_key) != query:
                return False
        return True

    def touched(self, committed: Model) -> set[str]:
        """Keys this block's valid transactions wrote so far."""
        return self._touched | {
            key
            for key in committed.keys() | self.model.keys()
            if committed.get(key) != self.model.get(key)
        }

    _touched: set[str] = set()  # noqa: RUF012 - replaced, never changed in place

    def apply(self, transaction: Namespace, version: Version) -> None:
        marks = {each.key: keymetadata.pack(each.entries) for each in transaction.metadata_writes}
        for write in transaction.writes:
            if write.deletes:
                self.model.pop(write.key, None)
                marks.pop(write.key, None)
            else:
                held = self.model.get(write.key, (b"", b"", version))
                metadata = marks.pop(write.key, held[1])
                self.model[write.key] = (write.value, metadata, version)
        for key, metadata in marks.items():
            if key in self.model:
                self.model[key] = (self.model[key][0], metadata, version)
        self._touched = self._touched | {write.key for write in transaction.writes}

    @invariant()
    def the_state_equals_the_model(self) -> None:
        if not hasattr(self, "state") or self.waiting:
            return
        self._touched = set()
        found = {
            entry.key.decode(): (entry.row.value, entry.row.metadata, entry.row.version)
            for entry in self.state.range("cc", b"", b"")
        }
        assert found == self.model

    @invariant()
    def every_reader_still_sees_what_it_saw_first(self) -> None:
        for snapshot, model in getattr(self, "snapshots", []):
            entries = list(snapshot.range("cc", b"", b""))
            assert {entry.key.decode(): entry.row.value for entry in entries} == {
                key: value for key, (value, _, _) in model.items()
            }
            for key in KEYS:
                row = snapshot.get("cc", key.encode())
                assert (row and row.version) == (model[key][2] if key in model else None)

    @rule()
    def stop_looking(self) -> None:
        """The oldest reader is done."""
        if self.snapshots:
            self.snapshots.pop(0)[0].close()

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            self.small.stop()


TestWorldState = WorldState.TestCase
TestWorldState.settings = settings(max_examples=30, stateful_step_count=25)
