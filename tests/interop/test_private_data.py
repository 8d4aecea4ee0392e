# SPDX-License-Identifier: Apache-2.0
"""Private data: given as transient data, kept by members, proven to everybody by its hash.

`pair` belongs to DSO and DistrictA, who both must endorse what is written to it; `shared` belongs
to everybody.
"""

import hashlib

import pytest

from tests.interop.clients.model import RefusedError
from tests.interop.setting import Clients, answers, everywhere, script
from tests.interop.test_endorsement import endorsers


@pytest.mark.interop("private-members")
async def test_members_read_what_one_of_them_wrote(
    clients: Clients, chaincode: str, key: str
) -> None:
    dso, district = await clients.of("DSO"), await clients.of("DistrictA")
    put = script(chaincode, ["private_put", "pair", key, "text"], text="between us")
    await everywhere(clients, put)
    assert answers(await dso.evaluate(script(chaincode, ["private_get", "pair", key]))) == [
        "between us"
    ]
    read = script(chaincode, ["private_get", "pair", key], organizations=("DistrictA",))
    assert answers(await district.evaluate(read)) == ["between us"]


@pytest.mark.interop("private-plan")
async def test_the_plan_asks_a_collections_own_endorsers(
    clients: Clients, chaincode: str, key: str
) -> None:
    for organization in ("DSO", "DistrictA"):
        client = await clients.of(organization)
        proposal = await client.propose(script(chaincode, ["private_delete", "pair", key]))
        transaction = await client.endorse(proposal.data)
        assert endorsers(transaction) == ["DSO", "DistrictA"]
        outcome = await client.status((await client.order(transaction.data)).data)
        assert outcome.successful


@pytest.mark.interop("private-others")
async def test_who_is_no_member_may_not_touch_the_collection(
    clients: Clients, chaincode: str, key: str
) -> None:
    client = await clients.of("Aggregator")
    with pytest.raises(RefusedError) as refused:
        await client.submit(script(chaincode, ["private_delete", "pair", key]))
    assert (refused.value.kind, refused.value.code) == ("endorse", "ABORTED")
    assert "does not have write access permission" in refused.value.details[0].message


@pytest.mark.interop("private-policy-unmet")
async def test_a_collections_policy_that_is_not_met_makes_an_invalid_transaction(
    clients: Clients, chaincode: str, key: str
) -> None:
    client = await clients.of("DSO")
    call = script(
        chaincode,
        ["private_put", "pair", key, "text"],
        organizations=("DSO", "DistrictB"),
        text="not so",
    )
    with pytest.raises(RefusedError) as refused:
        await client.submit(call)
    assert refused.value.kind in {"commit", "endorse"}
    if refused.value.kind == "commit":
        assert refused.value.code == "ENDORSEMENT_POLICY_FAILURE"
    assert answers(await client.evaluate(script(chaincode, ["private_get", "pair", key]))) == [None]


@pytest.mark.interop("private-hash")
async def test_everybody_can_check_the_hash(clients: Clients, chaincode: str, key: str) -> None:
    other = await clients.of("DistrictB")
    put = script(chaincode, ["private_put", "pair", key, "text"], text="proof")
    await everywhere(clients, put)
    read = script(chaincode, ["private_hash", "pair", key], organizations=("DistrictB",))
    assert answers(await other.evaluate(read)) == [hashlib.sha256(b"proof").hexdigest()]


@pytest.mark.interop("private-not-public")
async def test_the_ledger_holds_no_private_value(
    clients: Clients, chaincode: str, key: str
) -> None:
    client = await clients.of("DSO")
    call = script(chaincode, ["private_put", "pair", key, "text"], text="never seen " + key)
    transaction = await client.endorse((await client.propose(call)).data)
    assert ("never seen " + key).encode() not in transaction.data
    outcome = await client.status((await client.order(transaction.data)).data)
    assert outcome.successful


@pytest.mark.interop("private-delete")
async def test_a_deleted_value_is_gone(clients: Clients, chaincode: str, key: str) -> None:
    client = await clients.of("DSO")
    await client.submit(script(chaincode, ["private_put", "pair", key, "text"], text="x"))
    await client.submit(script(chaincode, ["private_delete", "pair", key]))
    read = script(chaincode, ["private_get", "pair", key], ["private_hash", "pair", key])
    assert answers(await client.evaluate(read)) == [None, None]


@pytest.mark.interop("private-purge")
async def test_a_purged_value_is_gone(clients: Clients, chaincode: str, key: str) -> None:
    client = await clients.of("DSO")
    await client.submit(script(chaincode, ["private_put", "pair", key, "text"], text="x"))
    await client.submit(script(chaincode, ["private_purge", "pair", key]))
    read = script(chaincode, ["private_get", "pair", key], ["private_hash", "pair", key])
    assert answers(await client.evaluate(read)) == [None, None]


@pytest.mark.interop("private-range")
async def test_a_range_of_private_keys_is_read_in_order(
    clients: Clients, chaincode: str, key: str
) -> None:
    client = await clients.of("DSO")
    steps = [["private_put", "shared", f"{key}.{each}", "text"] for each in (3, 1, 2)]
    await client.submit(script(chaincode, *steps, text="x"))
    found = await client.evaluate(script(chaincode, ["private_range", "shared", key, f"{key}~"]))
    assert answers(found) == [[[f"{key}.{each}", "x"] for each in (1, 2, 3)]]


@pytest.mark.interop("private-implicit")
async def test_an_organisation_alone_writes_its_implicit_collection(
    clients: Clients, chaincode: str, key: str
) -> None:
    client = await clients.of("DistrictB")
    own = "_implicit_org_DistrictBMSP"
    call = script(
        chaincode,
        ["private_put", own, key, "text"],
        organizations=("DistrictB",),
        text="mine",
    )
    await client.submit(call)
    assert answers(await client.evaluate(script(chaincode, ["private_get", own, key]))) == ["mine"]


@pytest.mark.interop("private-key-policy")
async def test_a_private_key_can_have_a_policy_of_its_own(
    clients: Clients, chaincode: str, key: str
) -> None:
    client = await clients.of("DSO")
    put = ["private_put", "shared", key, "text"]
    policy = ["private_set_policy", "shared", key, ["DistrictBMSP"]]
    await client.submit(script(chaincode, put, policy, text="1"))
    without = script(chaincode, put, organizations=("DSO", "DistrictA"), text="2")
    with pytest.raises(RefusedError) as refused:
        await client.submit(without)
    assert refused.value.code == "ENDORSEMENT_POLICY_FAILURE"
    await client.submit(script(chaincode, put, organizations=("DistrictB",), text="3"))
