# SPDX-License-Identifier: Apache-2.0
"""Which organisations a write needs: definition, collection, key."""

import pytest

from pedchain_fabric.embedded.ledger import NAMESPACE, Simulator, implicit_collection
from pedchain_fabric.wire import policy
from pedchain_fabric.wire.messages import serialize
from tests.unit.fabric.embedded_ledger.consortium import Consortium, collection, put

POLICY = "VALIDATION_PARAMETER"
REFUSED = "ENDORSEMENT_POLICY_FAILURE"


def key_policy(*organizations: str) -> dict[str, bytes]:
    """Metadata demanding a peer of each of these."""
    rule = "AND({})".format(",".join(f"'{name}MSP.peer'" for name in organizations))
    return {POLICY: serialize(policy.parse(rule))}


def test_the_first_write_of_a_key_by_others_fails_by_the_definition(consortium: Consortium) -> None:
    assert consortium.submit("district", put("district", "new"), ["DSO", "DistrictB"]) == REFUSED
    assert consortium.submit("district", put("district", "new"), ["DSO", "DistrictA"]) == "VALID"


def test_one_organisation_twice_is_one_endorsement(consortium: Consortium) -> None:
    assert consortium.submit("district", put("district", "k"), ["DSO", "DSO"]) == REFUSED


def test_a_client_of_the_right_organisation_is_no_peer(consortium: Consortium) -> None:
    client = consortium.organizations["DistrictA"].client
    assert consortium.submit("district", put("district", "k"), ["DSO", client]) == REFUSED


def test_a_transaction_that_writes_nothing_needs_the_definition_too(
    consortium: Consortium,
) -> None:
    def read(simulator: Simulator) -> None:
        simulator.get_state("district", "k")

    assert consortium.submit("district", read, ["DSO"]) == REFUSED
    assert consortium.submit("district", read) == "VALID"


def test_an_implicit_collection_needs_its_own_organisation_alone(consortium: Consortium) -> None:
    def work(simulator: Simulator) -> None:
        own = implicit_collection("DistrictBMSP")
        simulator.put_private("district", own, "k", b"secret")

    assert consortium.submit("district", work, ["DistrictB"]) == "VALID"
    assert consortium.submit("district", work, ["DSO"]) == REFUSED


def test_one_organisation_alone_gets_its_event_into_a_valid_transaction(
    consortium: Consortium,
) -> None:
    def work(simulator: Simulator) -> None:
        simulator.put_private("district", implicit_collection("DistrictBMSP"), "k", b"s")

    results = consortium.simulate(work, "DistrictB")
    lie = consortium.endorse("district", results, ["DistrictB"], event=b"CertificateIssued")
    assert consortium.commit(lie) == ["VALID"]
    outcome = consortium.ledger.outcome(consortium.ledger.height - 1)
    assert outcome is not None
    assert b"CertificateIssued" in outcome.transactions[0].event


def test_a_public_write_beside_an_implicit_one_needs_the_definition(consortium: Consortium) -> None:
    def work(simulator: Simulator) -> None:
        simulator.put_private("district", implicit_collection("DistrictBMSP"), "k", b"s")
        simulator.put_state("district", "forged", b"1")

    assert consortium.submit("district", work, ["DistrictB"]) == REFUSED


def test_a_collection_is_written_by_its_own_policy(consortium: Consortium) -> None:
    def work(simulator: Simulator) -> None:
        simulator.put_private("district", "readings", "k", b"v")

    assert consortium.submit("district", work, ["DSO", "Aggregator"]) == REFUSED
    assert consortium.submit("district", work, ["DSO", "DistrictA"]) == "VALID"


def test_a_collection_without_policy_takes_the_definitions(consortium: Consortium) -> None:
    consortium.define("plain", "OR('AggregatorMSP.peer')", [collection("c", ["DSO"])])

    def work(simulator: Simulator) -> None:
        simulator.put_private("plain", "c", "k", b"v")

    assert consortium.submit("plain", work, ["DSO"]) == REFUSED
    assert consortium.submit("plain", work, ["Aggregator"]) == "VALID"


def test_a_key_policy_replaces_the_definitions(consortium: Consortium) -> None:
    def guard(simulator: Simulator) -> None:
        simulator.put_state("open", "k", b"1")
        simulator.put_metadata("open", "k", key_policy("DSO", "Aggregator"))

    assert consortium.submit("open", guard, ["DistrictB"]) == "VALID"
    assert consortium.submit("open", put("open", "k", b"2"), ["DistrictB"]) == REFUSED
    assert consortium.submit("open", put("open", "k", b"2"), ["DSO", "Aggregator"]) == "VALID"
    assert consortium.get("open", "k") == b"2"


