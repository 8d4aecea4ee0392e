# SPDX-License-Identifier: Apache-2.0
"""Goal: our config updates are configtxlator's. Method: both compute the same change.

There is no difference: channel id, read set and write set are equal, versions included.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from fabric_protos.common.configtx_pb2 import Config

from pedchain_fabric.admin import configdiff, configupdate
from pedchain_fabric.admin.channel import Consensus
from pedchain_fabric.admin.configupdate import SignedUpdate
from pedchain_fabric.admin.edit import consenters, governance, ordering, organizations
from pedchain_fabric.admin.raft import RaftTimers
from pedchain_fabric.admin.smartbft import Batch
from pedchain_fabric.wire.messages import serialize
from tests.conformance import configtools
from tests.unit.fabric.admin import channels
from tests.unit.fabric.admin.channels import CHANNEL, NEW, current

pytestmark = pytest.mark.native


def add_organization(config: Config) -> Config:
    return organizations.add(config, channels.organization(NEW, orders=False))


def add_ordering_organization(config: Config) -> Config:
    added = organizations.add(config, channels.organization(NEW, port=7900))
    return consenters.add(added, channels.consenter(NEW, 5, 7900))


def remove_organization(config: Config) -> Config:
    left = consenters.remove(config, "127.0.0.1", 7350)
    left = organizations.remove(left, "Aggregator")
    return governance.set_admins(left, "AND('DSOMSP.admin', 'DistrictAMSP.admin')")


def parameters(config: Config) -> Config:
    return ordering.set_batch(config, Batch(interval_ms=20, messages=10))


def raft_parameters(config: Config) -> Config:
    return ordering.set_raft_timers(config, RaftTimers(tick_ms=300))


def membership(config: Config) -> Config:
    described = channels.organization("DSO")
    second = channels.organization("DistrictA").tls_root_certificates
    roots = (*described.tls_root_certificates, *second)
    return organizations.set_membership(config, replace(described, tls_root_certificates=roots))


def anchors(config: Config) -> Config:
    return organizations.set_anchor_peers(config, "DSO", [])


Edit = Callable[[Config], Config]
EDITS: list[tuple[Edit, Consensus]] = [
    (edit, consensus)
    for edit in (add_organization, add_ordering_organization, remove_organization, parameters)
    for consensus in Consensus
]
EDITS += [(membership, Consensus.SMARTBFT), (anchors, Consensus.SMARTBFT)]
EDITS += [(raft_parameters, Consensus.RAFT)]
CASES = [pytest.param(*case, id=f"{case[0].__name__}-{case[1]}") for case in EDITS]


@pytest.mark.parametrize(("edit", "consensus"), CASES)
def test_both_compute_one_update(edit: Edit, consensus: Consensus, tmp_path: Path) -> None:
    now = current(consensus)
    wanted = edit(now.config)
    theirs = configtools.compute_update(CHANNEL, now.config, wanted, tmp_path)
    ours = configdiff.compute(CHANNEL, now.config, wanted)
    assert serialize(ours) == serialize(theirs)


@pytest.mark.parametrize(("edit", "consensus"), CASES)
def test_both_go_on_from_a_changed_configuration(
    edit: Edit, consensus: Consensus, tmp_path: Path
) -> None:
    now = current(consensus).config
    first = SignedUpdate(serialize(configdiff.compute(CHANNEL, now, edit(now))))
    changed = configupdate.result(current(consensus), first)
    ours = configdiff.compute(CHANNEL, changed, now)
    assert serialize(ours) == serialize(configtools.compute_update(CHANNEL, changed, now, tmp_path))


def test_configtxlator_reads_our_configuration(tmp_path: Path) -> None:
    shown = configtools.inspect(current(), tmp_path)
    groups = shown["channel_group"]["groups"]
    assert set(groups["Application"]["groups"]) == set(channels.NAMES)
    consenters_shown = groups["Orderer"]["values"]["Orderers"]["value"]["consenter_mapping"]
    assert [each["id"] for each in consenters_shown] == [1, 2, 3, 4]
    msp = groups["Orderer"]["groups"]["DSO"]["values"]["MSP"]["value"]["config"]
    assert msp["name"] == "DSOMSP"
