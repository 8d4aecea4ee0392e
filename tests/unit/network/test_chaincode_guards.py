# SPDX-License-Identifier: Apache-2.0
"""What can never become the channel's is refused before anything happens."""

from dataclasses import replace

import pytest
from fabric_protos.peer.lifecycle.lifecycle_pb2 import QueryChaincodeDefinitionResult

from pedchain_fabric.admin.definition import Collection, Definition
from pedchain_fabric.admin.readiness import Standing
from pedchain_network.change import chaincodeguards
from pedchain_network.change.chaincodeguards import Reason
from pedchain_network.change.chaincodereading import Agreed, read
from pedchain_network.errors import ChangeRefusedError

MEMBERS = {"AMSP", "BMSP", "CMSP"}
NOTES = Definition(
    "notes", "1", 1, "AND('AMSP.peer', 'BMSP.peer')", (Collection("own", ("AMSP", "CMSP")),)
)


def agreed(definition: Definition = NOTES) -> Agreed:
    """As a peer would answer."""
    proto = definition.to_proto()
    answer = QueryChaincodeDefinitionResult(
        sequence=proto.sequence,
        version=proto.version,
        validation_parameter=proto.validation_parameter,
        collections=proto.collections,
        approvals={"AMSP": True, "BMSP": False},
    )
    return read(definition.name, answer)


def refusal(current: Agreed | None, wanted: Definition) -> str:
    with pytest.raises(ChangeRefusedError) as caught:
        chaincodeguards.check(current, wanted, MEMBERS)
    assert caught.value.fix
    return caught.value.reason


def test_an_answer_is_read_back_as_it_was_written() -> None:
    found = agreed()
    assert (found.name, found.version, found.sequence) == ("notes", "1", 1)
    assert found.endorsement == "AND('AMSP.peer', 'BMSP.peer')"
    assert [(each.name, each.members, each.endorsement) for each in found.collections] == [
        ("own", ("AMSP", "CMSP"), "")
    ]
    assert found.approvals == {"AMSP": True, "BMSP": False}


def test_a_first_and_a_next_sequence_are_fine_and_so_is_what_is_agreed() -> None:
    chaincodeguards.check(None, NOTES, MEMBERS)
    chaincodeguards.check(agreed(), NOTES, MEMBERS)
    chaincodeguards.check(agreed(), replace(NOTES, sequence=2, version="2"), MEMBERS)


@pytest.mark.parametrize("sequence", [3, 7])
def test_a_sequence_is_never_skipped(sequence: int) -> None:
    assert refusal(agreed(), replace(NOTES, sequence=sequence)) == Reason.SEQUENCE
    assert refusal(None, replace(NOTES, sequence=sequence)) == Reason.SEQUENCE


def test_an_old_sequence_does_not_come_back() -> None:
    assert refusal(agreed(replace(NOTES, sequence=3)), replace(NOTES, sequence=2)) == (
        Reason.SEQUENCE
    )


def test_a_collection_is_never_removed() -> None:
    assert refusal(agreed(), replace(NOTES, sequence=2, collections=())) == (
        Reason.COLLECTION_REMOVED
    )


def test_how_long_a_collection_keeps_is_never_changed() -> None:
    shorter = Collection("own", ("AMSP", "CMSP"), blocks_to_live=5)
    assert refusal(agreed(), replace(NOTES, sequence=2, collections=(shorter,))) == (
        Reason.BLOCKS_TO_LIVE
    )


def test_a_collection_may_change_members_and_another_may_come() -> None:
    wider = Collection("own", ("AMSP", "BMSP", "CMSP"))
    more = (wider, Collection("more", ("AMSP", "BMSP")))
    chaincodeguards.check(agreed(), replace(NOTES, sequence=2, collections=more), MEMBERS)


def test_who_is_not_on_the_channel_is_not_named() -> None:
    with_stranger = replace(NOTES, endorsement="OR('AMSP.peer', 'XMSP.peer')")
    assert refusal(None, with_stranger) == Reason.UNKNOWN_ORGANIZATION
    hidden = replace(NOTES, collections=(Collection("own", ("AMSP", "XMSP")),))
    assert refusal(None, hidden) == Reason.UNKNOWN_ORGANIZATION


def test_everybody_the_policies_name_is_waited_for_members_of_collections_too() -> None:
    done = Standing(approved=True, installed=True)
    assert chaincodeguards.lacking(NOTES, {"AMSP": done, "BMSP": done, "CMSP": done}) == {}
    assert chaincodeguards.lacking(NOTES, {"AMSP": done, "BMSP": Standing(True, False)}) == {
        "BMSP": "has not installed its package",
        "CMSP": "has not approved it",
    }


def test_a_commit_too_early_names_who_would_stop_and_what_they_run() -> None:
    refused = chaincodeguards.refuse_unready(NOTES, {"CMSP": "has not approved it"})
    assert refused.reason == Reason.NOT_READY
    assert "CMSP has not approved it" in refused.message
    assert "chaincode approve notes" in refused.fix