def test_a_key_policy_may_ask_for_less_than_the_definition(consortium: Consortium) -> None:
    def guard(simulator: Simulator) -> None:
        simulator.put_state("district", "k", b"1")
        simulator.put_metadata("district", "k", key_policy("Aggregator"))

    assert consortium.submit("district", guard) == "VALID"
    assert consortium.submit("district", put("district", "k", b"2"), ["Aggregator"]) == "VALID"


def test_a_key_policy_on_a_missing_key_does_nothing(consortium: Consortium) -> None:
    def guard(simulator: Simulator) -> None:
        simulator.put_metadata("open", "new", key_policy("DSO"))

    assert consortium.submit("open", guard, ["DistrictB"]) == "VALID"
    assert consortium.submit("open", put("open", "new"), ["DistrictB"]) == "VALID"


def test_a_new_value_keeps_the_key_policy(consortium: Consortium) -> None:
    def guard(simulator: Simulator) -> None:
        simulator.put_state("open", "k", b"1")
        simulator.put_metadata("open", "k", key_policy("DSO"))

    consortium.submit("open", guard, ["DSO"])
    assert consortium.submit("open", put("open", "k", b"2"), ["DSO"]) == "VALID"
    assert consortium.submit("open", put("open", "k", b"3"), ["DistrictB"]) == REFUSED


def test_deleting_the_key_drops_its_policy(consortium: Consortium) -> None:
    def guard(simulator: Simulator) -> None:
        simulator.put_state("open", "k", b"1")
        simulator.put_metadata("open", "k", key_policy("DSO"))

    consortium.submit("open", guard, ["DSO"])
    assert consortium.submit("open", put("open", "k", b""), ["DSO"]) == "VALID"
    assert consortium.submit("open", put("open", "k", b"2"), ["DistrictB"]) == "VALID"


def test_removing_the_metadata_drops_the_policy(consortium: Consortium) -> None:
    def guard(simulator: Simulator) -> None:
        simulator.put_state("open", "k", b"1")
        simulator.put_metadata("open", "k", key_policy("DSO"))

    def free(simulator: Simulator) -> None:
        simulator.put_metadata("open", "k", {})

    consortium.submit("open", guard, ["DSO"])
    assert consortium.submit("open", free, ["DistrictB"]) == REFUSED
    assert consortium.submit("open", free, ["DSO"]) == "VALID"
    assert consortium.submit("open", put("open", "k", b"2"), ["DistrictB"]) == "VALID"


@pytest.mark.parametrize("second", ["DSO", "DistrictB"])
def test_a_key_whose_policy_changed_in_the_block_cannot_be_written_in_it(
    consortium: Consortium, second: str
) -> None:
    def guard(simulator: Simulator) -> None:
        simulator.put_state("open", "k", b"1")
        simulator.put_metadata("open", "k", key_policy("DSO"))

    first = consortium.endorse("open", consortium.simulate(guard), ["DSO"])
    later = consortium.endorse("open", consortium.simulate(put("open", "k", b"2")), [second])
    other = consortium.endorse("open", consortium.simulate(put("open", "other")), [second])
    assert consortium.commit(first, later, other) == ["VALID", REFUSED, "VALID"]


def test_an_unendorsed_change_of_policy_does_not_stop_later_writers(
    consortium: Consortium,
) -> None:
    def guard(simulator: Simulator) -> None:
        simulator.put_metadata("district", "k", key_policy("DistrictB"))

    attempt = consortium.endorse("district", consortium.simulate(guard), ["DistrictB"])
    write = consortium.endorse("district", consortium.simulate(put("district", "k")))
    assert consortium.commit(attempt, write) == [REFUSED, "VALID"]


def test_a_private_key_has_its_own_policy_too(consortium: Consortium) -> None:
    def guard(simulator: Simulator) -> None:
        simulator.put_private("district", "readings", "k", b"v")
        simulator.put_private_metadata("district", "readings", "k", key_policy("Aggregator"))

    def work(simulator: Simulator) -> None:
        simulator.put_private("district", "readings", "k", b"w")

    assert consortium.submit("district", guard) == "VALID"
    assert consortium.submit("district", work) == REFUSED
    assert consortium.submit("district", work, ["Aggregator"]) == "VALID"


def test_the_lifecycle_needs_a_majority(consortium: Consortium) -> None:
    work = put(NAMESPACE, "namespaces/x", b"1")
    assert consortium.submit(NAMESPACE, work, ["DSO", "DistrictA"]) == REFUSED
    assert consortium.submit(NAMESPACE, work, ["DSO", "DistrictA", "DistrictB"]) == "VALID"


def test_an_approval_in_the_own_implicit_collection_needs_only_oneself(
    consortium: Consortium,
) -> None:
    def approve(simulator: Simulator) -> None:
        own = implicit_collection("DSOMSP")
        simulator.put_private(NAMESPACE, own, "namespaces/fields/cc#1/Sequence", b"1")

    assert consortium.submit(NAMESPACE, approve, ["DSO"]) == "VALID"
