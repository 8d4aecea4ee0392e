# SPDX-License-Identifier: Apache-2.0
"""What the Gateway service answers, above all to what it should refuse."""

from fabric_protos.common.common_pb2 import Envelope
from fabric_protos.gateway.gateway_pb2 import (
    CommitStatusRequest,
    EndorseRequest,
    EvaluateRequest,
    SignedCommitStatusRequest,
    SubmitRequest,
)
from fabric_protos.peer.proposal_pb2 import SignedProposal

from pedchain_fabric.wire.proposal import build_proposal
from tests.parity.target import CHANNEL, Fact, Target, names, proposal, refusal
from tests.parity.transacting import endorse, evaluate, status, submit


async def _evaluate_without_proposal(target: Target) -> Fact:
    return await refusal(target.gateway().Evaluate(EvaluateRequest()))


async def _evaluate_on_no_channel(target: Target) -> Fact:
    return await evaluate(target, target.identity("DSO"), "get", "k", channel="")


async def _evaluate_on_unknown_channel(target: Target) -> Fact:
    return await evaluate(target, target.identity("DSO"), "get", "k", channel="nope")


async def _evaluate_unknown_chaincode(target: Target) -> Fact:
    return await evaluate(target, target.identity("DSO"), "get", "k", chaincode="nope")


async def _evaluate_no_chaincode(target: Target) -> Fact:
    return await evaluate(target, target.identity("DSO"), "get", "k", chaincode="")


async def _evaluate_by_unknown_organization(target: Target) -> Fact:
    return await evaluate(target, target.identity("DSO"), "get", "k", orgs=("NobodyMSP",))


async def _evaluate_transient_stays_home(target: Target) -> Fact:
    who = target.identity("DSO")
    return await evaluate(target, who, "get", "k", chaincode="nope", transient={"v": b"x"})


async def _evaluate_refused_by_chaincode(target: Target) -> Fact:
    return await evaluate(target, target.identity("DSO"), "refuse", "404", "no such thing")


async def _evaluate_failed_in_chaincode(target: Target) -> Fact:
    return await evaluate(target, target.identity("DSO"), "refuse", "500", "broken")


async def _evaluate_protocol_error(target: Target) -> Fact:
    return await evaluate(target, target.identity("DSO"), "protocol-error")


async def _evaluate_by_stranger(target: Target) -> Fact:
    return await evaluate(target, target.stranger(), "get", "k")


async def _evaluate_by_unknown_msp(target: Target) -> Fact:
    return await evaluate(target, target.stranger("NobodyMSP"), "get", "k")


async def _evaluate_by_expired_client(target: Target) -> Fact:
    return await evaluate(target, target.issued("DSO", days=0), "get", "k")


async def _evaluate_too_old(target: Target) -> Fact:
    return await evaluate(target, target.identity("DSO"), "get", "k", seconds=-16 * 60)


async def _evaluate_from_the_future(target: Target) -> Fact:
    return await evaluate(target, target.identity("DSO"), "get", "k", seconds=16 * 60)


async def _evaluate_with_bad_signature(target: Target) -> Fact:
    who = target.identity("DSO")
    _, signed = proposal(who, "probe", "get", "k")
    signed.signature = who.sign(b"something else")
    return await refusal(target.gateway().Evaluate(EvaluateRequest(proposed_transaction=signed)))


async def _evaluate_rich_query(target: Target) -> Fact:
    return await evaluate(target, target.identity("DSO"), "rich", "{}")


async def _evaluate_two_requests_at_once(target: Target) -> Fact:
    made, signed = proposal(target.identity("DSO"), "probe", "twice", "k")
    answer = await target.gateway().Evaluate(
        EvaluateRequest(transaction_id=made.transaction_id, proposed_transaction=signed)
    )
    return answer.result.payload.decode()


async def _evaluate_ready_parameters(target: Target) -> Fact:
    _, signed = proposal(target.identity("DSO"), "probe", "ready")
    answer = await target.gateway().Evaluate(EvaluateRequest(proposed_transaction=signed))
    return answer.result.payload.hex()


async def _evaluate_stream_ended(target: Target) -> Fact:
    """The chaincode hangs up: another peer answers, unless there is none."""
    return await evaluate(
        target, target.identity("DSO"), "hang-up", orgs=("DSOMSP",), chaincode="other"
    )


async def _endorse_without_proposal(target: Target) -> Fact:
    return await refusal(target.gateway().Endorse(EndorseRequest()))


