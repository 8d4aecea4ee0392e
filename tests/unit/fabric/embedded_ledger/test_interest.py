# SPDX-License-Identifier: Apache-2.0
"""Which policies an endorsement plan must satisfy (endorser.go, buildChaincodeInterest)."""

from fabric_protos.peer.proposal_response_pb2 import ChaincodeCall

from pedchain_fabric.embedded.ledger import NAMESPACE, Simulator
from pedchain_fabric.wire import policy
from pedchain_fabric.wire.messages import serialize
from tests.unit.fabric.embedded_ledger.consortium import Consortium, Work, put

RULE = policy.parse("AND('DSOMSP.peer','AggregatorMSP.peer')")


def calls(consortium: Consortium, work: Work) -> list[ChaincodeCall]:
    return list(consortium.simulate(work).interest([NAMESPACE]).chaincodes)


def guard(consortium: Consortium, *keys: str) -> None:
    def work(simulator: Simulator) -> None:
        for key in keys:
            simulator.put_state("open", key, b"1")
            simulator.put_metadata("open", key, {"VALIDATION_PARAMETER": serialize(RULE)})

    assert consortium.submit("open", work, ["DSO", "Aggregator"]) == "VALID"


def test_a_public_write_needs_the_definition(consortium: Consortium) -> None:
    assert calls(consortium, put("open", "k")) == [ChaincodeCall(name="open")]


def test_a_mere_read_of_another_namespace_needs_its_definition_too(consortium: Consortium) -> None:
    def work(simulator: Simulator) -> None:
        simulator.get_state("district", "k")
        simulator.put_state("open", "k", b"1")

    assert calls(consortium, work) == [ChaincodeCall(name="district"), ChaincodeCall(name="open")]


def test_a_private_write_needs_its_collection_alone(consortium: Consortium) -> None:
    def work(simulator: Simulator) -> None:
        simulator.put_private("district", "readings", "k", b"1")

    wanted = ChaincodeCall(name="district", collection_names=["readings"], no_private_reads=True)
    assert calls(consortium, work) == [wanted]


def test_a_private_read_asks_for_members_and_the_definition(consortium: Consortium) -> None:
    def work(simulator: Simulator) -> None:
        simulator.get_private("district", "readings", "k")

    assert calls(consortium, work) == [
        ChaincodeCall(name="district"),
        ChaincodeCall(name="district", collection_names=["readings"]),
    ]


def test_a_key_policy_stands_for_the_definition(consortium: Consortium) -> None:
    guard(consortium, "a")
    wanted = ChaincodeCall(name="open", key_policies=[RULE], disregard_namespace_policy=True)
    assert calls(consortium, put("open", "a")) == [wanted]


def test_a_guarded_and_a_free_key_need_both(consortium: Consortium) -> None:
    guard(consortium, "a")

    def work(simulator: Simulator) -> None:
        simulator.put_state("open", "a", b"2")
        simulator.put_state("open", "b", b"2")

    assert calls(consortium, work) == [ChaincodeCall(name="open", key_policies=[RULE])]


def test_system_chaincodes_are_left_out(consortium: Consortium) -> None:
    assert calls(consortium, put(NAMESPACE, "k")) == []
