# SPDX-License-Identifier: Apache-2.0
"""The channel's parameters change while it runs, agreed to online or by files sent round."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.growing import NEW, comes, get, put, room, topology
from tests.scenarios.harness import Network


def shown(network: Network) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(network.run("channel show", "--json").stdout)
    return document


@pytest.mark.serial
@pytest.mark.timeout(400)
def test_a_parameter_changes_on_every_node(fresh_network: Network) -> None:
    network = fresh_network
    network.run("up")
    asked = network.run("channel update", "--set", "messages=200", check=False)
    assert asked.returncode == 1
    assert "nothing was done; say --yes" in asked.stderr
    assert shown(network)["sequence"] == 0

    said = network.run("channel update", "--set", "messages=200", "--yes").stdout
    assert "max_message_count 200" in said
    assert "admins: AND('DSOMSP.admin', " in said
    assert "configuration 1 is in force on 8 nodes" in said
    assert shown(network)["sequence"] == 1
    assert topology(network).ordering.batch.messages == 200
    put(network, "DSO", "k", "cut otherwise")
    assert comes(lambda: get(network, "Aggregator", "k"), "cut otherwise")

    again = network.run("channel update", "--set", "messages=200", "--yes", check=False)
    assert "already so" in again.stderr
    wrong = network.run("channel update", "--set", "forward_ms=99999", "--yes", check=False)
    assert "forward <= complain" in wrong.stderr
    assert "fix: " in wrong.stderr


@pytest.mark.serial
@pytest.mark.timeout(400)
def test_an_update_goes_round_as_a_file(fresh_network: Network, tmp_path: Path) -> None:
    network = fresh_network
    network.run("up")
    first, second = tmp_path / "update.pb", tmp_path / "copy.pb"
    rules = "AND('DSOMSP.admin', OR('DistrictAMSP.admin', 'DistrictBMSP.admin'))"
    said = network.run("channel update", "--admins", rules, "--offline", str(first)).stdout
    assert "not signed by AggregatorMSP, DSOMSP, DistrictAMSP, DistrictBMSP" in said
    shutil.copy(first, second)

    told = network.run("channel sign", str(first), "--organization", "DSO", "--yes").stdout
    assert f"-> {rules}" in told
    network.run("channel sign", str(first), "--organization", "DistrictA", "--yes")
    refused = network.run("channel submit", str(first), check=False)
    assert refused.returncode == 1
    assert "not signed by AggregatorMSP, DistrictBMSP" in refused.stderr

    network.run("channel sign", str(second), "--organization", "DistrictB", "--yes")
    network.run("channel submit", str(first), str(second))
    assert topology(network).governance.admins == rules
    stale = network.run("channel submit", str(first), str(second), check=False)
    assert "made from another configuration" in stale.stderr
    assert "fix: make the update again" in stale.stderr


@pytest.mark.serial
@pytest.mark.timeout(400)
def test_a_member_signs_submits_and_reads_with_its_own_keys_alone(
    fresh_network: Network, tmp_path: Path
) -> None:
    """As on a host of its own, which asks no orderer whose administrator is elsewhere."""
    network = fresh_network
    network.run("up")
    own = Network(network.runtime, tmp_path / "own", network.topology)
    network.run("bundle", "--org", "DistrictA", "--out", str(own.state))
    shutil.copy(network.state / "run.json", own.state)
    file = str(tmp_path / "update.pb")
    own.run("channel update", "--set", "messages=200", "--offline", file)
    assert own.run("channel sign", file, "--organization", "DSO", "--yes", check=False).returncode
    told = own.run("channel sign", file, "--organization", "DistrictA", "--yes").stdout
    assert "max_message_count 500 -> max_message_count 200" in told
    for name in ("DSO", "Aggregator"):
        network.run("channel sign", file, "--organization", name, "--yes")
    own.run("channel submit", file)
    for each in (own, network):
        assert shown(each)["batch"]["messages"] == 200


@pytest.mark.serial
@pytest.mark.timeout(400)
def test_too_few_keys_here_name_who_must_sign_and_the_addition_goes_on(
    fresh_network: Network, tmp_path: Path
) -> None:
    """The administrators of two districts keep their keys at home."""
    network = fresh_network
    network.run("up")
    put(network, "DSO", "k", "from before")
    away = [network.state / "crypto" / name / "users" / "admin" for name in ("DistrictA", "DSO")]
    for directory in away:
        shutil.move(directory / "key.pem", tmp_path / f"{directory.parent.parent.name}.pem")
    with room() as base:
        refused = network.run("org add", NEW, "--ports", base, check=False)
        assert refused.returncode == 1
        assert "not signed by DSOMSP, DistrictAMSP" in refused.stderr
        assert "channel sign" in refused.stderr
        for directory in away:
            name = directory.parent.parent.name
            shutil.move(tmp_path / f"{name}.pem", directory / "key.pem")
            path = network.state / "channel" / "update.pb"
            network.run("channel sign", str(path), "--organization", name, "--yes")
        network.run("channel submit", str(path))
        said = network.run("org add", NEW, "--ports", base).stdout
        assert f"the channel has {NEW}, and every node knows, already" in said
        assert get(network, NEW, "k") == "from before"
