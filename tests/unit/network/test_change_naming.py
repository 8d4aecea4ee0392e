# SPDX-License-Identifier: Apache-2.0
"""Goal: every place on the ledger that names an organisation is found before it leaves.
Method: the embedded ledger writes the blocks."""

from collections.abc import Iterator

import pytest
from fabric_protos.peer.lifecycle.lifecycle_pb2 import QueryChaincodeDefinitionResult

from pedchain_fabric.admin.definition import Collection, Definition
from pedchain_fabric.embedded.ledger import Simulator
from pedchain_fabric.wire import policy
from pedchain_fabric.wire.messages import serialize
from pedchain_network.channel import naming
from pedchain_network.channel.naming import KeyPolicies
from tests.unit.fabric.embedded_ledger.consortium import Consortium, collection

BOTH = "AND('DSOMSP.peer', 'DistrictAMSP.peer')"


@pytest.fixture
def consortium() -> Iterator[Consortium]:
    found = Consortium.start()
    found.define("district", BOTH, [collection("readings", ["DSO", "DistrictA"])])
    yield found
    found.ledger.close()


def rule(*names: str) -> dict[str, bytes]:
    """A key's policy that asks for a peer of each of these."""
    text = "AND({})".format(", ".join(f"'{name}MSP.peer'" for name in names))
    return {"VALIDATION_PARAMETER": serialize(policy.parse(text))}


def found(consortium: Consortium, name: str) -> list[str]:
    keys = KeyPolicies(f"{name}MSP")
    for number in range(consortium.ledger.height):
        block = consortium.ledger.block(number)
        assert block is not None
        keys.read(block)
    return keys.words()


def put(consortium: Consortium, key: str, *names: str, value: bytes = b"1") -> str:
    def work(simulator: Simulator) -> None:
        simulator.put_state("district", key, value)
        if names:
            simulator.put_metadata("district", key, rule(*names))

    return consortium.submit("district", work)


def test_a_key_that_names_it_is_found_until_its_policy_is_another(consortium: Consortium) -> None:
    put(consortium, "a", "DSO", "DistrictB")
    put(consortium, "b", "DistrictB")
    assert found(consortium, "DistrictB") == ["the policies of 2 keys of district"]

    def change(simulator: Simulator) -> None:
        simulator.put_metadata("district", "a", rule("DSO"))

    code = consortium.submit("district", change, ["DSO", "DistrictB"])
    assert code == "VALID"
    assert found(consortium, "DistrictB") == ["the policies of 1 keys of district"]
    assert found(consortium, "Aggregator") == []


def test_a_deleted_key_has_no_policy(consortium: Consortium) -> None:
    put(consortium, "a", "DSO", "DistrictA")
    assert put(consortium, "a", value=b"") == "VALID"
    assert found(consortium, "DistrictA") == []


def test_an_invalid_transaction_names_nobody(consortium: Consortium) -> None:
    def work(simulator: Simulator) -> None:
        simulator.put_state("district", "a", b"1")
        simulator.put_metadata("district", "a", rule("DistrictB"))

    assert consortium.submit("district", work, ["DSO"]) == "ENDORSEMENT_POLICY_FAILURE"
    assert found(consortium, "DistrictB") == []


def test_a_private_key_is_found_by_its_hash(consortium: Consortium) -> None:
    def work(simulator: Simulator) -> None:
        simulator.put_private("district", "readings", "k", b"1")
        simulator.put_private_metadata("district", "readings", "k", rule("DistrictA"))

    assert consortium.submit("district", work) == "VALID"
    said = ["the policies of 1 keys of district, collection readings"]
    assert found(consortium, "DistrictA") == said


def agreed(definition: Definition) -> QueryChaincodeDefinitionResult:
    meant = definition.to_proto()
    return QueryChaincodeDefinitionResult(
        validation_parameter=meant.validation_parameter, collections=meant.collections
    )


DEFINITION = Definition(
    "metering",
    "1",
    1,
    BOTH,
    (
        Collection("readings", ("DSOMSP", "DistrictAMSP")),
        Collection("flex", ("DSOMSP",), endorsement="OR('AggregatorMSP.peer')"),
    ),
)


@pytest.mark.parametrize(
    ("msp_id", "places"),
    [
        (
            "DistrictAMSP",
            [
                "the endorsement policy of metering",
                "the members of collection readings of metering",
            ],
        ),
        ("AggregatorMSP", ["the endorsement policy of collection flex of metering"]),
        ("DistrictBMSP", []),
    ],
)
def test_policy_members_and_a_collections_own_policy_are_looked_at(
    msp_id: str, places: list[str]
) -> None:
    assert naming.in_definition("metering", agreed(DEFINITION), msp_id) == places
