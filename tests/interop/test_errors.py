# SPDX-License-Identifier: Apache-2.0
"""What goes wrong is told: by whom, about which transaction, and in whose words."""

import asyncio

import pytest

from tests.interop.clients.model import Call, RefusedError
from tests.interop.setting import Clients, answers, asked_by, everywhere, script


@pytest.mark.interop("evaluate-refused")
async def test_a_contracts_refusal_of_an_evaluate_is_told_with_the_peer_that_said_so(
    clients: Clients, chaincode: str
) -> None:
    client = await clients.of("DSO")
    with pytest.raises(RefusedError) as refused:
        await client.evaluate(script(chaincode, ["fail", "no öl"]))
    error = refused.value
    assert (error.kind, error.code) == ("gateway", "UNKNOWN")
    [detail] = error.details
    assert detail.msp_id == "DSOMSP"
    assert ":" in detail.address
    assert detail.message.endswith("failed: no öl")


@pytest.mark.interop("endorse-refused")
async def test_a_contracts_refusal_of_a_submit_is_told_with_its_transaction(
    clients: Clients, chaincode: str
) -> None:
    client = await clients.of("DSO")
    with pytest.raises(RefusedError) as refused:
        await client.submit(script(chaincode, ["fail", "not today"]))
    error = refused.value
    assert (error.kind, error.code) == ("endorse", "ABORTED")
    assert len(error.transaction_id) == 64
    assert {each.msp_id for each in error.details} == {"DSOMSP"}
    assert all(each.message.endswith("failed: not today") for each in error.details)


@pytest.mark.interop("each-endorser")
async def test_each_endorsers_own_words_are_told(
    clients: Clients, chaincode: str, key: str
) -> None:
    client = await clients.of("DSO")
    # The two that are no members of the collection hold no value; each says so for itself.
    put = script(chaincode, ["private_put", "pair", key, "text"], text="ours")
    await everywhere(clients, put)
    call = script(
        chaincode,
        ["private_get", "pair", key],
        organizations=("DistrictA", "DistrictB", "Aggregator"),
    )
    with pytest.raises(RefusedError) as refused:
        await client.endorse((await client.propose(call)).data)
    error = refused.value
    assert (error.kind, error.code) == ("endorse", "ABORTED")
    assert {each.msp_id for each in error.details} == {"DistrictBMSP", "AggregatorMSP"}
    assert len({each.address for each in error.details}) == 2


@pytest.mark.interop("unknown-function")
async def test_an_unknown_function_is_refused_by_the_contract(
    clients: Clients, chaincode: str
) -> None:
    client = await clients.of("DSO")
    with pytest.raises(RefusedError) as refused:
        await client.evaluate(Call(chaincode, "Missing"))
    assert refused.value.code == "UNKNOWN"


@pytest.mark.interop("unknown-chaincode")
async def test_an_unknown_chaincode_is_refused_by_the_peer(clients: Clients) -> None:
    client = await clients.of("DSO")
    with pytest.raises(RefusedError) as evaluated:
        await client.evaluate(script("nowhere", ["get", "a"]))
    with pytest.raises(RefusedError) as endorsed:
        await client.submit(script("nowhere", ["get", "a"]))
    assert (evaluated.value.kind, endorsed.value.kind) == ("gateway", "endorse")
    assert (evaluated.value.code, endorsed.value.code) == ("FAILED_PRECONDITION",) * 2
    assert "nowhere" in evaluated.value.message
    assert "nowhere" in endorsed.value.message


@pytest.mark.interop("unknown-channel")
async def test_an_unknown_channel_is_refused(clients: Clients) -> None:
    client = await clients.of("DSO")
    with pytest.raises(RefusedError) as refused:
        await client.evaluate(Call("any", "Run", channel="nowhere"))
    assert refused.value.kind == "gateway"
    assert refused.value.code in {"NOT_FOUND", "UNAVAILABLE"}


@pytest.mark.interop("bad-signatures")
async def test_another_keys_signature_is_refused_at_every_step(
    clients: Clients, chaincode: str, key: str
) -> None:
    client, offline = await clients.of("DSO"), await clients.of("DSO", signs=False)

    def wrong(digest: bytes) -> bytes:
        return clients.sign("DSO", digest, "admin")

    proposal = await offline.propose(script(chaincode, ["put", key, "1"]))
    signature = wrong(proposal.digest)
    codes = []
    with pytest.raises(RefusedError) as refused:
        await offline.evaluate_proposal(proposal.data, signature)
    codes.append((refused.value.kind, refused.value.code))
    with pytest.raises(RefusedError) as refused:
        await offline.endorse(proposal.data, signature)
    codes.append((refused.value.kind, refused.value.code))
    signed = await offline.endorse(proposal.data, clients.sign("DSO", proposal.digest))
    with pytest.raises(RefusedError) as refused:
        await offline.order(signed.data, wrong(signed.digest))
    codes.append((refused.value.kind, refused.value.code))
    commit = await client.submit_async(script(chaincode, ["put", key, "2"]))
    with pytest.raises(RefusedError) as refused:
        await offline.status(commit.data, wrong(commit.digest))
    codes.append((refused.value.kind, refused.value.code))
    assert codes == [
        ("gateway", "FAILED_PRECONDITION"),
        ("endorse", "ABORTED"),
        ("submit", "UNAVAILABLE"),
        ("commit-status", "PERMISSION_DENIED"),
    ]


@pytest.mark.interop("sent-twice")
async def test_a_proposal_whose_transaction_is_committed_is_not_endorsed_again(
    clients: Clients, chaincode: str, key: str
) -> None:
    client = await clients.of("DSO")
    proposal = await client.propose(script(chaincode, ["put", key, "1"]))
    transaction = await client.endorse(proposal.data)
    await client.status((await client.order(transaction.data)).data)
    with pytest.raises(RefusedError) as refused:
        await client.endorse(proposal.data)
    assert refused.value.code == "ABORTED"
    assert "duplicate transaction found" in " ".join(each.message for each in refused.value.details)
    assert refused.value.transaction_id == proposal.transaction_id


@pytest.mark.interop("deadline")
async def test_a_status_that_does_not_come_in_time_ends_at_the_deadline(
    clients: Clients, chaincode: str, key: str
) -> None:
    client = await clients.of("DSO")
    proposal = await client.propose(script(chaincode, ["put", key, "1"]))
    transaction = await client.endorse(proposal.data)
    commit = asked_by(clients, "DSO", proposal.transaction_id)
    with pytest.raises(RefusedError) as refused:
        await client.status(commit, deadline=0.3)
    assert refused.value.kind == "commit-status"
    # The peer's timer may be first; the Node client does not tell that apart from a cancelled call.
    late = {"DEADLINE_EXCEEDED"} | ({"CANCELLED"} if clients.kind == "node" else set())
    assert refused.value.code in late
    waiting = asyncio.create_task(client.status(commit))
    await client.order(transaction.data)
    assert (await waiting).successful  # asked before it was sent, answered when it was committed


@pytest.mark.interop("no-key")
async def test_without_a_key_nothing_is_sent(clients: Clients, chaincode: str, key: str) -> None:
    offline = await clients.of("DSO", signs=False)
    with pytest.raises(RefusedError) as refused:
        await offline.submit(script(chaincode, ["put", key, "1"]))
    assert refused.value.kind == "client"
    client = await clients.of("DSO")
    assert answers(await client.evaluate(script(chaincode, ["get", key]))) == [None]
