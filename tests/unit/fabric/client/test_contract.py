# SPDX-License-Identifier: Apache-2.0
import asyncio

import grpc
import pytest
from fabric_protos.peer.transaction_pb2 import TxValidationCode

from pedchain_fabric.client import Deadlines, Gateway
from pedchain_fabric.errors import (
    CommitError,
    CommitStatusError,
    EndorseError,
    EndorsementMismatch,
    ErrorDetail,
    GatewayError,
    SubmitError,
    WireError,
)
from pedchain_fabric.wire.proposal import build_proposal, parse_signed_proposal
from tests.unit.fabric.client.fakepeer import refusal, serving

Code = grpc.StatusCode


def proposed(request):
    return parse_signed_proposal(request.proposed_transaction)


@pytest.mark.complete("client-evaluate", "client-arguments")
async def test_evaluate_gives_the_answer_and_submits_nothing(peer, network):
    assert await network.contract("cc").evaluate("Get", "é", b"\xff") == b"Get|\xc3\xa9|\xff"
    assert peer.submitted == {}


@pytest.mark.complete("client-submit", "client-steps")
async def test_submit_goes_through_every_step_and_gives_the_answer(peer, network):
    assert await network.contract("cc").submit("Put", "k", "v") == b"Put|k|v"
    assert [type(each).__name__ for each in peer.requests] == [
        "EndorseRequest",
        "SubmitRequest",
        "SignedCommitStatusRequest",
    ]


@pytest.mark.complete("client-contract-name")
async def test_a_named_contracts_functions_carry_its_name(network):
    assert await network.contract("cc", "lab").evaluate("Get") == b"lab:Get"


async def test_the_proposal_names_channel_and_chaincode(peer, network):
    await network.contract("cc").evaluate("Get")
    parts = proposed(peer.requests[0])
    assert (parts.channel_id, parts.chaincode_name) == ("ped", "cc")
    assert peer.requests[0].transaction_id == parts.transaction_id


@pytest.mark.complete("client-transient", "client-endorsing-organizations")
async def test_transient_data_and_organisations_reach_the_endorsers(peer, network):
    contract = network.contract("cc")
    await contract.evaluate("Get", transient={"a": b"1"}, endorsing_organizations=["OrgMSP"])
    await contract.submit("Put", transient={"a": b"1"}, endorsing_organizations=["OrgMSP"])
    evaluated, endorsed = peer.requests[:2]
    assert dict(proposed(evaluated).transient) == {"a": b"1"} == dict(proposed(endorsed).transient)
    assert list(evaluated.target_organizations) == ["OrgMSP"]
    assert list(endorsed.endorsing_organizations) == ["OrgMSP"]


@pytest.mark.complete("client-transient")
async def test_transient_data_is_not_sent_to_organisations_not_trusted_with_it(peer, network):
    contract = network.contract("cc")
    for call in (contract.evaluate, contract.submit, contract.submit_async):
        with pytest.raises(ValueError, match="ElseMSP"):
            await call("Put", transient={"a": b"1"}, endorsing_organizations=["OrgMSP", "ElseMSP"])
    assert peer.requests == []
    await contract.submit("Put", endorsing_organizations=["ElseMSP"])
    await contract.submit("Put", transient={"a": b"1"})


async def test_a_gateway_trusts_whom_it_is_told_to_and_no_other_changes(peer, channel, user):
    gateway = Gateway(user, channel, trusted_organizations=["OrgMSP"])
    named = {"transient": {"a": b"1"}, "endorsing_organizations": ["OrgMSP", "ElseMSP"]}
    trusting = gateway.trusting(["ElseMSP"]).network("ch").contract("cc")
    await trusting.submit("Put", **named)
    with pytest.raises(ValueError, match="ElseMSP"):
        await gateway.network("ch").contract("cc").submit("Put", **named)


@pytest.mark.complete("client-evaluate-error", "client-error-details")
async def test_a_refusal_at_evaluate_tells_what_the_peer_said(peer, network):
    said = ("peer:7051", "OrgMSP", "chaincode response 400, not-found")
    peer.fail["Evaluate"] = refusal(Code.UNKNOWN, "evaluate call failed", said)
    with pytest.raises(GatewayError) as caught:
        await network.contract("cc").evaluate("Get")
    assert caught.value.code == "UNKNOWN"
    assert caught.value.details == (ErrorDetail(*said),)
    assert "not-found" in str(caught.value)


