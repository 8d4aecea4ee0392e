# SPDX-License-Identifier: Apache-2.0
"""Committed definitions, as the ledger reads them back."""

from pedchain_fabric.embedded.ledger import (
    NAMESPACE,
    Simulator,
    field_key,
    implicit_collection,
    metadata_key,
)
from tests.unit.fabric.embedded_ledger.consortium import (
    NAMES,
    Consortium,
    application_policy,
    collection,
)


def test_definitions_are_listed_by_name(consortium: Consortium) -> None:
    assert [each.name for each in consortium.ledger.definitions()] == ["district", "open"]
    assert consortium.ledger.definition("none") is None


def test_a_definition_says_what_was_agreed(consortium: Consortium) -> None:
    found = consortium.ledger.definition("district")
    assert found is not None
    assert (found.sequence, found.version, found.init_required) == (1, "1", False)
    assert (found.endorsement_plugin, found.validation_plugin) == ("escc", "vscc")
    rule = "AND('DSOMSP.peer','DistrictAMSP.peer')"
    assert found.validation_parameter == application_policy(rule)
    (readings,) = found.collections
    assert readings.members == {"DSOMSP", "DistrictAMSP"}
    assert readings.endorsement_policy == application_policy(rule)
    assert found.collection("readings") == readings
    assert found.collection("none") is None


def test_an_upgrade_is_seen_after_its_block(consortium: Consortium) -> None:
    found = consortium.ledger.definition("open")
    assert found is not None
    consortium.define("open", "OR('DSOMSP.peer')", [collection("c", ["DSO"])], sequence=2)
    after = consortium.ledger.definition("open")
    assert after is not None
    assert (found.sequence, after.sequence) == (1, 2)
    assert consortium.ledger.collection("open", "c") is not None


def test_every_organisation_has_its_implicit_collection(consortium: Consortium) -> None:
    for chaincode in ("open", NAMESPACE):
        for name in NAMES:
            own = implicit_collection(f"{name}MSP")
            found = consortium.ledger.collection(chaincode, own)
            assert found is not None
            assert found.members == {f"{name}MSP"}
    assert consortium.ledger.collection("open", implicit_collection("StrangerMSP")) is None
    assert consortium.ledger.collection("none", implicit_collection("DSOMSP")) is None


def test_metadata_of_another_type_is_no_definition(consortium: Consortium) -> None:
    def work(simulator: Simulator) -> None:
        simulator.put_state(NAMESPACE, metadata_key("namespaces", "x"), b"\x0a\x05Other")

    assert consortium.submit(NAMESPACE, work, NAMES) == "VALID"
    assert consortium.ledger.definition("x") is None
    assert "x" not in [each.name for each in consortium.ledger.definitions()]


def test_keys_are_those_of_fabrics_layout() -> None:
    assert metadata_key("namespaces", "cc") == "namespaces/metadata/cc"
    assert field_key("chaincode-sources", "cc#1", "PackageID") == (
        "chaincode-sources/fields/cc#1/PackageID"
    )
