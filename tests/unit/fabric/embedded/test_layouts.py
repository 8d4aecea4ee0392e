# SPDX-License-Identifier: Apache-2.0
"""A gateway collects endorsements: which peers it asks, and when a layout is complete."""

from dataclasses import dataclass
from typing import cast

import pytest
from fabric_protos.peer.proposal_response_pb2 import Endorsement, ProposalResponse

from pedchain_fabric.embedded.gateway.layouts import Plan, unique
from pedchain_fabric.embedded.peer import Peer


@dataclass(frozen=True)
class FakePeer:
    name: str

    @property
    def msp_id(self) -> str:
        return self.name[0]

    @property
    def address(self) -> str:
        return f"{self.name}:1"


def peers(*names: str) -> list[Peer]:
    return [cast(Peer, FakePeer(name)) for name in names]


def response(peer: Peer, payload: bytes = b"same") -> ProposalResponse:
    endorsement = Endorsement(endorser=peer.name.encode())
    return ProposalResponse(payload=payload, endorsement=endorsement)


def names(chosen: list[Peer]) -> list[str]:
    return [peer.name for peer in chosen]


@pytest.fixture
def plan() -> Plan:
    """Two of three groups, the first with two peers."""
    groups = {"G0": peers("a1", "a2"), "G1": peers("b1"), "G2": peers("c1")}
    return Plan([{"G0": 1, "G1": 1}, {"G0": 1, "G2": 1}, {"G1": 1, "G2": 1}], groups)


def test_the_first_layout_is_asked_first(plan: Plan) -> None:
    assert names(plan.endorsers()) == ["a1", "b1"]


def test_a_layout_is_complete_with_its_last_endorsement(plan: Plan) -> None:
    first, second = plan.endorsers()
    assert plan.accept(first, response(first))
    before = plan.completed
    assert plan.accept(second, response(second))
    assert before is None
    assert plan.completed is not None
    assert [each.endorser for each in plan.completed.endorsements] == [b"a1", b"b1"]


def test_another_peer_of_the_group_replaces_one_that_fails(plan: Plan) -> None:
    first, second = plan.endorsers()
    instead = plan.following(first)
    assert instead is not None
    assert instead.name == "a2"
    assert plan.following(instead) is None
    assert plan.following(second) is None


def test_what_was_endorsed_counts_for_the_next_layout(plan: Plan) -> None:
    first, second = plan.endorsers()
    assert plan.accept(first, response(first))
    plan.abandon([second])
    assert names(plan.endorsers()) == ["c1"]
    [third] = peers("c1")
    assert plan.accept(third, response(third))
    assert plan.completed is not None


def test_without_layout_left_nobody_is_asked(plan: Plan) -> None:
    plan.abandon(plan.endorsers())
    assert plan.endorsers() == []


def test_a_layout_that_needs_more_peers_than_there_are_is_skipped() -> None:
    plan = Plan([{"G0": 2}, {"G1": 1}], {"G0": peers("a1"), "G1": peers("b1")})
    assert names(plan.endorsers()) == ["b1"]


def test_differing_results_are_an_error_of_the_later_peer(plan: Plan) -> None:
    first, second = plan.endorsers()
    assert plan.accept(first, response(first))
    assert not plan.accept(second, response(second, b"other"))
    assert [(each.msp_id, each.message) for each in plan.errors] == [
        ("b", "ProposalResponsePayloads do not match")
    ]
    assert plan.completed is None


def test_an_endorser_signs_a_transaction_once() -> None:
    both = [Endorsement(endorser=b"a"), Endorsement(endorser=b"b"), Endorsement(endorser=b"a")]
    assert unique(both) == both[:2]