async def _endorse_garbage(target: Target) -> Fact:
    request = EndorseRequest(proposed_transaction=SignedProposal(proposal_bytes=b"\xff"))
    answer = await refusal(target.gateway().Endorse(request))
    return answer["code"]  # the text is the protobuf library's


async def _endorse_unknown_chaincode(target: Target) -> Fact:
    return await endorse(target, target.identity("DSO"), "put", "k", "v", chaincode="nope")


async def _endorse_by_unknown_organization(target: Target) -> Fact:
    return await endorse(target, target.identity("DSO"), "put", "k", "v", orgs=("NobodyMSP",))


async def _endorse_refused_by_chaincode(target: Target) -> Fact:
    return await endorse(target, target.identity("DSO"), "refuse", "400", "not allowed")


async def _endorse_refused_after_a_write(target: Target) -> Fact:
    return await endorse(target, target.identity("DSO"), "refuse-after-write", "500")


async def _endorse_different_results(target: Target) -> Fact:
    answer = await endorse(
        target, target.identity("DSO"), "differ", orgs=("DSOMSP", "DistrictAMSP")
    )
    return answer["code"], answer["message"], [text for _, text in answer["details"]]


async def _endorse_by_stranger(target: Target) -> Fact:
    return await endorse(target, target.stranger(), "put", "k", "v")


async def _endorse_by_expired_client(target: Target) -> Fact:
    return await endorse(target, target.issued("DSO", days=0), "put", "k", "v")


async def _endorse_private_data_of_others(target: Target) -> Fact:
    """DistrictB is no member of `pair`: memberOnlyWrite."""
    return await endorse(
        target, target.identity("DistrictB"), "put-private", "pair", "k", gateway="DistrictB",
        transient={"v": b"secret"},
    )  # fmt: skip


async def _endorse_unknown_collection(target: Target) -> Fact:
    return await endorse(
        target, target.identity("DSO"), "put-private", "nope", "k", transient={"v": b"x"}
    )


async def _endorse_twin_calls_itself(target: Target) -> Fact:
    """Two names backed by one package cannot call each other."""
    return await endorse(target, target.identity("DSO"), "invoke", "twin", "get", "k")


async def _endorse_calls_unknown_chaincode(target: Target) -> Fact:
    return await endorse(target, target.identity("DSO"), "invoke", "nope", "get", "k")


async def _endorse_calls_cscc(target: Target) -> Fact:
    return await endorse(target, target.identity("DSO"), "invoke", "cscc", "GetChannels")


async def _endorse_calls_qscc(target: Target) -> Fact:
    return await endorse(target, target.identity("DSO"), "invoke", "qscc", "GetChainInfo", CHANNEL)


async def _endorse_calls_lscc(target: Target) -> Fact:
    answer = await endorse(target, target.identity("DSO"), "invoke", "lscc", "getchaincodes")
    return answer["code"]  # the text ends with a path of the peer's


async def _endorse_init_nobody_requires(target: Target) -> Fact:
    who = target.identity("DSO")
    made = build_proposal(who.creator, CHANNEL, "probe", [b"put", b"k", b"v"], is_init=True)
    signed = SignedProposal(
        proposal_bytes=made.proposal_bytes, signature=who.sign(made.proposal_bytes)
    )
    return await refusal(
        target.gateway().Endorse(
            EndorseRequest(transaction_id=made.transaction_id, proposed_transaction=signed)
        )
    )


async def _submit_nothing(target: Target) -> Fact:
    return await refusal(target.gateway().Submit(SubmitRequest(channel_id=CHANNEL)))


async def _submit_unsigned(target: Target) -> Fact:
    request = SubmitRequest(channel_id=CHANNEL, prepared_transaction=Envelope(payload=b"something"))
    return await refusal(target.gateway().Submit(request))


async def _submit_garbage(target: Target) -> Fact:
    request = SubmitRequest(
        channel_id=CHANNEL, prepared_transaction=Envelope(payload=b"\xff", signature=b"x")
    )
    answer = await refusal(target.gateway().Submit(request))
    return answer["code"], answer["message"]


async def _submit_a_valid_transaction(target: Target) -> Fact:
    _, code, _ = await submit(target, "put", "valid", "1")
    return code


async def _submit_private_data(target: Target) -> Fact:
    _, code, _ = await submit(target, "put-private", "pair", "k", transient={"v": b"secret"})
    return code


