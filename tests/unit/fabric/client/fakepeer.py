# SPDX-License-Identifier: Apache-2.0
"""A peer of one organisation for tests of the client: real gRPC, real bytes, scripted answers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import grpc.aio
from fabric_protos.common.common_pb2 import (
    FORBIDDEN,
    SUCCESS,
    Block,
    BlockData,
    BlockHeader,
    Envelope,
    Payload,
)
from fabric_protos.common.ledger_pb2 import BlockchainInfo
from fabric_protos.gateway import gateway_pb2 as gw
from fabric_protos.gateway.gateway_pb2_grpc import GatewayServicer, add_GatewayServicer_to_server
from fabric_protos.orderer.ab_pb2 import SeekInfo
from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.chaincode_pb2 import ChaincodeID
from fabric_protos.peer.events_pb2 import BlockAndPrivateData, DeliverResponse, FilteredBlock
from fabric_protos.peer.events_pb2_grpc import DeliverServicer, add_DeliverServicer_to_server
from fabric_protos.peer.proposal_pb2 import ChaincodeAction
from fabric_protos.peer.proposal_response_pb2 import (
    Endorsement,
    ProposalResponse,
    ProposalResponsePayload,
    Response,
)
from fabric_protos.peer.transaction_pb2 import TxValidationCode
from google.protobuf.any_pb2 import Any
from google.rpc.status_pb2 import Status

from pedchain_fabric.wire.identity import Identity
from pedchain_fabric.wire.proposal import parse_signed_proposal, proposal_hash
from pedchain_fabric.wire.transaction import assemble, parse_envelope

HEIGHT = 3


def refusal(code, message, *details):
    """A scripted failure, its details as Fabric packs them."""
    status = Status(code=code.value[0], message=message)
    for address, msp_id, text in details:
        packed = Any()
        packed.Pack(gw.ErrorDetail(address=address, msp_id=msp_id, message=text))
        status.details.append(packed)
    return code, message, status.SerializeToString()


class FakePeer(GatewayServicer, DeliverServicer):
    """Endorses everything; answers with what the call was. Checks every signature it gets.

    `fail` maps a call's name to a `refusal`. `tamper` may change what is endorsed. `requests`
    keeps what came in.
    """

    def __init__(self) -> None:
        self.fail: dict[str, tuple] = {}
        self.tamper: Callable[[gw.EndorseRequest], None] = lambda request: None
        self.code = TxValidationCode.VALID
        self.requests: list = []
        self.submitted: dict[str, Envelope] = {}
        self.places: dict[str, int] = {}  # blocks of transactions committed before
        self.events: list[gw.ChaincodeEventsResponse] = []
        self.hold = asyncio.Event()
        self._arrival = asyncio.Condition()

    async def arrived(self, count: int = 1) -> None:
        """Wait until so many requests came in."""
        async with asyncio.timeout(10), self._arrival:
            await self._arrival.wait_for(lambda: len(self.requests) >= count)

    async def _begin(self, name, request, context) -> None:
        async with self._arrival:
            self.requests.append(request)
            self._arrival.notify_all()
        if name in self.fail:
            code, message, details = self.fail[name]
            context.set_trailing_metadata((("grpc-status-details-bin", details),))
            await context.abort(code, message)

    async def Evaluate(self, request, context):  # noqa: N802 - gRPC's name
        await self._begin("Evaluate", request, context)
        parts = self._open(request.proposed_transaction)
        answer = b"|".join(parts.args)
        if answer == b"GetChainInfo|ped":
            answer = BlockchainInfo(height=HEIGHT + 1).SerializeToString()
        return gw.EvaluateResponse(result=Response(status=200, payload=answer))

    async def Endorse(self, request, context):  # noqa: N802 - gRPC's name
        await self._begin("Endorse", request, context)
        self.tamper(request)
        parts = self._open(request.proposed_transaction)
        action = ChaincodeAction(
            response=Response(status=200, payload=b"|".join(parts.args)),
            chaincode_id=ChaincodeID(name=parts.chaincode_name, version="1"),
        )
        payload = ProposalResponsePayload(
            proposal_hash=proposal_hash(parts.header_bytes, parts.payload_bytes),
            extension=action.SerializeToString(),
        )
        answer = ProposalResponse(
            payload=payload.SerializeToString(),
            response=Response(status=200),
            endorsement=Endorsement(endorser=b"peer", signature=b"s"),
        )
        return gw.EndorseResponse(prepared_transaction=assemble(parts.proposal_bytes, [answer]))

    async def Submit(self, request, context):  # noqa: N802 - gRPC's name
        self.submitted[request.transaction_id] = request.prepared_transaction
        await self._begin("Submit", request, context)
        parts = parse_envelope(request.prepared_transaction.SerializeToString())
        Identity.from_creator(parts.creator).verify(parts.payload_bytes, parts.signature)
        return gw.SubmitResponse()

    async def CommitStatus(self, request, context):  # noqa: N802 - gRPC's name
        await self._begin("CommitStatus", request, context)
        asked = gw.CommitStatusRequest.FromString(request.request)
        Identity.from_creator(asked.identity).verify(request.request, request.signature)
        if asked.transaction_id not in (*self.submitted, *self.places):
            await self.hold.wait()
        number = self.places.get(asked.transaction_id, 7)
        return gw.CommitStatusResponse(result=self.code, block_number=number)

    async def ChaincodeEvents(self, request, context):  # noqa: N802 - gRPC's name
        await self._begin("ChaincodeEvents", request, context)
        asked = gw.ChaincodeEventsRequest.FromString(request.request)
        Identity.from_creator(asked.identity).verify(request.request, request.signature)
        for each in self.events:
            yield each
        await self.hold.wait()

    async def Deliver(self, requests, context):  # noqa: N802 - gRPC's name
        async for each in self._deliver("Deliver", requests, context):
            header = BlockHeader(number=each)
            yield DeliverResponse(block=Block(header=header, data=BlockData()))

    async def DeliverFiltered(self, requests, context):  # noqa: N802 - gRPC's name
        async for each in self._deliver("DeliverFiltered", requests, context):
            yield DeliverResponse(filtered_block=FilteredBlock(number=each))

    async def DeliverWithPrivateData(self, requests, context):  # noqa: N802 - gRPC's name
        async for each in self._deliver("DeliverWithPrivateData", requests, context):
            block = Block(header=BlockHeader(number=each))
            yield DeliverResponse(block_and_private_data=BlockAndPrivateData(block=block))

    async def _deliver(self, name, requests, context) -> AsyncIterator[int]:
        async for envelope in requests:
            await self._begin(name, envelope, context)
            parts = Payload.FromString(envelope.payload)
            seek = SeekInfo.FromString(parts.data)
            if b"Stranger" in envelope.payload:
                await context.write(DeliverResponse(status=FORBIDDEN))
                return
            stop = seek.stop.specified.number
            for number in range(seek.start.specified.number, min(stop, HEIGHT) + 1):
                yield number
            if stop > HEIGHT:
                await self.hold.wait()
            await context.write(DeliverResponse(status=SUCCESS))
            return

    def _open(self, signed):
        parts = parse_signed_proposal(signed)
        Identity.from_creator(parts.creator).verify(parts.proposal_bytes, parts.signature)
        return parts


def events_of(block_number, *transaction_ids):
    """A response with one event for each transaction."""
    return gw.ChaincodeEventsResponse(
        block_number=block_number,
        events=[
            ChaincodeEvent(chaincode_id="cc", tx_id=each, event_name="e", payload=each.encode())
            for each in transaction_ids
        ],
    )


@asynccontextmanager
async def serving(peer: FakePeer) -> AsyncIterator[str]:
    """Serve on a free port of loopback; the address."""
    server = grpc.aio.server()
    add_GatewayServicer_to_server(peer, server)
    add_DeliverServicer_to_server(peer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        peer.hold.set()
        await server.stop(None)
