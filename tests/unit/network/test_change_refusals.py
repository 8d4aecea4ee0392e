# SPDX-License-Identifier: Apache-2.0
"""Goal: what cannot be is refused with its reason and remedy before anything happens.
Method: the pure part of every command, on the reference consortium."""

from dataclasses import replace

import pytest

from pedchain_fabric.admin.channel import Consensus
from pedchain_network.change import orderers, organizations, peers
from pedchain_network.change.organizations import Rules, extended, reduced
from pedchain_network.change.refusal import Reason
from pedchain_network.errors import ChangeRefusedError, TopologyError
from pedchain_network.topology import reader, writer
from pedchain_network.topology.model import Organization, Ports, Topology

REFERENCE = reader.load(reader.reference())
NEW = Organization("DistrictC", Ports(7450), orderer=False)


def refusal_of(organization: Organization) -> ChangeRefusedError:
    with pytest.raises(ChangeRefusedError) as refusal:
        extended(REFERENCE, organization, Rules())
    assert refusal.value.fix
    return refusal.value


def grown(*, orderer: bool) -> Topology:
    return extended(REFERENCE, replace(NEW, orderer=orderer), Rules())


def test_a_new_member_changes_nothing_but_members_and_governance() -> None:
    wider = grown(orderer=False)
    assert wider.organizations == (*REFERENCE.organizations, NEW)
    assert replace(
        wider, organizations=REFERENCE.organizations, governance=REFERENCE.governance
    ) == reader.parse(writer.text(REFERENCE), "same")
    assert "DistrictCMSP.admin" in wider.governance.admins
    assert "DistrictCMSP.peer" in wider.governance.lifecycle
    assert len(wider.orderers()) == 4
    assert len(grown(orderer=True).orderers()) == 5


@pytest.mark.parametrize("name", ["DistrictA", "districta"])
def test_a_member_is_not_added_twice(name: str) -> None:
    refusal = refusal_of(replace(NEW, name=name))
    assert refusal.reason == Reason.DUPLICATE_ORGANIZATION
    assert "DistrictA is a member already" in str(refusal)


@pytest.mark.parametrize("base", [7350, 7351, 7449, 6951])
def test_ports_are_nobody_elses_and_free_ones_are_named(base: int) -> None:
    refusal = refusal_of(replace(NEW, ports=Ports(base)))
    assert refusal.reason == Reason.PORTS_OVERLAP
    assert "--ports 7450" in refusal.fix


@pytest.mark.parametrize(
    ("organization", "rules", "words"),
    [
        (replace(NEW, name="District_C"), Rules(), "no name we can use"),
        (replace(NEW, ports=Ports(80)), Rules(), "out of range"),
        (NEW, Rules(admins="AND('XMSP.admin')"), "'XMSP' is no MSP here"),
        (NEW, Rules(lifecycle="AND('DSOMSP.admin')"), "must act as peer here"),
        (NEW, Rules(admins="everybody"), "admins"),
    ],
)
def test_what_a_topology_may_not_say_no_command_may(
    organization: Organization, rules: Rules, words: str
) -> None:
    with pytest.raises(TopologyError, match=words):
        extended(REFERENCE, organization, rules)


def test_a_member_that_left_leaves_everything_as_it_was() -> None:
    wider = grown(orderer=False)
    narrower = reduced(wider, NEW, Rules())
    assert narrower.organizations == REFERENCE.organizations
    assert narrower.governance == REFERENCE.governance


def test_what_holds_without_the_dso_is_for_people_to_say() -> None:
    dso = REFERENCE.by_name("DSO")
    with pytest.raises(ChangeRefusedError, match="--admins POLICY") as refusal:
        reduced(REFERENCE, dso, Rules())
    assert refusal.value.reason == Reason.NOT_WORDED
    others = "OutOf(2, 'DistrictAMSP.{0}', 'DistrictBMSP.{0}', 'AggregatorMSP.{0}')"
    rules = Rules(others.format("admin"), others.format("peer"))
    assert reduced(REFERENCE, dso, rules).governance.admins == rules.admins


def test_the_last_member_stays() -> None:
    alone = replace(REFERENCE, organizations=REFERENCE.organizations[:1])
    with pytest.raises(ChangeRefusedError) as refusal:
        reduced(alone, alone.organizations[0], Rules("AND('DSOMSP.admin')", "AND('DSOMSP.peer')"))
    assert refusal.value.reason == Reason.LAST_ORGANIZATION


@pytest.mark.parametrize("name", ["DSO", "DistrictB"])
def test_four_orderers_are_the_fewest_that_tolerate_a_traitor(name: str) -> None:
    wanted = orderers.ordering(REFERENCE, REFERENCE.by_name(name), False)
    with pytest.raises(ChangeRefusedError, match="too few for 1 to fail") as refusal:
        orderers.require_enough(REFERENCE, wanted)
    assert refusal.value.reason == Reason.TOO_FEW_ORDERERS


def test_of_five_one_may_go() -> None:
    five = grown(orderer=True)
    wanted = orderers.ordering(five, five.by_name("DistrictB"), False)
    orderers.require_enough(five, wanted)
    assert [each.organization for each in wanted.orderers()] == [
        "DSO",
        "DistrictA",
        "Aggregator",
        "DistrictC",
    ]


def test_raft_counts_otherwise() -> None:
    raft = replace(REFERENCE, ordering=replace(REFERENCE.ordering, consensus=Consensus.RAFT))
    orderers.require_enough(raft, orderers.ordering(raft, raft.by_name("DSO"), False))


def test_a_second_peer_is_its_members_only() -> None:
    wider = peers.counting(REFERENCE, REFERENCE.by_name("DSO"), 2)
    assert [each.name for each in wider.peers()][:2] == ["peer0.dso.ped", "peer1.dso.ped"]
    assert len(wider.peers()) == 5


def test_free_ports_come_after_everybodys() -> None:
    assert organizations.free_ports(REFERENCE) == 7450
