# SPDX-License-Identifier: Apache-2.0
"""Reads checked again at commit: versions, phantoms, hashes."""

from collections.abc import Callable

import pytest

from pedchain_fabric.embedded.ledger import NAMESPACE, Simulator, sequence
from pedchain_fabric.wire import rwset
from pedchain_fabric.wire.rwset import KvRead, Namespace, RangeQuery, Version
from tests.unit.fabric.embedded_ledger.consortium import Consortium, Transaction, put

STALE, PHANTOM = "MVCC_READ_CONFLICT", "PHANTOM_READ_CONFLICT"


def reading(key: str) -> Callable[[Simulator], None]:
    def work(simulator: Simulator) -> None:
        simulator.get_state("open", key)
        simulator.put_state("open", "result", b"1")

    return work


def ranging(start: str, end: str, take: int | None = None) -> Callable[[Simulator], None]:
    def work(simulator: Simulator) -> None:
        found = simulator.range("open", start, end)
        for index, _ in enumerate(found, 1):
            if index == take:
                break
        simulator.put_state("open", "~result", b"1")

    return work


def prepared(consortium: Consortium, work: Callable[[Simulator], None]) -> Transaction:
    return consortium.endorse("open", consortium.simulate(work), ["DSO"])


def fill(consortium: Consortium, *keys: str) -> None:
    def work(simulator: Simulator) -> None:
        for key in keys:
            simulator.put_state("open", key, b"1")

    assert consortium.submit("open", work, ["DSO"]) == "VALID"


@pytest.mark.parametrize("change", [b"2", b""], ids=["written", "deleted"])
def test_a_read_key_changed_by_an_earlier_block_is_a_conflict(
    consortium: Consortium, change: bytes
) -> None:
    fill(consortium, "k")
    transaction = prepared(consortium, reading("k"))
    consortium.submit("open", put("open", "k", change), ["DSO"])
    assert consortium.commit(transaction) == [STALE]
    assert consortium.get("open", "result") is None


def test_a_key_read_as_missing_and_created_since_is_a_conflict(consortium: Consortium) -> None:
    transaction = prepared(consortium, reading("k"))
    fill(consortium, "k")
    assert consortium.commit(transaction) == [STALE]


def test_a_key_read_and_changed_earlier_in_the_block_is_a_conflict(consortium: Consortium) -> None:
    first = prepared(consortium, put("open", "k"))
    second = prepared(consortium, reading("k"))
    third = prepared(consortium, reading("k"))
    assert consortium.commit(second, first, third) == ["VALID", "VALID", STALE]


def test_a_conflicting_transaction_changes_nothing_for_those_after_it(
    consortium: Consortium,
) -> None:
    def move(simulator: Simulator) -> None:
        simulator.get_state("open", "a")
        simulator.put_state("open", "b", b"1")

    stale = prepared(consortium, move)
    after = prepared(consortium, reading("b"))
    fill(consortium, "a")
    assert consortium.commit(stale, after) == [STALE, "VALID"]


def test_blind_writes_of_one_key_all_commit_and_the_last_wins(consortium: Consortium) -> None:
    writes = [prepared(consortium, put("open", "k", value)) for value in (b"1", b"2", b"3")]
    assert consortium.commit(*writes) == ["VALID"] * 3
    assert consortium.get("open", "k") == b"3"


def test_of_many_writers_of_what_they_read_one_wins(consortium: Consortium) -> None:
    def increment(simulator: Simulator) -> None:
        old = simulator.get_state("open", "book") or b"0"
        simulator.put_state("open", "book", b"%d" % (int(old) + 1))

    codes = consortium.commit(*[prepared(consortium, increment) for _ in range(20)])
    assert codes == ["VALID"] + [STALE] * 19
    assert consortium.get("open", "book") == b"1"


@pytest.mark.parametrize("size", [0, 1, 50, 51, 120])
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("k0005x", PHANTOM),  # inserted inside
        ("k", "VALID"),  # before the start
        ("l", "VALID"),  # the end itself is outside
    ],
)
def test_a_range_read_to_its_end_holds_unless_it_changed(
    consortium: Consortium, size: int, change: str, code: str
) -> None:
    fill(consortium, "other", *[f"k{index:04}" for index in range(size)])
    transaction = prepared(consortium, ranging("k0", "l"))
    fill(consortium, change)
    assert consortium.commit(transaction) == [code]


