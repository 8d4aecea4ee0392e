# SPDX-License-Identifier: Apache-2.0
"""Evaluate and submit: what an application does all day."""

import asyncio

import pytest

from tests.interop.clients.model import Call, RefusedError
from tests.interop.setting import Clients, answers, script


@pytest.mark.interop("evaluate")
async def test_evaluate_answers_and_writes_nothing(
    clients: Clients, chaincode: str, key: str
) -> None:
    client = await clients.of("DSO")
    put = script(chaincode, ["put", key, "1"], ["transaction"])
    assert answers(await client.evaluate(put))[1][1] == "ped"
    assert answers(await client.evaluate(script(chaincode, ["get", key]))) == [None]


@pytest.mark.interop("submit")
async def test_submit_answers_when_what_it_wrote_can_be_read(
    clients: Clients, chaincode: str, key: str
) -> None:
    client = await clients.of("DSO")
    written = await client.submit(script(chaincode, ["put", key, "käse ⚡"], ["get", key]))
    assert answers(written) == [None, None]  # no transaction reads its own writes
    assert answers(await client.evaluate(script(chaincode, ["get", key]))) == ["käse ⚡"]


@pytest.mark.interop("argument-bytes")
async def test_arguments_are_any_bytes(clients: Clients, chaincode: str) -> None:
    client = await clients.of("DSO")
    argument = bytes(range(256))
    answer = await client.evaluate(Call(chaincode, "Echo", (argument,)))
    assert answer.decode() == argument.hex()


@pytest.mark.interop("large-message")
async def test_more_than_grpcs_four_megabytes_pass_both_ways(
    clients: Clients, chaincode: str
) -> None:
    client = await clients.of("DSO")
    argument = bytes(4_300_000)
    answer = await client.evaluate(Call(chaincode, "Echo", (argument,)))
    assert len(answer) == 2 * len(argument)


@pytest.mark.interop("transient")
async def test_transient_data_reaches_the_contract_and_not_the_ledger(
    clients: Clients, chaincode: str, key: str
) -> None:
    client = await clients.of("DSO")
    call = script(chaincode, ["put", key, "1"], ["transient", "secret"], secret="nobody's " + key)
    assert answers(await client.evaluate(call))[1] == "nobody's " + key
    proposal = await client.propose(script(chaincode, ["put", key, "1"], secret="nobody's " + key))
    transaction = await client.endorse(proposal.data)
    assert b"nobody's" in proposal.data
    assert b"nobody's" not in transaction.data


@pytest.mark.interop("submit-async")
async def test_the_answer_can_be_had_before_the_commit_and_the_status_after(
    clients: Clients, chaincode: str, key: str
) -> None:
    client = await clients.of("DSO")
    sent = await client.submit_async(script(chaincode, ["put", key, "1"], ["transaction"]))
    assert answers(sent.result)[1][0] == sent.transaction_id
    outcome = await client.status(sent.data)
    assert (outcome.code, outcome.successful) == ("VALID", True)
    assert outcome.transaction_id == sent.transaction_id
    assert outcome.block_number > 0
    assert await client.status(sent.data) == outcome  # as often as one likes


@pytest.mark.interop("steps")
async def test_a_transaction_can_be_taken_through_its_steps_one_by_one(
    clients: Clients, chaincode: str, key: str
) -> None:
    client = await clients.of("DSO")
    proposal = await client.propose(script(chaincode, ["put", key, "1"], ["transaction"]))
    transaction = await client.endorse(proposal.data)
    commit = await client.order(transaction.data)
    outcome = await client.status(commit.data)
    identifiers = {
        proposal.transaction_id,
        transaction.transaction_id,
        commit.transaction_id,
        outcome.transaction_id,
        answers(transaction.result)[1][0],
    }
    assert len(identifiers) == 1
    assert outcome.successful
    assert answers(await client.evaluate(script(chaincode, ["get", key]))) == ["1"]


@pytest.mark.interop("invalid")
async def test_of_two_transactions_on_what_one_of_them_changed_the_second_is_invalid(
    clients: Clients, chaincode: str, key: str
) -> None:
    client = await clients.of("DSO")
    call = script(chaincode, ["get", key], ["put", key, "1"])
    held = await client.endorse((await client.propose(call)).data)
    await client.submit(script(chaincode, ["put", key, "2"]))
    outcome = await client.status((await client.order(held.data)).data)
    assert (outcome.code, outcome.successful) == ("MVCC_READ_CONFLICT", False)
    assert answers(await client.evaluate(script(chaincode, ["get", key]))) == ["2"]


@pytest.mark.interop("invalid-raised")
async def test_a_submit_that_ends_up_invalid_is_an_error_with_code_and_transaction(
    clients: Clients, chaincode: str, key: str
) -> None:
    client = await clients.of("DSO")
    one_of_two = script(chaincode, ["put", key, "1"], organizations=("DSO",))
    with pytest.raises(RefusedError) as refused:
        await client.submit(one_of_two)
    assert (refused.value.kind, refused.value.code) == ("commit", "ENDORSEMENT_POLICY_FAILURE")
    assert len(refused.value.transaction_id) == 64


@pytest.mark.interop("named-contract")
async def test_a_chaincodes_other_contract_is_called_by_its_name(
    clients: Clients, chaincode: str
) -> None:
    client = await clients.of("DSO")
    assert await client.evaluate(Call(chaincode, "NameOf", contract="second")) == b"second"


@pytest.mark.interop("at-once")
async def test_calls_at_once_each_get_their_own_answer(
    clients: Clients, chaincode: str, key: str
) -> None:
    client = await clients.of("DSO")
    keys = [f"{key}.{number}" for number in range(20)]
    await asyncio.gather(*(client.submit(script(chaincode, ["put", each, each])) for each in keys))
    read = [client.evaluate(script(chaincode, ["get", each])) for each in keys]
    assert [answers(each) for each in await asyncio.gather(*read)] == [[each] for each in keys]


@pytest.mark.interop("many-users")
async def test_the_contract_sees_who_calls(clients: Clients, chaincode: str) -> None:
    seen = set()
    for organization in ("DSO", "DistrictA"):
        for user in ("gateway", "auditor"):
            client = await clients.of(organization, user)
            [[msp_id, name]] = answers(await client.evaluate(script(chaincode, ["caller"])))
            assert msp_id == f"{organization}MSP"
            seen.add(name)
    assert len(seen) == 4