async def _submit_by_stranger(target: Target) -> Fact:
    """The envelope's signature is a stranger's: no orderer takes it."""
    who = target.identity("DSO")
    made, signed = proposal(who, "probe", "put", "stranger", "1")
    answer = await target.gateway().Endorse(
        EndorseRequest(transaction_id=made.transaction_id, proposed_transaction=signed)
    )
    transaction = answer.prepared_transaction
    transaction.signature = target.stranger().sign(transaction.payload)
    request = SubmitRequest(channel_id=CHANNEL, prepared_transaction=transaction)
    answer = await refusal(target.gateway().Submit(request))
    return answer["code"], answer["message"], sorted({text for _, text in answer["details"]})


async def _endorse_again_after_commit(target: Target) -> Fact:
    who = target.identity("DSO")
    made, signed = proposal(who, "probe", "put", "again", "1")
    stub = target.gateway()
    request = EndorseRequest(transaction_id=made.transaction_id, proposed_transaction=signed)
    transaction = (await stub.Endorse(request)).prepared_transaction
    transaction.signature = who.sign(transaction.payload)
    await stub.Submit(
        SubmitRequest(
            transaction_id=made.transaction_id, channel_id=CHANNEL, prepared_transaction=transaction
        )
    )
    await status(target, made.transaction_id)
    return await refusal(stub.Endorse(request))


async def _commit_status(target: Target, **fields: object) -> Fact:
    who = target.identity("DSO")
    wanted = {"transaction_id": "t", "channel_id": CHANNEL, "identity": who.creator} | fields
    request = CommitStatusRequest(**wanted).SerializeToString()  # type: ignore[arg-type]  # by name
    signed = SignedCommitStatusRequest(request=request, signature=who.sign(request))
    return await refusal(target.gateway().CommitStatus(signed))


async def _status_of_nothing(target: Target) -> Fact:
    return await refusal(target.gateway().CommitStatus(SignedCommitStatusRequest()))


async def _status_without_identity(target: Target) -> Fact:
    return await _commit_status(target, identity=b"")


async def _status_without_channel(target: Target) -> Fact:
    return await _commit_status(target, channel_id="")


async def _status_without_transaction(target: Target) -> Fact:
    return await _commit_status(target, transaction_id="")


async def _status_on_unknown_channel(target: Target) -> Fact:
    return await _commit_status(target, channel_id="nope")


async def _status_for_stranger(target: Target) -> Fact:
    return await _commit_status(target, identity=target.stranger().creator)


async def _status_with_bad_signature(target: Target) -> Fact:
    who = target.identity("DSO")
    request = CommitStatusRequest(
        transaction_id="t", channel_id=CHANNEL, identity=who.creator
    ).SerializeToString()
    signed = SignedCommitStatusRequest(request=request, signature=who.sign(b"other"))
    return await refusal(target.gateway().CommitStatus(signed))


PROBES = names(
    [
        _evaluate_without_proposal, _evaluate_on_no_channel, _evaluate_on_unknown_channel,
        _evaluate_unknown_chaincode, _evaluate_no_chaincode, _evaluate_by_unknown_organization,
        _evaluate_transient_stays_home, _evaluate_refused_by_chaincode,
        _evaluate_failed_in_chaincode, _evaluate_protocol_error, _evaluate_by_stranger,
        _evaluate_by_unknown_msp, _evaluate_by_expired_client, _evaluate_too_old,
        _evaluate_from_the_future, _evaluate_with_bad_signature, _evaluate_rich_query,
        _evaluate_two_requests_at_once, _evaluate_ready_parameters, _evaluate_stream_ended,
        _endorse_without_proposal, _endorse_garbage, _endorse_unknown_chaincode,
        _endorse_by_unknown_organization, _endorse_refused_by_chaincode,
        _endorse_refused_after_a_write, _endorse_different_results, _endorse_by_stranger,
        _endorse_by_expired_client, _endorse_private_data_of_others, _endorse_unknown_collection,
        _endorse_twin_calls_itself, _endorse_calls_unknown_chaincode, _endorse_calls_cscc,
        _endorse_calls_qscc, _endorse_calls_lscc, _endorse_init_nobody_requires,
        _submit_nothing, _submit_unsigned, _submit_garbage, _submit_a_valid_transaction,
        _submit_private_data, _submit_by_stranger, _endorse_again_after_commit,
        _status_of_nothing, _status_without_identity, _status_without_channel,
        _status_without_transaction, _status_on_unknown_channel, _status_for_stranger,
        _status_with_bad_signature,
    ]
)  # fmt: skip
