# SPDX-License-Identifier: Apache-2.0
"""Broken messages to every service of peers and orderers: an answer or an error, never an end."""

import asyncio
import random
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from dataclasses import dataclass

import grpc.aio
import pytest
from fabric_protos.discovery.protocol_pb2 import SignedRequest
from fabric_protos.gateway.gateway_pb2 import (
    ChaincodeEventsRequest,
    CommitStatusRequest,
    EndorseRequest,
    EvaluateRequest,
    SignedChaincodeEventsRequest,
    SignedCommitStatusRequest,
    SubmitRequest,
)
from fabric_protos.orderer.ab_pb2 import SeekInfo
from google.protobuf.message import Message

from pedchain_fabric.client import profile
from tests.parity.target import CHANNEL, Target, envelope, proposal
from tests.scenarios.harness import Network

MUTATIONS = 24
ANSWER_S = 3.0
_DELIVER_SEEK_INFO = 5
_ENDORSER_TRANSACTION = 3
PEER = (
    "gateway.Gateway/Evaluate",
    "gateway.Gateway/Endorse",
    "gateway.Gateway/Submit",
    "gateway.Gateway/CommitStatus",
    "gateway.Gateway/ChaincodeEvents",
    "protos.Endorser/ProcessProposal",
    "protos.Deliver/Deliver",
    "protos.Deliver/DeliverFiltered",
    "protos.Deliver/DeliverWithPrivateData",
    "discovery.Discovery/Discover",
)
ORDERER = ("orderer.AtomicBroadcast/Broadcast", "orderer.AtomicBroadcast/Deliver")
_STREAMS = ("protos.Deliver/", "orderer.AtomicBroadcast/", "gateway.Gateway/ChaincodeEvents")


def valid(target: Target, method: str) -> Message:
    """A message the service would take."""
    who = target.identity("DSO")
    made, signed = proposal(who, "registry", "Get", "k")
    transaction = envelope(who, b"x", _ENDORSER_TRANSACTION)
    name = method.rpartition("/")[2]
    if name in ("Evaluate", "Endorse"):
        kind = EvaluateRequest if name == "Evaluate" else EndorseRequest
        return kind(
            transaction_id=made.transaction_id, channel_id=CHANNEL, proposed_transaction=signed
        )
    if name == "Submit":
        return SubmitRequest(
            transaction_id="t", channel_id=CHANNEL, prepared_transaction=transaction
        )
    if name == "CommitStatus":
        request = CommitStatusRequest(
            transaction_id="t", channel_id=CHANNEL, identity=who.creator
        ).SerializeToString()
        return SignedCommitStatusRequest(request=request, signature=who.sign(request))
    if name == "ChaincodeEvents":
        request = ChaincodeEventsRequest(
            channel_id=CHANNEL, chaincode_id="registry", identity=who.creator
        ).SerializeToString()
        return SignedChaincodeEventsRequest(request=request, signature=who.sign(request))
    if name == "Discover":
        return SignedRequest(payload=b"x", signature=who.sign(b"x"))
    if name == "Broadcast":
        return transaction
    if name == "ProcessProposal":
        return signed
    return envelope(who, SeekInfo(), _DELIVER_SEEK_INFO)


def mutations(message: Message, chance: random.Random) -> Iterator[bytes]:
    """Nothing, without each field in turn, cut, with bits flipped, longer, and mere noise."""
    yield b""
    for descriptor, _ in message.ListFields():
        less = type(message)()
        less.CopyFrom(message)
        less.ClearField(descriptor.name)
        yield less.SerializeToString()
    whole = message.SerializeToString()
    for number in range(MUTATIONS):
        broken = bytearray(whole)
        match number % 4:
            case 0:
                del broken[chance.randrange(len(broken)) :]
            case 1:
                for _ in range(chance.randrange(1, 6)):
                    broken[chance.randrange(len(broken))] ^= 1 << chance.randrange(8)
            case 2:
                broken += chance.randbytes(chance.randrange(1, 40))
            case _:
                broken = bytearray(chance.randbytes(chance.randrange(1, 400)))
        yield bytes(broken)


@dataclass(frozen=True)
class Raw:
    """A connection that sends bytes as they are."""

    channel: grpc.aio.Channel

    async def send(self, method: str, data: bytes) -> str:
        """The status' name and text; of a stream, after its first answer."""
        try:
            if method.startswith(_STREAMS):
                await self._stream(method, data)
            else:
                call = self.channel.unary_unary(f"/{method}", bytes, bytes)
                await call(data, timeout=ANSWER_S)
        except grpc.aio.AioRpcError as error:
            return f"{error.code().name}: {error.details()}"
        return "OK"

    async def _stream(self, method: str, data: bytes) -> None:
        async def requests() -> AsyncIterator[bytes]:
            yield data

        answers: AsyncIterable[bytes]
        if method.endswith("ChaincodeEvents"):
            answers = self.channel.unary_stream(f"/{method}", bytes, bytes)(data, timeout=ANSWER_S)
        else:
            call = self.channel.stream_stream(f"/{method}", bytes, bytes)
            answers = call(requests(), timeout=ANSWER_S)
        async for _ in answers:
            return


@pytest.mark.fault(24)
@pytest.mark.parity("broken-messages")
@pytest.mark.parametrize("method", [*PEER, *ORDERER])
async def test_no_broken_message_ends_a_node(notes_network: Network, method: str) -> None:
    before = parts(notes_network)
    chance = random.Random(method)
    async with Target(notes_network.state / "profiles") as target:
        raw = Raw(target.orderer("DSO") if method in ORDERER else target.peer("DSO"))
        broken = list(mutations(valid(target, method), chance))
        said = await asyncio.gather(*(raw.send(method, data) for data in broken))
        assert (await raw.send(method, b"\xff\xff")).startswith("INTERNAL: grpc: ")
    refused = [text for text in said if "insufficient number of orderers" not in text]
    assert not [text for text in refused if text.startswith(("UNAVAILABLE", "UNIMPLEMENTED"))]
    assert not [text for text in said if "Unexpected" in text], "an exception nobody meant"
    assert parts(notes_network) == before
    async with await profile.connect(notes_network.profile("DSO")) as gateway:
        contract = gateway.network(CHANNEL).contract("registry")
        await contract.submit("Put", "after-noise", method)


def parts(network: Network) -> dict[str, int]:
    """Every process that runs and is healthy, by name."""
    status = network.status()
    assert status["state"] == "up"
    return {part["name"]: part["pid"] for part in status["parts"]}
