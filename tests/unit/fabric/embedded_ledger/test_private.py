# SPDX-License-Identifier: Apache-2.0
"""Private data: who gets it, how long it stays, what is left of it."""

from collections.abc import Callable
from hashlib import sha256

import pytest

from pedchain_fabric.embedded.ledger import SimulationError, Simulator
from pedchain_fabric.wire import policy, rwset
from pedchain_fabric.wire.messages import serialize
from tests.unit.fabric.embedded_ledger.consortium import Consortium, collection

NS, COLL = "district", "readings"


def write(key: str, value: bytes) -> Callable[[Simulator], None]:
    return lambda simulator: simulator.put_private(NS, COLL, key, value)


def test_members_read_the_value_and_all_read_its_hash(consortium: Consortium) -> None:
    assert consortium.submit(NS, write("k", b"secret")) == "VALID"
    assert consortium.get_private(NS, COLL, "k", "DSO") == b"secret"
    assert consortium.get_private(NS, COLL, "k", "DistrictA") == b"secret"
    with consortium.ledger.simulator("tx", "AggregatorMSP") as simulator:
        assert simulator.get_private_hash(NS, COLL, "k") == sha256(b"secret").digest()


def test_others_are_told_that_they_do_not_hold_it(consortium: Consortium) -> None:
    consortium.submit(NS, write("k", b"secret"))
    number = consortium.ledger.height - 1
    with pytest.raises(SimulationError) as refused:
        consortium.get_private(NS, COLL, "k", "Aggregator")
    assert str(refused.value) == (
        "private data matching public hash version is not available. Public hash version = "
        f"{{BlockNum: {number}, TxNum: 0}}, Private data version = <nil>"
    )


def test_others_read_a_key_nobody_wrote_as_missing(consortium: Consortium) -> None:
    assert consortium.get_private(NS, COLL, "none", "Aggregator") is None


def test_reading_many_at_once_gives_nothing_to_others(consortium: Consortium) -> None:
    consortium.submit(NS, write("k", b"secret"))
    for member, expected in (("DSO", [b"secret", None]), ("Aggregator", [None, None])):
        with consortium.ledger.simulator("tx", f"{member}MSP") as simulator:
            assert simulator.get_privates(NS, COLL, ["k", "none"]) == expected


def test_a_private_range_gives_what_the_organisation_holds(consortium: Consortium) -> None:
    for key in ("b", "a", "c"):
        consortium.submit(NS, write(key, b"v"))
    for member, expected in (("DSO", ["a", "b"]), ("Aggregator", [])):
        with consortium.ledger.simulator("tx", f"{member}MSP") as simulator:
            found = simulator.private_range(NS, COLL, "a", "c")
            assert [each.key for each in found] == expected


def test_the_block_holds_neither_key_nor_value(consortium: Consortium) -> None:
    consortium.submit(NS, write("canary-key", b"canary-value"))
    block = consortium.ledger.block(consortium.ledger.height - 1)
    assert block is not None
    assert b"canary" not in block.SerializeToString()


def test_members_are_given_the_write_sets_of_a_block(consortium: Consortium) -> None:
    transactions = [
        consortium.endorse(NS, consortium.simulate(write(key, b"v"))) for key in ("a", "b")
    ]
    refused = consortium.endorse(NS, consortium.simulate(write("c", b"v")), ["DSO"])
    consortium.commit(transactions[0], refused, transactions[1])
    number = consortium.ledger.height - 1
    found = consortium.ledger.private_rwsets(number, "DistrictAMSP")
    assert sorted(found) == [0, 1, 2]  # of the refused one too, as in Fabric
    with pytest.raises(SimulationError, match="not available"):
        consortium.get_private(NS, COLL, "a", "Aggregator")
    assert consortium.get_private(NS, COLL, "c", "DSO") is None
    (namespace,) = rwset.decode_private(found[2].SerializeToString())
    assert [each.key for each in namespace.collections[0].writes] == ["b"]
    assert consortium.ledger.private_rwsets(number, "AggregatorMSP") == {}


def test_an_owner_that_did_not_endorse_is_not_given_what_is_valid(consortium: Consortium) -> None:
    """A key-level policy lets others write its implicit collection (seen on Fabric: seed 403)."""
    own = "_implicit_org_DistrictBMSP"
    rule = {"VALIDATION_PARAMETER": serialize(policy.parse("AND('DSOMSP.peer')"))}

    def first(simulator: Simulator) -> None:
        simulator.put_private(NS, own, "k", b"v")
        simulator.put_private_metadata(NS, own, "k", rule)

    def second(simulator: Simulator) -> None:
        simulator.put_private(NS, own, "k", b"w")

    by_owner = consortium.endorse(NS, consortium.simulate(first), ["DistrictB"])
    assert consortium.commit(by_owner) == ["VALID"]
    by_other = consortium.endorse(NS, consortium.simulate(second), ["DSO"])
    assert consortium.commit(by_other) == ["VALID"]
    number = consortium.ledger.height - 1
    assert consortium.ledger.private_rwsets(number, "DistrictBMSP") == {}
    with pytest.raises(SimulationError, match="matching public hash version is not available"):
        consortium.get_private(NS, own, "k", "DistrictB")