@pytest.mark.parametrize("size", [3, 60])
@pytest.mark.parametrize("value", [b"2", b""], ids=["written", "deleted"])
def test_a_key_of_a_range_changed_or_deleted_is_a_phantom(
    consortium: Consortium, size: int, value: bytes
) -> None:
    fill(consortium, *[f"k{index:04}" for index in range(size)])
    transaction = prepared(consortium, ranging("k", "l"))
    consortium.submit("open", put("open", "k0001", value), ["DSO"])
    assert consortium.commit(transaction) == [PHANTOM]


def test_a_range_of_more_than_fifty_results_is_recorded_as_a_summary(
    consortium: Consortium,
) -> None:
    fill(consortium, *[f"k{index:04}" for index in range(51)])
    (namespace,) = rwset.decode(consortium.simulate(ranging("k", "l")).public)
    (query,) = namespace.range_queries
    assert query.reads is None
    assert query.merkle is not None
    assert (query.merkle.max_degree, query.merkle.max_level) == (50, 1)


def test_a_range_not_read_to_its_end_covers_what_was_read(consortium: Consortium) -> None:
    fill(consortium, "a", "b", "c", "d")
    partly = prepared(consortium, ranging("a", "z", take=2))
    again = prepared(consortium, ranging("a", "z", take=2))
    fill(consortium, "bb")
    assert consortium.commit(partly) == ["VALID"]
    consortium.submit("open", put("open", "b", b""), ["DSO"])
    assert consortium.commit(again) == [PHANTOM]


def test_a_phantom_made_earlier_in_the_block_counts(consortium: Consortium) -> None:
    fill(consortium, "a", "c")
    transaction = prepared(consortium, ranging("a", "z"))
    assert consortium.commit(prepared(consortium, put("open", "b")), transaction) == [
        "VALID",
        PHANTOM,
    ]


def test_a_range_made_by_hand_with_an_impossible_degree_is_a_phantom(
    consortium: Consortium,
) -> None:
    summary = rwset.MerkleSummary(1, 1, (b"x",))
    query = RangeQuery("a", "z", True, None, summary)
    results = rwset.encode([Namespace("open", range_queries=(query,))])
    assert consortium.commit(consortium.endorse("open", results, ["DSO"])) == [PHANTOM]


def test_a_read_of_a_version_that_never_was_is_a_conflict(consortium: Consortium) -> None:
    results = rwset.encode([Namespace("open", reads=(KvRead("k", Version(0, 0)),))])
    assert consortium.commit(consortium.endorse("open", results, ["DSO"])) == [STALE]


def test_a_private_read_is_checked_by_its_hash(consortium: Consortium) -> None:
    def write(value: bytes) -> Callable[[Simulator], None]:
        return lambda simulator: simulator.put_private("district", "readings", "k", value)

    def read(simulator: Simulator) -> None:
        simulator.get_private("district", "readings", "k")
        simulator.put_state("district", "seen", b"1")

    consortium.submit("district", write(b"1"))
    by_value = consortium.endorse("district", consortium.simulate(read))

    def read_hash(simulator: Simulator) -> None:
        simulator.get_private_hash("district", "readings", "k")
        simulator.put_state("district", "seen", b"2")

    by_hash = consortium.endorse("district", consortium.simulate(read_hash, "Aggregator"))
    consortium.submit("district", write(b"2"))
    assert consortium.commit(by_value, by_hash) == [STALE, STALE]


def test_what_was_endorsed_before_an_upgrade_fails_after_it(consortium: Consortium) -> None:
    def work(simulator: Simulator) -> None:
        assert sequence(lambda key: simulator.get_state(NAMESPACE, key), "open") == 1
        simulator.put_state("open", "k", b"1")

    transaction = prepared(consortium, work)
    consortium.define("open", "OR('DSOMSP.peer')", sequence=2)
    assert consortium.commit(transaction) == [STALE]


def test_a_withheld_transaction_fails_once_its_guard_key_changed(consortium: Consortium) -> None:
    fill(consortium, "session")
    withheld = prepared(consortium, reading("session"))
    consortium.submit("open", put("open", "session", b"closed"), ["DSO"])
    assert consortium.commit(withheld) == [STALE]


def test_history_is_not_checked_again(consortium: Consortium) -> None:
    def work(simulator: Simulator) -> None:
        assert len(list(simulator.history("open", "k"))) == 1
        simulator.put_state("open", "result", b"1")

    fill(consortium, "k")
    transaction = prepared(consortium, work)
    fill(consortium, "k")
    assert consortium.commit(transaction) == ["VALID"]
