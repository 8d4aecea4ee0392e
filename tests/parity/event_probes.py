# SPDX-License-Identifier: Apache-2.0
"""What the Gateway service answers to who asks for a chaincode's events."""

from fabric_protos.common.common_pb2 import Block
from fabric_protos.gateway.gateway_pb2 import (
    ChaincodeEventsRequest,
    SignedChaincodeEventsRequest,
    SubmitRequest,
)
from fabric_protos.orderer.ab_pb2 import SeekOldest, SeekPosition, SeekSpecified

from tests.parity.target import CHANNEL, Fact, Target, collect, names, proposal, refusal
from tests.parity.transacting import status, submit, underendorsed


def _events_request(target: Target, **fields: object) -> SignedChaincodeEventsRequest:
    who = target.identity("DSO")
    wanted = {"channel_id": CHANNEL, "chaincode_id": "probe", "identity": who.creator} | fields
    request = ChaincodeEventsRequest(**wanted).SerializeToString()  # type: ignore[arg-type]  # by name
    return SignedChaincodeEventsRequest(request=request, signature=who.sign(request))


async def _events(target: Target, limit: int = 1, **fields: object) -> Fact:
    stream = target.gateway().ChaincodeEvents(_events_request(target, **fields))
    found: list[list[str]] = []

    async def read() -> None:
        found.extend(
            [f"{each.event_name}={each.payload.decode()}" for each in response.events]
            for response in await collect(stream, limit)
        )

    answer = await refusal(read())
    stream.cancel()
    return found or answer


async def _events_from_oldest(target: Target) -> Fact:
    return await _events(target, start_position=SeekPosition(oldest=SeekOldest()))


async def _events_on_unknown_channel(target: Target) -> Fact:
    return await _events(target, channel_id="nope")


async def _events_for_stranger(target: Target) -> Fact:
    return await _events(target, identity=target.stranger().creator)


async def _events_of_nothing(target: Target) -> Fact:
    stream = target.gateway().ChaincodeEvents(SignedChaincodeEventsRequest())
    return await refusal(collect(stream, 1))


async def _events_of_valid_transactions_only(target: Target) -> Fact:
    """Two good events around one whose transaction is not endorsed enough."""
    first, _, _ = await submit(target, "event", "one", "1")
    spoiled, transaction = await underendorsed(target, "probe", "event", "bad", "2")
    await target.gateway().Submit(
        SubmitRequest(channel_id=CHANNEL, prepared_transaction=transaction)
    )
    code = await status(target, spoiled)
    await submit(target, "event", "three", "3")
    _, asked = proposal(target.identity("DSO"), "qscc", "GetBlockByTxID", CHANNEL, first)
    answer = await target.endorser().ProcessProposal(asked)
    number = Block.FromString(answer.response.payload).header.number
    start = SeekPosition(specified=SeekSpecified(number=number))
    return code, await _events(target, 2, start_position=start)


async def _events_after_a_transaction(target: Target) -> Fact:
    first, _, _ = await submit(target, "event", "first", "1")
    await submit(target, "event", "second", "2")
    return await _events(target, 1, after_transaction_id=first)


PROBES = names(
    [
        _events_from_oldest, _events_on_unknown_channel, _events_for_stranger, _events_of_nothing,
        _events_of_valid_transactions_only, _events_after_a_transaction,
    ]
)  # fmt: skip