def test_an_owner_that_did_not_endorse_is_not_given_what_is_invalid(consortium: Consortium) -> None:
    """Nobody gives others' implicit collections to their owner (seen on Fabric)."""
    own = "_implicit_org_DistrictBMSP"

    def work(simulator: Simulator) -> None:
        simulator.put_private(NS, own, "k", b"v")

    by_owner = consortium.endorse(NS, consortium.simulate(work), ["DistrictB"])
    by_other = consortium.endorse(NS, consortium.simulate(work), ["DSO"])

    def both(simulator: Simulator) -> None:
        work(simulator)
        simulator.put_state(NS, "public", b"v")

    invalid_by_owner = consortium.endorse(NS, consortium.simulate(both), ["DistrictB"])
    failed = "ENDORSEMENT_POLICY_FAILURE"
    assert consortium.commit(by_owner, by_other, invalid_by_owner) == ["VALID", failed, failed]
    number = consortium.ledger.height - 1
    assert sorted(consortium.ledger.private_rwsets(number, "DistrictBMSP")) == [0, 2]


def test_what_waits_for_its_transaction_goes_with_it(consortium: Consortium) -> None:
    transaction = consortium.endorse(NS, consortium.simulate(write("k", b"v")))
    assert len(consortium.ledger.transient.get(transaction.id)) == 1
    consortium.commit(transaction)
    assert consortium.ledger.transient.get(transaction.id) == ()


def test_a_write_set_of_another_hash_is_not_taken(consortium: Consortium) -> None:
    results = consortium.simulate(write("k", b"true"))
    transaction = consortium.endorse(NS, results.public)
    other = consortium.simulate(write("k", b"false"))
    assert other.private is not None
    assert results.private is not None
    consortium.ledger.transient.put(transaction.id, other.private)
    consortium.ledger.transient.put(transaction.id, results.private)
    assert consortium.commit(transaction) == ["VALID"]
    assert consortium.get_private(NS, COLL, "k", "DSO") == b"true"


def test_a_missing_write_set_leaves_the_hash_and_no_value(consortium: Consortium) -> None:
    results = consortium.simulate(write("k", b"v"))
    assert consortium.commit(consortium.endorse(NS, results.public)) == ["VALID"]
    with pytest.raises(SimulationError, match="Private data version = <nil>"):
        consortium.get_private(NS, COLL, "k", "DSO")
    assert consortium.submit(NS, write("k", b"again")) == "VALID"
    assert consortium.get_private(NS, COLL, "k", "DSO") == b"again"


def test_a_deletion_removes_value_and_hash_but_not_the_past(consortium: Consortium) -> None:
    consortium.submit(NS, write("k", b"v"))
    number = consortium.ledger.height - 1
    consortium.submit(NS, lambda simulator: simulator.delete_private(NS, COLL, "k"))
    assert consortium.get_private(NS, COLL, "k", "DSO") is None
    with consortium.ledger.simulator("tx", "DSOMSP") as simulator:
        assert simulator.get_private_hash(NS, COLL, "k") is None
    held = consortium.ledger.private_rwsets(number, "DSOMSP")[0].SerializeToString()
    assert rwset.decode_private(held)[0].collections[0].writes[0].value == b"v"


def test_a_purge_removes_the_past_too_and_only_of_its_key(consortium: Consortium) -> None:
    def two(simulator: Simulator) -> None:
        simulator.put_private(NS, COLL, "k", b"v")
        simulator.put_private(NS, COLL, "other", b"w")

    consortium.submit(NS, two)
    number = consortium.ledger.height - 1
    consortium.submit(NS, lambda simulator: simulator.purge_private(NS, COLL, "k"))
    assert consortium.get_private(NS, COLL, "k", "DSO") is None
    held = consortium.ledger.private_rwsets(number, "DSOMSP")[0].SerializeToString()
    assert b"other" in held
    assert b"k" not in [
        each.key.encode() for each in rwset.decode_private(held)[0].collections[0].writes
    ]


def test_a_purge_spares_what_is_written_after_it_in_its_block(consortium: Consortium) -> None:
    consortium.submit(NS, write("k", b"old"))

    def purge(simulator: Simulator) -> None:
        simulator.purge_private(NS, COLL, "k")

    transactions = [
        consortium.endorse(NS, consortium.simulate(work)) for work in (purge, write("k", b"new"))
    ]
    assert consortium.commit(*transactions) == ["VALID", "VALID"]
    assert consortium.get_private(NS, COLL, "k", "DSO") == b"new"


def test_new_metadata_of_a_private_key_keeps_its_value_readable(consortium: Consortium) -> None:
    consortium.submit(NS, write("k", b"v"))

    def mark(simulator: Simulator) -> None:
        simulator.put_private_metadata(NS, COLL, "k", {"note": b"1"})

    assert consortium.submit(NS, mark) == "VALID"
    assert consortium.get_private(NS, COLL, "k", "DSO") == b"v"
    with consortium.ledger.simulator("tx", "DSOMSP") as simulator:
        assert simulator.get_private_metadata(NS, COLL, "k") == {"note": b"1"}


def test_a_value_lives_as_many_blocks_as_its_collection_says(consortium: Consortium) -> None:
    rule = "AND('DSOMSP.peer','DistrictAMSP.peer')"
    consortium.define("short", rule, [collection("c", ["DSO"], block_to_live=2)])

    def work(simulator: Simulator) -> None:
        simulator.put_private("short", "c", "k", b"v")
        simulator.put_private("short", "c", "renewed", b"v")

    def renew(simulator: Simulator) -> None:
        simulator.put_private("short", "c", "renewed", b"w")

    def idle(simulator: Simulator) -> None:
        simulator.put_state("open", "k", b"1")

    consortium.submit("short", work)
    number = consortium.ledger.height - 1
    consortium.submit("short", renew)
    consortium.submit("open", idle)
    assert consortium.get_private("short", "c", "k", "DSO") == b"v"
    consortium.submit("open", idle)
    assert consortium.get_private("short", "c", "k", "DSO") is None
    assert consortium.get_private("short", "c", "renewed", "DSO") == b"w"
    assert consortium.ledger.private_rwsets(number, "DSOMSP") == {}
