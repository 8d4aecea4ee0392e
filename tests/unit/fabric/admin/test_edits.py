# SPDX-License-Identifier: Apache-2.0
"""Goal: each edit changes what it says and nothing else. Method: the changed configuration is read
as Fabric reads it, and compared with the one before."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from fabric_protos.common.configtx_pb2 import Config
from fabric_protos.orderer.configuration_pb2 import ConsensusType
from fabric_protos.orderer.smartbft.configuration_pb2 import Options

from pedchain_fabric.admin import configpolicy, summary
from pedchain_fabric.admin.channel import Consensus
from pedchain_fabric.admin.edit import consenters, governance, ordering, organizations
from pedchain_fabric.admin.raft import RaftTimers
from pedchain_fabric.admin.refusal import EditRefused, Reason
from pedchain_fabric.admin.smartbft import Batch, Timers
from pedchain_fabric.errors import PolicyError
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.identity import certificate_pem
from tests.unit.fabric.admin import channels
from tests.unit.fabric.admin.channels import CHANNEL, NAMES, NEW, config, keys

BOTH = pytest.mark.parametrize("consensus", list(Consensus))


def read(changed: Config) -> ChannelConfig:
    return ChannelConfig.from_config(CHANNEL, changed)


def paths(changed: Config, consensus: Consensus = Consensus.SMARTBFT) -> set[str]:
    return {each.path for each in summary.changes(config(consensus), changed)}


def refused(edit: Callable[[], Config]) -> Reason:
    with pytest.raises(EditRefused) as raised:
        edit()
    return raised.value.reason


def test_the_configuration_given_stays_as_it_is() -> None:
    before = config()
    organizations.remove(consenters.remove(before, "127.0.0.1", 7350), "Aggregator")
    assert before == config()


# Organisations


def test_a_peer_only_organisation_stands_in_the_application_group_alone() -> None:
    added = read(organizations.add(config(), channels.organization(NEW, orders=False)))
    assert set(added.application_orgs) == {*NAMES, NEW}
    assert set(added.orderer_orgs) == set(NAMES)


def test_an_organisation_that_orders_stands_in_both() -> None:
    added = read(organizations.add(config(), channels.organization(NEW, port=7900)))
    assert set(added.orderer_orgs) == {*NAMES, NEW}
    assert added.orderer_orgs[NEW].endpoints == ("127.0.0.1:7950",)


def test_an_organisation_is_added_once() -> None:
    again = channels.organization("DSO")
    assert refused(lambda: organizations.add(config(), again)) is Reason.DUPLICATE


@BOTH
def test_an_organisation_leaves_both_groups(consensus: Consensus) -> None:
    left = consenters.remove(config(consensus), "127.0.0.1", 7350)
    left = organizations.remove(left, "Aggregator")
    assert "Aggregator" not in {*read(left).application_orgs, *read(left).orderer_orgs}


@BOTH
def test_an_organisation_does_not_leave_its_consenters_behind(consensus: Consensus) -> None:
    edit = lambda: organizations.remove(config(consensus), "Aggregator")  # noqa: E731 - one call
    assert refused(edit) is Reason.OWNS_CONSENTERS
    ordering_only = lambda: organizations.leave_ordering(config(consensus), "Aggregator")  # noqa: E731
    assert refused(ordering_only) is Reason.OWNS_CONSENTERS


def test_ordering_is_taken_up_and_given_up_beside_peers() -> None:
    added = organizations.add(config(), channels.organization(NEW, orders=False))
    ordering_too = organizations.join_ordering(added, channels.organization(NEW))
    assert NEW in read(ordering_too).orderer_orgs
    assert organizations.leave_ordering(ordering_too, NEW) == added
    assert refused(lambda: organizations.leave_ordering(added, NEW)) is Reason.NOT_ORDERING
    again = channels.organization(NEW)
    assert refused(lambda: organizations.join_ordering(ordering_too, again)) is Reason.DUPLICATE


@pytest.mark.parametrize(
    "edit",
    [
        lambda: organizations.remove(config(), "Nobody"),
        lambda: organizations.set_anchor_peers(config(), "Nobody", []),
        lambda: organizations.revoke(config(), "Nobody", []),
        lambda: organizations.set_membership(config(), channels.organization("Nobody")),
        lambda: organizations.join_ordering(config(), channels.organization("Nobody")),
    ],
)
def test_an_organisation_that_is_not_there_is_unknown(edit: Callable[[], Config]) -> None:
    assert refused(edit) is Reason.UNKNOWN_ORGANIZATION


def test_a_new_ca_stands_in_both_groups_at_once() -> None:
    described = channels.organization("DSO")
    second = certificate_pem(keys("Second").authority)
    roots = (*described.root_certificates, second)
    changed = organizations.set_membership(config(), replace(described, root_certificates=roots))
    assert paths(changed) == {"/Channel/Application/DSO/MSP", "/Channel/Orderer/DSO/MSP"}
    assert read(changed).msps["DSOMSP"]


def test_an_msp_id_is_for_ever() -> None:
    other = replace(channels.organization("DSO"), msp_id="OtherMSP")
    assert refused(lambda: organizations.set_membership(config(), other)) is Reason.BAD_VALUE


def test_anchor_peers_are_set_and_taken_away() -> None:
    anchors = (("127.0.0.1", 1), ("127.0.0.1", 2))
    changed = organizations.set_anchor_peers(config(), "DSO", anchors)
    assert read(changed).application_orgs["DSO"].anchor_peers == anchors
    assert (
        read(organizations.set_anchor_peers(changed, "DSO", []))
        .application_orgs["DSO"]
        .anchor_peers
        == ()
    )
    twice = [anchors[0], anchors[0]]
    assert refused(lambda: organizations.set_anchor_peers(config(), "DSO", twice)) is (
        Reason.DUPLICATE
    )


def test_an_orderer_may_have_several_endpoints_but_not_none() -> None:
    changed = organizations.set_endpoints(config(), "DSO", ["a:1", "b:2"])
    assert read(changed).orderer_orgs["DSO"].endpoints == ("a:1", "b:2")
    assert paths(changed) == {"/Channel/Orderer/DSO/Endpoints"}
    assert refused(lambda: organizations.set_endpoints(config(), "DSO", [])) is Reason.BAD_VALUE
    twice = ["a:1", "a:1"]
    assert refused(lambda: organizations.set_endpoints(config(), "DSO", twice)) is Reason.DUPLICATE


# Consenters


def test_block_validation_follows_the_consenters_in_their_order() -> None:
    added = organizations.add(config(), channels.organization(NEW, port=7900))
    added = consenters.add(added, channels.consenter(NEW, consenters.next_id(added), 7900))
    orderer = added.channel_group.groups["Orderer"]
    wanted = configpolicy.block_validation(read(added).consenters)
    assert orderer.policies["BlockValidation"].policy == wanted.policy
    assert [each.id for each in consenters.of(added)] == [1, 2, 3, 4, 5]
    fewer = consenters.remove(added, "127.0.0.1", 7050)
    assert [each.id for each in consenters.of(fewer)] == [2, 3, 4, 5]
    assert consenters.next_id(fewer) == 6


@BOTH
def test_a_consenter_added_and_removed_leaves_everything_as_it_was(consensus: Consensus) -> None:
    added = consenters.add(config(consensus), channels.consenter("DSO", 5, 7900))
    assert len(consenters.of(added)) == 5
    assert consenters.remove(added, "127.0.0.1", 7950) == config(consensus)


@BOTH
def test_a_consenter_is_replaced_in_its_place_and_keeps_its_number(consensus: Consensus) -> None:
    new = channels.consenter("Fresh", 99, 7900)
    changed = consenters.replace(config(consensus), "127.0.0.1", 7150, new)
    before, after = consenters.of(config(consensus)), consenters.of(changed)
    assert (after[1].id, after[1].port) == (before[1].id, 7950)
    assert after[1].tls_certificate == new.tls_certificate
    assert [after[index] for index in (0, 2, 3)] == [before[index] for index in (0, 2, 3)]


@BOTH
def test_consenters_are_known_by_their_address(consensus: Consensus) -> None:
    again = channels.consenter("DSO", 5, 7000)
    assert refused(lambda: consenters.add(config(consensus), again)) is Reason.DUPLICATE
    gone = lambda: consenters.remove(config(consensus), "127.0.0.1", 1)  # noqa: E731 - one call
    assert refused(gone) is Reason.UNKNOWN_CONSENTER


# Governance


def test_admins_are_set_for_the_channel_and_both_halves() -> None:
    changed = governance.set_admins(config(), "OR('DSOMSP.admin')")
    groups = ("/Channel", "/Channel/Application", "/Channel/Orderer")
    assert paths(changed) == {f"{group}/Admins" for group in groups}


def test_lifecycle_endorsement_is_set_alone() -> None:
    changed = governance.set_lifecycle_endorsement(config(), "OR('DSOMSP.peer')")
    assert paths(changed) == {governance.LIFECYCLE}


def test_a_malformed_policy_text_is_refused() -> None:
    with pytest.raises(PolicyError):
        governance.set_admins(config(), "AND('DSOMSP.admin'")


def test_block_validation_is_not_set_by_hand() -> None:
    rule = configpolicy.signature("OR('DSOMSP.orderer')")
    path = "/Channel/Orderer/BlockValidation"
    assert refused(lambda: governance.set_policy(config(), path, rule)) is Reason.BLOCK_VALIDATION


@pytest.mark.parametrize("group", ["/Channel/Nowhere", "/Other"])
def test_a_policy_needs_a_group_that_is_there(group: str) -> None:
    rule = configpolicy.signature("OR('DSOMSP.admin')")
    edit = lambda: governance.set_policy(config(), f"{group}/Readers", rule)  # noqa: E731 - one call
    assert refused(edit) is Reason.BAD_VALUE


def test_a_capability_replaces_the_one_before() -> None:
    changed = governance.set_capability(config(), "/Channel/Application", "V2_0")
    assert read(changed).application_capabilities == {"V2_0"}


# Ordering


@BOTH
def test_a_batch_is_read_as_it_was_written(consensus: Consensus) -> None:
    wanted = Batch(interval_ms=1_500, messages=7, preferred_bytes=1_000, absolute_bytes=2_000)
    changed = ordering.set_batch(config(consensus), wanted)
    assert ordering.batch(changed) == wanted
    assert ordering.batch(config(consensus)) == Batch()


def test_smartbft_repeats_the_batch_and_keeps_its_other_options() -> None:
    def options(of: Config) -> Options:
        value = of.channel_group.groups["Orderer"].values["ConsensusType"].value
        return Options.FromString(ConsensusType.FromString(value).metadata)

    changed = ordering.set_timers(
        ordering.set_batch(config(), Batch(messages=7)), Timers(heartbeat_ms=9_000)
    )
    wanted = options(config())
    wanted.request_batch_max_count = 7
    wanted.leader_heartbeat_timeout = "9s"
    assert options(changed) == wanted
    assert ordering.timers(changed) == Timers(heartbeat_ms=9_000)


def test_raft_timers_leave_the_consenters() -> None:
    wanted = RaftTimers(tick_ms=250, election_ticks=20)
    changed = ordering.set_raft_timers(config(Consensus.RAFT), wanted)
    assert ordering.raft_timers(changed) == wanted
    assert consenters.of(changed) == consenters.of(config(Consensus.RAFT))


def test_timers_of_the_other_consensus_are_refused() -> None:
    raft = config(Consensus.RAFT)
    assert refused(lambda: ordering.set_timers(raft, Timers())) is Reason.BAD_VALUE
    assert refused(lambda: ordering.set_raft_timers(config(), RaftTimers())) is Reason.BAD_VALUE


@pytest.mark.parametrize("wrong", [{"tick_ms": 0}, {"election_ticks": 1}, {"inflight_blocks": 0}])
def test_timers_raft_would_refuse_are_refused_here(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must"):
        RaftTimers(**wrong)
