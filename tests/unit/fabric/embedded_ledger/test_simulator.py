# SPDX-License-Identifier: Apache-2.0
"""What a simulation sees, records and refuses."""

import pytest

from pedchain_fabric.embedded.ledger import NAMESPACE, SimulationError, Simulator
from pedchain_fabric.wire import rwset
from pedchain_fabric.wire.rwset import KvRead, KvWrite, MetadataWrite, Version
from tests.unit.fabric.embedded_ledger.consortium import Consortium, put


def test_a_simulation_does_not_see_its_own_writes(consortium: Consortium) -> None:
    with consortium.ledger.simulator("tx", "DSOMSP") as simulator:
        simulator.put_state("open", "k", b"1")
        simulator.put_private("district", "readings", "k", b"1")
        assert simulator.get_state("open", "k") is None
        assert list(simulator.range("open", "", "")) == []
        assert simulator.get_private("district", "readings", "k") is None


def test_the_read_write_set_is_ordered_and_holds_versions(consortium: Consortium) -> None:
    consortium.submit("open", put("open", "b"), ["DSO"])
    height = consortium.ledger.height

    def work(simulator: Simulator) -> None:
        for key in ("c", "b", "a"):
            simulator.get_state("open", key)
            simulator.put_state("open", key, b"" if key == "a" else key.encode())
        simulator.put_metadata("open", "m", {"z": b"1", "a": b"2"})
        simulator.get_state("district", "x")

    district, opened = rwset.decode(consortium.simulate(work).public)
    assert (district.name, district.reads) == ("district", (KvRead("x", None),))
    seen = Version(height - 1, 0)
    assert opened.reads == (KvRead("a", None), KvRead("b", seen), KvRead("c", None))
    assert opened.writes == (
        KvWrite("a", b"", True),
        KvWrite("b", b"b", False),
        KvWrite("c", b"c", False),
    )
    assert opened.metadata_writes == (MetadataWrite("m", (("a", b"2"), ("z", b"1"))),)


def test_several_keys_come_in_the_order_asked_for(consortium: Consortium) -> None:
    consortium.submit("open", put("open", "b"), ["DSO"])
    with consortium.ledger.simulator("tx", "DSOMSP") as simulator:
        assert simulator.get_states("open", ["c", "b", "a"]) == [None, b"1", None]


def test_keys_range_in_the_order_of_their_bytes(consortium: Consortium) -> None:
    keys = ["", "\x00a\x00", "a", "z", "é", "\uffee", "\U0001f600"]

    def work(simulator: Simulator) -> None:
        for key in reversed(keys[1:]):
            simulator.put_state("open", key, b"1")

    consortium.submit("open", work, ["DSO"])
    with consortium.ledger.simulator("tx", "DSOMSP") as simulator:
        assert [found.key for found in simulator.range("open", "", "")] == keys[1:]
        assert [found.key for found in simulator.range("open", "a", "é")] == ["a", "z"]
        assert list(simulator.range("open", "z", "a")) == []


def test_pages_continue_at_their_bookmark(consortium: Consortium) -> None:
    def work(simulator: Simulator) -> None:
        for index in range(7):
            simulator.put_state("open", f"k{index}", b"1")

    consortium.submit("open", work, ["DSO"])
    pages, bookmark = [], "k"
    while bookmark:
        with consortium.ledger.simulator("tx", "DSOMSP") as simulator:
            page = simulator.range("open", bookmark, "l", page_size=3)
            pages.append([found.key for found in page])
            bookmark = page.bookmark
    assert pages == [["k0", "k1", "k2"], ["k3", "k4", "k5"], ["k6"]]


def test_a_range_over_more_rows_than_one_chunk_is_whole(consortium: Consortium) -> None:
    def work(simulator: Simulator) -> None:
        for index in range(450):
            simulator.put_state("open", f"k{index:04}", b"1")

    consortium.submit("open", work, ["DSO"])
    with consortium.ledger.simulator("tx", "DSOMSP") as simulator:
        assert len(list(simulator.range("open", "", ""))) == 450


def test_history_is_newest_first_with_deletions(consortium: Consortium) -> None:
    for value in (b"1", b"2", b"", b"3"):
        consortium.submit("open", put("open", "k", value), ["DSO"])
    consortium.submit("district", put("district", "k", b"9"), ["DSO"])  # invalid
    with consortium.ledger.simulator("tx", "DSOMSP") as simulator:
        found = list(simulator.history("open", "k"))
        assert [(each.value, each.deleted) for each in found] == [
            (b"3", False), (b"", True), (b"2", False), (b"1", False),
        ]  # fmt: skip
        assert all(consortium.ledger.has_transaction(each.transaction_id) for each in found)
        assert list(simulator.history("district", "k")) == []


def test_a_page_then_a_write_is_refused(consortium: Consortium) -> None:
    with consortium.ledger.simulator("tx", "DSOMSP") as simulator:
        simulator.range("open", "", "", page_size=1)
        with pytest.raises(SimulationError) as refused:
            simulator.put_state("open", "k", b"1")
    assert str(refused.value) == (
        "txid [tx]: unsuppored transaction. "
        "Transaction has already performed a paginated query. Writes are not allowed"
    )


