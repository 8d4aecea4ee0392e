# SPDX-License-Identifier: Apache-2.0
"""Goal: who signs can read what changes. Method: one edit of each kind, and its line."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from fabric_protos.common.configtx_pb2 import Config

from pedchain_fabric.admin import summary
from pedchain_fabric.admin.channel import Consensus
from pedchain_fabric.admin.edit import consenters, governance, ordering, organizations
from pedchain_fabric.admin.raft import RaftTimers
from tests.unit.fabric.admin import channels
from tests.unit.fabric.admin.channels import config

Edit = Callable[[Config], Config]


def lines(edit: Edit, consensus: Consensus = Consensus.SMARTBFT) -> list[str]:
    return [str(each) for each in summary.changes(config(consensus), edit(config(consensus)))]


def batch(config: Config) -> Config:
    return ordering.set_batch(config, replace(ordering.batch(config), messages=7))


@pytest.mark.parametrize(
    ("edit", "line"),
    [
        (
            lambda c: organizations.set_anchor_peers(c, "DSO", [("a", 1), ("127.0.0.1", 7051)]),
            "changed value /Channel/Application/DSO/AnchorPeers: nothing -> a:1 (rest as it is) "
            "[needs /Channel/Application/DSO/Admins]",
        ),
        (
            lambda c: organizations.set_anchor_peers(c, "DSO", []),
            "removed value /Channel/Application/DSO/AnchorPeers: 127.0.0.1:7051 "
            "[needs /Channel/Application/DSO/Admins]",
        ),
        (
            lambda c: organizations.set_endpoints(c, "DSO", ["b:2"]),
            "changed value /Channel/Orderer/DSO/Endpoints: 127.0.0.1:7050 -> b:2 "
            "[needs /Channel/Orderer/DSO/Admins]",
        ),
        (
            lambda c: governance.set_capability(c, "/Channel/Application", "V2_0"),
            "changed value /Channel/Application/Capabilities: V2_5 -> V2_0 "
            "[needs /Channel/Application/Admins]",
        ),
        (
            lambda c: governance.set_lifecycle_endorsement(c, "OR('DSOMSP.peer')"),
            "changed policy /Channel/Application/LifecycleEndorsement: "
            "AND('DSOMSP.peer', 'DistrictAMSP.peer') -> OR('DSOMSP.peer') "
            "[needs /Channel/Application/Admins]",
        ),
    ],
)
def test_a_change_is_one_line(edit: Edit, line: str) -> None:
    assert lines(edit) == [line]


def test_of_many_settings_only_the_changed_are_told() -> None:
    told = lines(batch)
    assert told[0].startswith(
        "changed value /Channel/Orderer/BatchSize: max_message_count 500 -> max_message_count 7 "
        "(rest as it is)"
    )
    assert "request_batch_max_count 500 -> request_batch_max_count 7 (rest" in told[1]


def test_consenters_come_and_go_by_name_with_their_quorum() -> None:
    told = lines(lambda c: consenters.remove(c, "127.0.0.1", 7350))
    assert told[0].startswith(
        "changed policy /Channel/Orderer/BlockValidation: 3 of 4 named certificates -> "
        "2 of 3 named certificates"
    )
    assert "/Orderers: 4 AggregatorMSP 127.0.0.1:7350 -> nothing (rest as it is)" in told[1]


def test_raft_tells_its_consenters_and_timers() -> None:
    def edit(config: Config) -> Config:
        changed = ordering.set_raft_timers(config, RaftTimers(tick_ms=250))
        return consenters.remove(changed, "127.0.0.1", 7350)

    (line,) = lines(edit, Consensus.RAFT)
    assert "tick_interval 100ms, consenter 127.0.0.1:7350 -> tick_interval 250ms" in line


def test_an_organisation_is_one_line_with_its_authorities() -> None:
    (line,) = lines(lambda c: organizations.add(c, channels.organization("New", orders=False)))
    assert line.startswith("added group /Channel/Application/New: NewMSP, root CA ")
    (line,) = [
        each
        for each in lines(lambda c: _gone(c))
        if each.startswith("removed group /Channel/Application")
    ]
    assert "AggregatorMSP, root CA " in line
    assert line.endswith("[needs /Channel/Application/Admins]")


def _gone(config: Config) -> Config:
    left = consenters.remove(config, "127.0.0.1", 7350)
    return organizations.remove(left, "Aggregator")


def test_who_may_change_something_is_told_when_it_changes() -> None:
    wanted = config()
    group = wanted.channel_group.groups["Application"]
    group.policies["Readers"].mod_policy = "/Channel/Admins"
    group.mod_policy = "Writers"
    told = [str(each) for each in summary.changes(config(), wanted)]
    assert told == [
        "changed group /Channel/Application: changed by Admins -> changed by Writers "
        "[needs /Channel/Application/Admins]",
        "changed policy /Channel/Application/Readers: ANY Readers (by Admins) -> "
        "ANY Readers (by /Channel/Admins) [needs /Channel/Application/Admins]",
    ]


def test_what_has_no_words_is_told_by_its_digest() -> None:
    wanted = config()
    wanted.channel_group.values["Unheard"].value = b"\x01"
    wanted.channel_group.values["Unheard"].mod_policy = "Admins"
    wanted.channel_group.values["Capabilities"].value = b"\xff"
    told = [str(each) for each in summary.changes(config(), wanted)]
    assert "V3_0 -> bytes with SHA-256" in told[0]
    assert told[1].startswith("added value /Channel/Unheard: bytes with SHA-256 4bf5122f")
