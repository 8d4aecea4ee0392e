# SPDX-License-Identifier: Apache-2.0
"""fabric-sdk-py 1.0.0 (hfc), written for Fabric 1.4, with the profile we write for it: what it
can do on our network and on real Fabric, and what it cannot on either."""

import json
import subprocess
import uuid
from typing import Any

import pytest

from tests.interop.environments import FOLDER, Environment
from tests.scenarios.harness import Network

_SECONDS = 100
ORGANIZATIONS = ["Aggregator", "DSO", "DistrictA", "DistrictB"]
MSPS = [f"{each}MSP" for each in ORGANIZATIONS]


@pytest.fixture(scope="package")
def outcomes(network: Network, hfc: Environment) -> dict[str, dict[str, Any]]:
    """What came of each of hfc's steps (hfc/driver.py)."""
    profile = network.state / "profiles" / "hfc" / "DSO.json"
    done = subprocess.run(
        [
            str(hfc.program),
            str(FOLDER / "hfc" / "driver.py"),
            str(profile),
            "ours",
            uuid.uuid4().hex,
        ],
        capture_output=True,
        text=True,
        timeout=_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.mark.interop("hfc-profile")
def test_our_profile_is_loaded_whole(outcomes: dict[str, dict[str, Any]]) -> None:
    assert outcomes["loads"] == {
        "value": {
            "organizations": ORGANIZATIONS,
            "peers": sorted(f"peer0.{each.lower()}.ped" for each in ORGANIZATIONS),
            "orderers": sorted(f"orderer0.{each.lower()}.ped" for each in ORGANIZATIONS),
            "msp": "DSOMSP",
        }
    }


@pytest.mark.interop("hfc-channels")
def test_a_peers_channels_are_listed(outcomes: dict[str, dict[str, Any]]) -> None:
    assert outcomes["channels"] == {"value": ["ped"]}


@pytest.mark.interop("hfc-invoke")
def test_an_invoke_with_two_endorsers_waits_for_its_commit(
    outcomes: dict[str, dict[str, Any]],
) -> None:
    assert outcomes["invoke"] == {"value": "[null]"}


@pytest.mark.interop("hfc-query")
def test_a_query_reads_what_was_invoked(outcomes: dict[str, dict[str, Any]]) -> None:
    assert outcomes["query"] == {"value": '["hfc"]'}


@pytest.mark.interop("hfc-events")
def test_an_invoke_waits_for_the_contracts_event(outcomes: dict[str, dict[str, Any]]) -> None:
    assert outcomes["invoke_and_event"] == {"value": "[null,null]"}


@pytest.mark.interop("hfc-transient")
def test_private_data_is_given_as_transient_data(outcomes: dict[str, dict[str, Any]]) -> None:
    assert outcomes["transient"] == {"value": "[null]"}


@pytest.mark.interop("hfc-refusal-as-answer")
def test_a_contracts_refusal_comes_as_if_it_were_the_answer(
    outcomes: dict[str, dict[str, Any]],
) -> None:
    assert outcomes["refusal"] == {"value": "failed: not today"}


@pytest.mark.interop("hfc-invalid")
def test_an_invalid_transaction_is_an_exception_if_the_event_is_waited_for(
    outcomes: dict[str, dict[str, Any]],
) -> None:
    assert outcomes["too_few"] == {"error": "Exception: ['ENDORSEMENT_POLICY_FAILURE']"}


@pytest.mark.interop("hfc-blocks")
def test_blocks_and_transactions_are_queried(outcomes: dict[str, dict[str, Any]]) -> None:
    assert outcomes["info"]["value"] > 2
    assert outcomes["blocks"] == {
        "value": {
            "number": True,
            "by_transaction": True,
            "by_hash": True,
            "channel": "ped",
            "code": 10,  # ENDORSEMENT_POLICY_FAILURE, of the step before
        }
    }


@pytest.mark.interop("hfc-event-hub")
def test_the_event_hub_gives_blocks_from_the_first_on(
    outcomes: dict[str, dict[str, Any]],
) -> None:
    assert outcomes["listen"] == {"value": [0, 1, 2]}


@pytest.mark.interop("hfc-config")
def test_the_channels_configuration_is_read(outcomes: dict[str, dict[str, Any]]) -> None:
    assert outcomes["config"] == {"value": ORGANIZATIONS}


@pytest.mark.interop("hfc-query-peers")
def test_discovery_tells_the_channels_members(outcomes: dict[str, dict[str, Any]]) -> None:
    assert outcomes["peers"] == {"value": MSPS}


@pytest.mark.interop("hfc-discovery")
def test_a_client_made_by_discovery_knows_every_organisation_and_one_node_per_host(
    outcomes: dict[str, dict[str, Any]],
) -> None:
    found = outcomes["discovery"]["value"]
    assert found["organizations"] == MSPS
    assert found["answer"] == '["again"]'  # through the peer it began with
    # It names nodes by their host alone, and here all have the same.
    assert found["peers"] == ["127.0.0.1", "peer0.dso.ped"]
    assert found["orderers"] == ["127.0.0.1"]


@pytest.mark.interop("hfc-installed")
def test_installed_chaincodes_are_asked_of_what_fabric_no_longer_has(
    outcomes: dict[str, dict[str, Any]],
) -> None:
    assert outcomes["installed"] == {"value": "[]"}  # lscc; the lifecycle of today is not known