def test_a_write_then_a_page_is_refused(consortium: Consortium) -> None:
    with consortium.ledger.simulator("tx", "DSOMSP") as simulator:
        simulator.put_state("open", "k", b"1")
        with pytest.raises(SimulationError) as refused:
            simulator.range("open", "", "", page_size=1)
    assert str(refused.value) == (
        "txid [tx]: unsuppored transaction. "
        "Paginated queries are supported only in a read-only transaction"
    )


def test_a_private_range_then_a_write_is_refused(consortium: Consortium) -> None:
    with consortium.ledger.simulator("tx", "DSOMSP") as simulator:
        simulator.private_range("district", "readings", "", "")
        with pytest.raises(SimulationError) as refused:
            simulator.put_private("district", "readings", "k", b"1")
    assert str(refused.value) == (
        "txid [tx]: unsuppored transaction. "
        "Transaction has already performed queries on pvt data. Writes are not allowed"
    )


def test_a_write_then_a_private_range_is_refused(consortium: Consortium) -> None:
    with consortium.ledger.simulator("tx", "DSOMSP") as simulator:
        simulator.put_metadata("open", "k", {})
        with pytest.raises(SimulationError) as refused:
            simulator.private_range("district", "readings", "", "")
    assert str(refused.value) == (
        "txid [tx]: unsuppored transaction. "
        "Queries on pvt data is supported only in a read-only transaction"
    )


@pytest.mark.parametrize(
    ("namespace", "text"),
    [
        (
            "district",
            "collection [none] not defined in the collection config for chaincode [district]",
        ),
        (
            "nowhere",
            "collection config not defined for chaincode [nowhere], pass the collection "
            "configuration upon chaincode definition/instantiation",
        ),
    ],
)
def test_an_unknown_collection_is_refused(
    consortium: Consortium, namespace: str, text: str
) -> None:
    simulator = consortium.ledger.simulator("tx", "DSOMSP")
    with simulator, pytest.raises(SimulationError) as refused:
        simulator.get_private(namespace, "none", "k")
    assert str(refused.value) == text


def test_looking_up_a_collection_stands_in_the_read_set(consortium: Consortium) -> None:
    def work(simulator: Simulator) -> None:
        simulator.put_private("district", "readings", "k", b"1")

    lifecycle = rwset.decode(consortium.simulate(work).public)[0]
    assert lifecycle.name == NAMESPACE
    assert [read.key for read in lifecycle.reads] == [
        "namespaces/fields/district/Collections",
        "namespaces/fields/district/EndorsementInfo",
        "namespaces/fields/district/Sequence",
        "namespaces/fields/district/ValidationInfo",
        "namespaces/metadata/district",
    ]


def test_results_are_given_once(consortium: Consortium) -> None:
    with consortium.ledger.simulator("tx", "DSOMSP") as simulator:
        simulator.finish()
        with pytest.raises(SimulationError, match="only be called once"):
            simulator.finish()


def test_a_closed_simulation_is_over(consortium: Consortium) -> None:
    simulator = consortium.ledger.simulator("tx", "DSOMSP")
    simulator.close()
    simulator.close()
    with pytest.raises(SimulationError, match=r"after calling Done\(\)"):
        simulator.get_state("open", "k")


def test_a_snapshot_sees_its_own_height_only(consortium: Consortium) -> None:
    ledger = consortium.ledger
    consortium.submit("open", put("open", "k", b"old"), ["DSO"])
    consortium.submit("open", put("open", "gone", b"old"), ["DSO"])
    with ledger.simulator("tx", "DSOMSP") as simulator:
        found = simulator.range("open", "", "")
        for key, value in (("k", b"new"), ("gone", b""), ("young", b"new"), ("k", b"newer")):
            consortium.submit("open", put("open", key, value), ["DSO"])
        assert simulator.height == ledger.height - 4
        assert simulator.get_state("open", "k") == b"old"
        assert simulator.get_state("open", "young") is None
        assert [(each.key, each.value) for each in found] == [("gone", b"old"), ("k", b"old")]
        assert len(list(simulator.history("open", "k"))) == 1
        with ledger.simulator("tx", "DSOMSP") as later:
            assert later.get_state("open", "k") == b"newer"
    assert consortium.get("open", "k") == b"newer"


def test_many_keys_younger_than_a_snapshot_do_not_hide_its_own(consortium: Consortium) -> None:
    consortium.submit("open", put("open", "z", b"old"), ["DSO"])
    with consortium.ledger.simulator("tx", "DSOMSP") as simulator:

        def work(other: Simulator) -> None:
            for index in range(450):
                other.put_state("open", f"k{index:04}", b"new")

        consortium.submit("open", work, ["DSO"])
        assert [each.key for each in simulator.range("open", "", "")] == ["z"]


def test_values_before_are_forgotten_once_nobody_can_ask(consortium: Consortium) -> None:
    state = consortium.ledger._stores.state
    early, late = consortium.ledger.simulator("a", "DSOMSP"), None
    consortium.submit("open", put("open", "k", b"1"), ["DSO"])
    late = consortium.ledger.simulator("b", "DSOMSP")
    consortium.submit("open", put("open", "k", b"2"), ["DSO"])
    assert len(state._layers) == 2
    early.close()
    assert len(state._layers) == 1
    assert late.get_state("open", "k") == b"1"
    late.close()
    assert state._layers == {}
