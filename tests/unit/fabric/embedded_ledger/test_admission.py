# SPDX-License-Identifier: Apache-2.0
"""Goal: a new member of a collection is given what the others hold. Method: a definition's next
sequence names one more organisation."""

from collections.abc import Callable

import pytest

from pedchain_fabric.embedded.ledger import SimulationError, Simulator
from pedchain_fabric.wire import rwset
from tests.unit.fabric.embedded_ledger.consortium import Consortium, collection

NS, COLL, OTHER = "late", "readings", "other"
RULE = "AND('DSOMSP.peer', 'DistrictAMSP.peer')"
BEFORE = ["DSO", "DistrictA"]
AFTER = [*BEFORE, "Aggregator"]


def put(name: str, key: str, value: bytes) -> Callable[[Simulator], None]:
    def work(simulator: Simulator) -> None:
        simulator.put_private(NS, name, key, value)

    return work


@pytest.fixture
def defined(consortium: Consortium) -> Consortium:
    """Two collections with a value each."""
    both = [collection(COLL, BEFORE), collection(OTHER, BEFORE)]
    consortium.define(NS, RULE, both)
    for name in (COLL, OTHER):
        assert consortium.submit(NS, put(name, "k", b"old")) == "VALID"
    return consortium


def admit(consortium: Consortium, sequence: int = 2) -> None:
    both = [collection(COLL, AFTER), collection(OTHER, BEFORE)]
    consortium.define(NS, RULE, both, sequence=sequence)


def test_a_new_member_reads_what_was_there(defined: Consortium) -> None:
    with pytest.raises(SimulationError, match="not available"):
        defined.get_private(NS, COLL, "k", "Aggregator")
    admit(defined)
    assert defined.get_private(NS, COLL, "k", "Aggregator") == b"old"
    assert defined.get_private(NS, COLL, "k", "DSO") == b"old"


def test_a_new_member_is_given_the_write_sets_of_old_blocks(defined: Consortium) -> None:
    number = defined.ledger.height - 2
    assert defined.ledger.private_rwsets(number, "AggregatorMSP") == {}
    admit(defined)
    found = defined.ledger.private_rwsets(number, "AggregatorMSP")
    (namespace,) = rwset.decode_private(found[0].SerializeToString())
    assert [each.key for each in namespace.collections[0].writes] == ["k"]


def test_other_collections_stay_closed(defined: Consortium) -> None:
    admit(defined)
    with pytest.raises(SimulationError, match="not available"):
        defined.get_private(NS, OTHER, "k", "Aggregator")
    assert defined.ledger.private_rwsets(defined.ledger.height - 2, "AggregatorMSP") == {}


def test_what_comes_later_reaches_the_new_member_too(defined: Consortium) -> None:
    admit(defined)
    assert defined.submit(NS, put(COLL, "k", b"new")) == "VALID"
    assert defined.get_private(NS, COLL, "k", "Aggregator") == b"new"


def test_a_member_that_leaves_keeps_what_it_has_and_gets_no_more(defined: Consortium) -> None:
    admit(defined)
    defined.define(NS, RULE, [collection(COLL, BEFORE)], sequence=3)
    assert defined.get_private(NS, COLL, "k", "Aggregator") == b"old"
    assert defined.submit(NS, put(COLL, "k", b"new")) == "VALID"
    with pytest.raises(SimulationError, match="not available"):
        defined.get_private(NS, COLL, "k", "Aggregator")
