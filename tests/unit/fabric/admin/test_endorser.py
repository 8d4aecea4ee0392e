# SPDX-License-Identifier: Apache-2.0
"""Goal: a peer's answer or its refusal, nothing lost. Method: a gRPC server that plays the peer."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import grpc.aio
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from fabric_protos.common.common_pb2 import Block, BlockHeader
from fabric_protos.common.ledger_pb2 import BlockchainInfo
from fabric_protos.peer.peer_pb2_grpc import EndorserServicer, add_EndorserServicer_to_server
from fabric_protos.peer.proposal_pb2 import SignedProposal
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse, Response
from fabric_protos.peer.query_pb2 import ChannelInfo, ChannelQueryResponse
from fabric_protos.peer.transaction_pb2 import ProcessedTransaction

from pedchain_fabric.admin import cscc, qscc
from pedchain_fabric.admin.endorser import Endorser
from pedchain_fabric.errors import AdminError
from pedchain_fabric.wire.identity import SigningIdentity
from pedchain_fabric.wire.keys import P256Signer, verify
from pedchain_fabric.wire.messages import serialize
from pedchain_fabric.wire.proposal import ProposalParts, parse_signed_proposal

KEY = ec.generate_private_key(ec.SECP256R1())
ADMIN = SigningIdentity("DSOMSP", b"a certificate", P256Signer(KEY))


@dataclass
class Peer(EndorserServicer):
    """Answers every proposal by `answer` and keeps what was asked."""

    answer: Callable[[ProposalParts], Response] = lambda _: Response(status=200)
    asked: list[ProposalParts] = field(default_factory=list)
    abort: bool = False

    async def ProcessProposal(  # noqa: N802 - the service's own name
        self,
        request: SignedProposal,
        context: "grpc.aio.ServicerContext[SignedProposal, ProposalResponse]",
    ) -> ProposalResponse:
        if self.abort:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many requests")
        verify(KEY.public_key(), request.proposal_bytes, request.signature)
        parts = parse_signed_proposal(request)
        self.asked.append(parts)
        return ProposalResponse(response=self.answer(parts))


@pytest.fixture
def peer() -> Peer:
    return Peer()


@pytest.fixture
async def endorser(peer: Peer) -> AsyncIterator[Endorser]:
    server = grpc.aio.server()
    add_EndorserServicer_to_server(peer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield Endorser(ADMIN, channel)
    await server.stop(None)


async def test_the_proposal_is_signed_and_says_what_is_asked(
    peer: Peer, endorser: Endorser
) -> None:
    peer.answer = lambda _: Response(status=200, payload=b"answer")
    assert await endorser.query("cc", "Read", b"\x00key", channel="ped") == b"answer"
    (parts,) = peer.asked
    assert (parts.chaincode_name, parts.channel_id) == ("cc", "ped")
    assert parts.args == (b"Read", b"\x00key")
    assert parts.creator == ADMIN.creator


async def test_a_refusal_carries_the_peers_status_and_text(peer: Peer, endorser: Endorser) -> None:
    peer.answer = lambda _: Response(status=404, message="not defined")
    with pytest.raises(AdminError, match="_lifecycle Query: not defined") as refusal:
        await endorser.query("_lifecycle", "Query")
    assert refusal.value.status == 404


async def test_a_call_that_fails_carries_the_grpc_status(peer: Peer, endorser: Endorser) -> None:
    peer.abort = True
    with pytest.raises(AdminError, match="too many requests") as refusal:
        await endorser.query("cscc", "GetChannels")
    assert refusal.value.status == "RESOURCE_EXHAUSTED"


async def test_a_silent_peer_is_given_up() -> None:
    async with grpc.aio.insecure_channel("127.0.0.1:1") as channel:
        with pytest.raises(AdminError) as refusal:
            await Endorser(ADMIN, channel).query("cscc", "GetChannels", timeout_s=0.2)
    assert refusal.value.status in {"DEADLINE_EXCEEDED", "UNAVAILABLE"}


async def test_channels_are_listed_without_naming_one(peer: Peer, endorser: Endorser) -> None:
    answer = ChannelQueryResponse(channels=[ChannelInfo(channel_id="ped")])
    peer.answer = lambda _: Response(status=200, payload=serialize(answer))
    assert await cscc.channels(endorser) == {"ped"}
    assert peer.asked[0].channel_id == ""


async def test_joining_hands_over_the_block(peer: Peer, endorser: Endorser) -> None:
    await cscc.join(endorser, b"a block")
    assert peer.asked[0].args == (b"JoinChain", b"a block")


async def test_the_configuration_block_is_read(peer: Peer, endorser: Endorser) -> None:
    block = Block(header=BlockHeader(number=3))
    peer.answer = lambda _: Response(status=200, payload=serialize(block))
    assert await cscc.config_block(endorser, "ped") == block


async def test_the_ledger_is_read_by_number_hash_and_transaction(
    peer: Peer, endorser: Endorser
) -> None:
    answers = {
        b"GetChainInfo": BlockchainInfo(height=7),
        b"GetBlockByNumber": Block(header=BlockHeader(number=5)),
        b"GetBlockByHash": Block(header=BlockHeader(number=6)),
        b"GetBlockByTxID": Block(header=BlockHeader(number=4)),
        b"GetTransactionByID": ProcessedTransaction(validationCode=11),
    }
    peer.answer = lambda parts: Response(status=200, payload=serialize(answers[parts.args[0]]))
    assert (await qscc.chain_info(endorser, "ped")).height == 7
    assert (await qscc.block_by_number(endorser, "ped", 5)).header.number == 5
    assert (await qscc.block_by_hash(endorser, "ped", b"h")).header.number == 6
    assert (await qscc.block_by_transaction(endorser, "ped", "t")).header.number == 4
    assert (await qscc.transaction(endorser, "ped", "t")).validationCode == 11
    assert [parts.args[1:] for parts in peer.asked] == [
        (b"ped",),
        (b"ped", b"5"),
        (b"ped", b"h"),
        (b"ped", b"t"),
        (b"ped", b"t"),
    ]
    assert {parts.channel_id for parts in peer.asked} == {"ped"}
