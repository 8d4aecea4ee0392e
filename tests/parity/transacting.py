# SPDX-License-Identifier: Apache-2.0
"""Calls of the Gateway service by raw messages: single ones, and whole transactions."""

import asyncio

import grpc
from fabric_protos.common.common_pb2 import Envelope
from fabric_protos.gateway.gateway_pb2 import (
    CommitStatusRequest,
    EndorseRequest,
    EvaluateRequest,
    SignedCommitStatusRequest,
    SubmitRequest,
)

from pedchain_fabric.wire.identity import SigningIdentity
from tests.parity.target import CHANNEL, Fact, Target, proposal, refusal

_ATTEMPTS = 10


async def evaluate(
    target: Target, who: SigningIdentity, *args: str, chaincode: str = "probe",
    channel: str = CHANNEL, seconds: int = 0, orgs: tuple[str, ...] = (),
    transient: dict[str, bytes] | None = None,
) -> Fact:  # fmt: skip
    made, signed = proposal(
        who, chaincode, *args, channel=channel, seconds=seconds, transient=transient
    )
    request = EvaluateRequest(
        transaction_id=made.transaction_id, channel_id=channel, proposed_transaction=signed,
        target_organizations=orgs,
    )  # fmt: skip
    return await refusal(target.gateway().Evaluate(request))


async def endorse(
    target: Target, who: SigningIdentity, *args: str | bytes, chaincode: str = "probe",
    channel: str = CHANNEL, orgs: tuple[str, ...] = (), gateway: str = "DSO",
    transient: dict[str, bytes] | None = None,
) -> Fact:  # fmt: skip
    made, signed = proposal(who, chaincode, *args, channel=channel, transient=transient)
    request = EndorseRequest(
        transaction_id=made.transaction_id, channel_id=channel, proposed_transaction=signed,
        endorsing_organizations=orgs,
    )  # fmt: skip
    return await refusal(target.gateway(gateway).Endorse(request))


async def submit(
    target: Target, *args: str | bytes, gateway: str = "DSO", chaincode: str = "probe",
    transient: dict[str, bytes] | None = None, user: str = "gateway", orgs: tuple[str, ...] = (),
) -> tuple[str, int, Envelope]:  # fmt: skip
    """A whole transaction: its id, its code, its envelope."""
    who = target.identity(gateway, user)
    stub = target.gateway(gateway)
    for left in reversed(range(_ATTEMPTS)):
        made, signed = proposal(who, chaincode, *args, transient=transient)
        request = EndorseRequest(
            transaction_id=made.transaction_id, channel_id=CHANNEL, proposed_transaction=signed,
            endorsing_organizations=orgs,
        )  # fmt: skip
        try:
            transaction = (await stub.Endorse(request)).prepared_transaction
        except grpc.aio.AioRpcError:
            if not left:
                raise
            await asyncio.sleep(0.2)  # real peers lag behind each other now and then
        else:
            break
    transaction.signature = who.sign(transaction.payload)
    try:
        await stub.Submit(SubmitRequest(channel_id=CHANNEL, prepared_transaction=transaction))
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.UNAVAILABLE:
            raise  # some orderers had ordered it before others were asked
    return made.transaction_id, await status(target, made.transaction_id, gateway), transaction


async def underendorsed(target: Target, chaincode: str, *args: str) -> tuple[str, Envelope]:
    """Id and signed transaction that the DSO's peer alone endorses, not yet submitted."""
    who = target.identity("DSO")
    made, signed = proposal(who, chaincode, *args)
    answer = await target.gateway().Endorse(
        EndorseRequest(
            transaction_id=made.transaction_id, proposed_transaction=signed,
            endorsing_organizations=["DSOMSP"],
        )
    )  # fmt: skip
    transaction = answer.prepared_transaction
    transaction.signature = who.sign(transaction.payload)
    return made.transaction_id, transaction


async def status(target: Target, transaction_id: str, gateway: str = "DSO") -> int:
    """A transaction's validation code, once it has one."""
    who = target.identity(gateway)
    request = CommitStatusRequest(
        transaction_id=transaction_id, channel_id=CHANNEL, identity=who.creator
    ).SerializeToString()
    signed = SignedCommitStatusRequest(request=request, signature=who.sign(request))
    return int((await target.gateway(gateway).CommitStatus(signed)).result)
