# SPDX-License-Identifier: Apache-2.0
"""Parameters: what is named changes, the rest stays, nonsense is refused before it is signed."""

from pathlib import Path

import pytest

from pedchain_fabric.admin import configupdate
from pedchain_fabric.admin.channel import Consensus
from pedchain_fabric.admin.edit import ordering
from pedchain_fabric.errors import PolicyError
from pedchain_network.change import parameters
from pedchain_network.change.parameters import Parameters
from pedchain_network.change.refusal import Reason
from pedchain_network.errors import ChangeRefusedError
from tests.unit.fabric.admin.channels import config, current, keys


def test_one_number_changes_and_the_others_stay() -> None:
    wanted = Parameters(batch={"messages": 100}).edit(config())
    assert ordering.batch(wanted).messages == 100
    assert ordering.batch(wanted).interval_ms == ordering.batch(config()).interval_ms
    assert ordering.timers(wanted) == ordering.timers(config())


def test_timers_are_those_of_the_channels_consensus() -> None:
    wanted = Parameters(timers={"election_ticks": 20}).edit(config(Consensus.RAFT))
    assert ordering.raft_timers(wanted).election_ticks == 20
    with pytest.raises(ValueError, match="no parameter 'election_ticks'"):
        Parameters(timers={"election_ticks": 20}).edit(config())


def test_timers_no_orderer_would_take_are_refused() -> None:
    with pytest.raises(ValueError, match="forward <= complain"):
        Parameters(timers={"forward_ms": 9_000}).edit(config())


def test_a_policy_that_is_none_is_refused() -> None:
    with pytest.raises(PolicyError):
        Parameters(admins="everybody").edit(config())


def test_anchors_and_endpoints_are_one_organisations() -> None:
    wanted = Parameters(
        anchors={"DistrictA": [("10.0.0.1", 7051)]}, endpoints={"DSO": ["10.0.0.2:7050"]}
    ).edit(config())
    changed = type(current()).from_config("ped", wanted)
    assert changed.application_orgs["DistrictA"].anchor_peers == (("10.0.0.1", 7051),)
    assert changed.orderer_orgs["DSO"].endpoints == ("10.0.0.2:7050",)


def test_an_updates_file_keeps_signatures(tmp_path: Path) -> None:
    update = configupdate.prepare(current(), Parameters(batch={"messages": 7}).edit(config()))
    path = tmp_path / "update.pb"
    path.write_bytes(update.signed_by(keys("DSO").admin).to_bytes())
    found = parameters.read(path)
    assert found.update == update.update
    assert [each.msp_id for each in found.signers()] == ["DSOMSP"]


@pytest.mark.parametrize("content", [b"", b"no update", bytes(2 << 20)])
def test_another_file_is_no_update(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "update.pb"
    path.write_bytes(content)
    with pytest.raises(ChangeRefusedError) as refusal:
        parameters.read(path)
    assert refusal.value.reason == Reason.NO_UPDATE