@pytest.mark.complete("client-endorse-error", "client-error-details")
async def test_a_refusal_at_endorse_names_the_transaction_and_each_endorser(peer, network):
    said = [("a:1", "AMSP", "no"), ("b:1", "BMSP", "never")]
    peer.fail["Endorse"] = refusal(Code.ABORTED, "failed", *said)
    with pytest.raises(EndorseError) as caught:
        await network.contract("cc").submit("Put")
    assert not isinstance(caught.value, EndorsementMismatch)
    assert caught.value.transaction_id == peer.requests[0].transaction_id
    assert [each.msp_id for each in caught.value.details] == ["AMSP", "BMSP"]
    assert peer.submitted == {}


@pytest.mark.complete("client-endorse-error")
async def test_endorsers_that_differ_are_an_error_of_their_own(peer, network):
    said = ("b:1", "BMSP", "ProposalResponsePayloads do not match")
    peer.fail["Endorse"] = refusal(Code.ABORTED, "failed to collect", said)
    with pytest.raises(EndorsementMismatch) as caught:
        await network.contract("cc").submit("Put")
    assert [each.msp_id for each in caught.value.details] == ["BMSP"]


async def test_details_that_are_not_fabrics_are_passed_over(peer, network):
    peer.fail["Endorse"] = (Code.ABORTED, "failed", b"\xff garbage")
    with pytest.raises(EndorseError) as caught:
        await network.contract("cc").submit("Put")
    assert caught.value.details == ()


@pytest.mark.complete("client-endorse-error")
async def test_overload_is_told_by_words_because_fabric_has_no_code_for_it(peer, network):
    text = "too many requests for /gateway.Gateway, exceeding concurrency limit (500)"
    peer.fail["Endorse"] = refusal(Code.UNKNOWN, text)
    with pytest.raises(EndorseError) as caught:
        await network.contract("cc").submit("Put")
    assert caught.value.is_overload
    assert not EndorseError("UNKNOWN", "else").is_overload


@pytest.mark.complete("client-submit-error", "client-status", "client-new-commit")
async def test_after_a_submit_error_the_id_is_enough_to_ask_what_became_of_it(peer, network):
    peer.fail["Submit"] = refusal(Code.UNAVAILABLE, "insufficient number of orderers")
    with pytest.raises(SubmitError) as caught:
        await network.contract("cc").submit("Put")
    status = await network.commit(caught.value.transaction_id).status()
    assert status.successful
    assert (status.code, status.block_number) == ("VALID", 7)


async def test_a_refusal_by_orderers_that_have_ordered_it_already_is_no_failure(peer, network):
    said = "received unsuccessful response from orderer: status=SERVICE_UNAVAILABLE, info={}"
    done = said.format("failed to submit request: request already processed")
    down = said.format("no leader")
    peer.fail["Submit"] = refusal(Code.UNAVAILABLE, "insufficient", ("o1:1", "AMSP", done))
    assert await network.contract("cc").submit("Put", "k", "v") == b"Put|k|v"
    peer.fail["Submit"] = refusal(Code.UNAVAILABLE, "insufficient", ("o1:1", "AMSP", down))
    with pytest.raises(SubmitError):
        await network.contract("cc").submit("Put", "k", "v")


@pytest.mark.complete("client-commit-first")
async def test_after_a_submit_error_the_transactions_own_commit_is_signed_already(peer, network):
    peer.fail["Submit"] = refusal(Code.UNAVAILABLE, "insufficient number of orderers")
    transaction = await network.contract("cc").new_proposal("Put").endorse()
    with pytest.raises(SubmitError):
        await transaction.submit()
    assert transaction.commit.is_signed
    assert (await transaction.commit.status()).successful


@pytest.mark.complete("client-commit-error")
async def test_an_invalid_transaction_is_a_commit_error_with_its_code(peer, network):
    peer.code = TxValidationCode.MVCC_READ_CONFLICT
    with pytest.raises(CommitError) as caught:
        await network.contract("cc").submit("Put")
    assert caught.value.code == "MVCC_READ_CONFLICT"
    assert caught.value.transaction_id in peer.submitted


