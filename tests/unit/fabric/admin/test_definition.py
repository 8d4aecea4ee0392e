# SPDX-License-Identifier: Apache-2.0
"""Goal: every organisation means the same definition. Method: compare what each call carries."""

import pytest
from fabric_protos.peer.lifecycle import lifecycle_pb2
from fabric_protos.peer.policy_pb2 import ApplicationPolicy

from pedchain_fabric.admin.definition import Collection, Definition
from pedchain_fabric.errors import PolicyError
from pedchain_fabric.wire import policy
from pedchain_fabric.wire.messages import serialize

READINGS = Collection("readings", ("DSOMSP", "DistrictAMSP"))
FLEX = Collection("flex", ("DSOMSP", "DistrictAMSP", "AggregatorMSP"))
METERING = Definition(
    "metering-DistrictA", "1", 3, "AND('DSOMSP.peer','DistrictAMSP.peer')", (READINGS, FLEX)
)


def test_an_approval_is_the_committed_definition_and_a_package() -> None:
    approval = METERING.approval("metering:00")
    assert approval.source.local_package.package_id == "metering:00"
    approval.ClearField("source")
    committed = METERING.to_proto()
    assert serialize(approval) == serialize(committed)
    shared = lifecycle_pb2.CheckCommitReadinessArgs.FromString(serialize(committed))
    assert (shared.name, shared.version, shared.sequence) == ("metering-DistrictA", "1", 3)
    assert shared.collections == committed.collections


def test_the_endorsement_policy_is_written_out() -> None:
    written = ApplicationPolicy.FromString(METERING.to_proto().validation_parameter)
    assert written.signature_policy == policy.parse(METERING.endorsement)


def test_collections_are_strict_by_default() -> None:
    written = READINGS.to_proto().static_collection_config
    assert (written.required_peer_count, written.maximum_peer_count) == (1, 3)
    assert written.member_only_read
    assert written.member_only_write
    assert written.block_to_live == 0
    assert not written.HasField("endorsement_policy")


def test_a_collection_may_have_an_endorsement_policy_of_its_own() -> None:
    written = Collection("c", ("DSOMSP",), endorsement="OR('DSOMSP.peer')").to_proto()
    agreed = written.static_collection_config.endorsement_policy.signature_policy
    assert agreed == policy.parse("OR('DSOMSP.peer')")


def test_no_collections_is_no_empty_package() -> None:
    assert not Definition("a", "1", 1, "OR('DSOMSP.peer')").to_proto().HasField("collections")


def test_organizations_are_those_of_every_policy_and_membership() -> None:
    assert METERING.organizations() == {"DSOMSP", "DistrictAMSP", "AggregatorMSP"}


def test_a_malformed_policy_is_refused() -> None:
    with pytest.raises(PolicyError):
        Definition("a", "1", 1, "AND(").to_proto()
