# SPDX-License-Identifier: Apache-2.0
"""Key-level policies: a key may ask for other endorsers than its chaincode, which asks for one."""

import pytest

from tests.interop.clients.model import RefusedError
from tests.interop.setting import Clients, answers, script
from tests.interop.test_endorsement import endorsers


@pytest.mark.interop("key-policy-set")
async def test_a_keys_policy_is_read_back(clients: Clients, chaincode: str, key: str) -> None:
    client, any_of = await clients.of("DSO"), f"{chaincode}-any"
    policy = ["DistrictAMSP", "DistrictBMSP"]
    await client.submit(script(any_of, ["put", key, "1"], ["set_policy", key, policy]))
    found = await client.evaluate(script(any_of, ["get_policy", key], ["get_policy", key + "x"]))
    assert answers(found) == [policy, None]


@pytest.mark.interop("key-policy-plan")
async def test_the_plan_asks_the_endorsers_of_the_keys_that_are_written(
    clients: Clients, chaincode: str, key: str
) -> None:
    client, any_of = await clients.of("DSO"), f"{chaincode}-any"
    policy = ["DistrictBMSP", "AggregatorMSP"]
    await client.submit(script(any_of, ["put", key, "1"], ["set_policy", key, policy]))
    proposal = await client.propose(script(any_of, ["put", key, "2"]))
    transaction = await client.endorse(proposal.data)
    assert {"Aggregator", "DistrictB"} <= set(endorsers(transaction))
    assert (await client.status((await client.order(transaction.data)).data)).successful
    elsewhere = await client.propose(script(any_of, ["put", key + "x", "2"]))
    assert endorsers(await client.endorse(elsewhere.data)) == ["DSO"]


@pytest.mark.interop("key-policy-unmet")
async def test_a_write_without_the_keys_endorsers_is_invalid(
    clients: Clients, chaincode: str, key: str
) -> None:
    client, any_of = await clients.of("DSO"), f"{chaincode}-any"
    await client.submit(script(any_of, ["put", key, "1"], ["set_policy", key, ["DistrictBMSP"]]))
    with pytest.raises(RefusedError) as refused:
        await client.submit(script(any_of, ["put", key, "2"], organizations=("DSO", "DistrictA")))
    assert (refused.value.kind, refused.value.code) == ("commit", "ENDORSEMENT_POLICY_FAILURE")
    await client.submit(script(any_of, ["put", key, "3"], organizations=("DistrictB",)))
    assert answers(await client.evaluate(script(any_of, ["get", key]))) == ["3"]


@pytest.mark.interop("key-policy-changed")
async def test_a_policy_is_changed_by_its_own_endorsers_only(
    clients: Clients, chaincode: str, key: str
) -> None:
    client, any_of = await clients.of("DSO"), f"{chaincode}-any"
    await client.submit(script(any_of, ["put", key, "1"], ["set_policy", key, ["DistrictBMSP"]]))
    change = ["set_policy", key, ["DSOMSP"]]
    with pytest.raises(RefusedError) as refused:
        await client.submit(script(any_of, change, organizations=("DSO",)))
    assert refused.value.code == "ENDORSEMENT_POLICY_FAILURE"
    await client.submit(script(any_of, change, organizations=("DistrictB",)))
    await client.submit(script(any_of, ["put", key, "2"], organizations=("DSO",)))


@pytest.mark.interop("key-policy-grows")
async def test_an_organisation_is_added_to_and_taken_from_a_keys_policy(
    clients: Clients, chaincode: str, key: str
) -> None:
    client, any_of = await clients.of("DSO"), f"{chaincode}-any"
    await client.submit(script(any_of, ["put", key, "1"], ["set_policy", key, ["DSOMSP"]]))
    await client.submit(script(any_of, ["set_policy", key, ["DSOMSP", "DistrictAMSP"]]))
    both = await client.propose(script(any_of, ["set_policy", key, ["DSOMSP"]]))
    transaction = await client.endorse(both.data)
    assert {"DSO", "DistrictA"} <= set(endorsers(transaction))
    assert (await client.status((await client.order(transaction.data)).data)).successful
    await client.submit(script(any_of, ["put", key, "2"], organizations=("DSO",)))


@pytest.mark.interop("key-policy-cleared")
async def test_without_its_policy_a_key_is_the_chaincodes_again(
    clients: Clients, chaincode: str, key: str
) -> None:
    client, any_of = await clients.of("DSO"), f"{chaincode}-any"
    await client.submit(script(any_of, ["put", key, "1"], ["set_policy", key, ["DistrictBMSP"]]))
    await client.submit(script(any_of, ["delete", key]))
    await client.submit(script(any_of, ["put", key, "2"], organizations=("DistrictA",)))
    found = await client.evaluate(script(any_of, ["get", key], ["get_policy", key]))
    assert answers(found) == ["2", None]