@pytest.mark.complete("client-commit-error")
async def test_a_code_newer_than_we_are_is_no_success(peer, network):
    peer.code = 99
    with pytest.raises(CommitError, match="UNKNOWN_99"):
        await network.contract("cc").submit("Put")


@pytest.mark.complete("client-submit-async", "client-status")
async def test_without_waiting_the_commit_can_be_asked_later(peer, network):
    result, commit = await network.contract("cc").submit_async("Put", "k")
    assert result == b"Put|k"
    assert len(peer.requests) == 2
    assert commit.transaction_id in peer.submitted
    assert (await commit.status()).successful
    assert (await commit.status()).successful


@pytest.mark.complete("client-commit-status-error")
async def test_a_status_that_does_not_come_in_time_is_an_unknown_outcome(network):
    with pytest.raises(CommitStatusError) as caught:
        await network.commit("00" * 32).status(deadline=0.05)
    assert caught.value.code == "DEADLINE_EXCEEDED"
    assert caught.value.transaction_id == "00" * 32


@pytest.mark.complete("client-deadlines")
async def test_default_deadlines_are_the_gateways(user, channel):
    short = Gateway(user, channel, Deadlines(commit_status=0.05)).network("ped")
    with pytest.raises(CommitStatusError):
        await short.commit("00" * 32).status()
    assert Deadlines() == Deadlines(evaluate=5, endorse=15, submit=5, commit_status=60)


@pytest.mark.complete("client-result")
async def test_a_gateway_that_swaps_the_transaction_gets_no_signature(peer, user, network):
    other = build_proposal(user.creator, "ped", "cc", [b"Pay", b"everything"])

    def swap(request):
        request.proposed_transaction.proposal_bytes = other.proposal_bytes
        request.proposed_transaction.signature = user.sign(other.proposal_bytes)

    peer.tamper = swap
    with pytest.raises(WireError, match="another transaction"):
        await network.contract("cc").submit("Put")
    assert peer.submitted == {}


async def test_a_peer_that_is_not_there_is_unavailable(user):
    async with grpc.aio.insecure_channel("127.0.0.1:1") as nowhere:
        contract = Gateway(user, nowhere).network("ped").contract("cc")
        with pytest.raises(GatewayError) as evaluated:
            await contract.evaluate("Get")
        with pytest.raises(EndorseError) as endorsed:
            await contract.submit("Put")
    assert evaluated.value.code == endorsed.value.code == "UNAVAILABLE"


@pytest.mark.complete("client-close")
async def test_a_call_on_a_closed_channel_is_an_error_of_its_step(user, peer):
    async with serving(peer) as address:
        channel = grpc.aio.insecure_channel(address)
        network = Gateway(user, channel).network("ped")
        transaction = await network.contract("cc").new_proposal("Put").endorse()
        await channel.close()
        for kind, call in (
            (GatewayError, network.contract("cc").evaluate("Get")),
            (EndorseError, network.contract("cc").submit("Put")),
            (SubmitError, transaction.submit()),
            (CommitStatusError, transaction.commit.status()),
            (GatewayError, anext(network.chaincode_events("cc"))),
            (GatewayError, anext(network.block_events())),
        ):
            with pytest.raises(kind) as caught:
                await call
            assert caught.value.code == "CANCELLED"


async def test_closing_the_channel_under_a_call_is_no_cancellation_of_the_caller(user, peer):
    async with serving(peer) as address:
        channel = grpc.aio.insecure_channel(address)
        network = Gateway(user, channel).network("ped")
        waiting = asyncio.create_task(network.commit("00" * 32).status())
        listening = asyncio.create_task(anext(network.chaincode_events("cc")))
        await peer.arrived(2)
        await channel.close()
        with pytest.raises(CommitStatusError):
            await waiting
        with pytest.raises(GatewayError):
            await listening


@pytest.mark.complete("client-cancel")
async def test_cancelling_the_caller_is(network, peer):
    waiting = asyncio.create_task(network.commit("00" * 32).status())
    await peer.arrived()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
