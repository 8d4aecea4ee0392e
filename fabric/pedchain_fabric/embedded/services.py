# SPDX-License-Identifier: Apache-2.0
"""What one peer serves over gRPC."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import grpc
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from fabric_protos.peer.proposal_pb2 import SignedProposal
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse

from pedchain_fabric.embedded import limits
from pedchain_fabric.embedded.chaincode.context import ChaincodeFailed
from pedchain_fabric.embedded.chaincode.dialer import DialFailed
from pedchain_fabric.embedded.discovery.service import Discovery
from pedchain_fabric.embedded.endorser import ProposalRefused
from pedchain_fabric.embedded.events import EventServices
from pedchain_fabric.embedded.gateway.registry import Registry
from pedchain_fabric.embedded.gateway.service import GatewayService
from pedchain_fabric.embedded.orderer.node import Orderer
from pedchain_fabric.embedded.peer import Peer
from pedchain_fabric.embedded.rpc import Context, Method, RpcRefused, Service
from pedchain_fabric.errors import FabricError


def of_peer(peer: Peer, peers: Sequence[Peer], orderers: Sequence[Orderer]) -> tuple[Service, ...]:
    """Its services. `peers` and `orderers` are the process's, and may change meanwhile."""
    mutual = peer.config.tls.client_ca is not None
    return (
        _endorser(peer),
        GatewayService(Registry(peer, peers, orderers)).service(),
        EventServices(peer.joined, peer.acl, peer.msp_id, mutual_tls=mutual).service(),
        Discovery(peer, peers).service(),
        _chaincode_support(peer),
    )


def _endorser(peer: Peer) -> Service:
    async def process(signed: SignedProposal, _context: Context) -> ProposalResponse:
        try:
            return await peer.endorser.process(signed)
        except ProposalRefused as refused:
            raise RpcRefused(grpc.StatusCode.UNKNOWN, str(refused)) from refused

    method = Method(
        "ProcessProposal", process, SignedProposal.FromString, ProposalResponse.SerializeToString
    )
    return Service("protos.Endorser", (method,), limits.ENDORSER_CONCURRENCY)


class _ServerStream:
    """A chaincode stream that the chaincode dialled."""

    def __init__(self, requests: AsyncIterator[ChaincodeMessage]) -> None:
        self._requests = requests
        self.outgoing: asyncio.Queue[ChaincodeMessage] = asyncio.Queue()

    async def read(self) -> ChaincodeMessage | None:
        return await anext(self._requests, None)

    async def write(self, message: ChaincodeMessage) -> None:
        self.outgoing.put_nowait(message)


def _chaincode_support(peer: Peer) -> Service:
    async def register(
        requests: AsyncIterator[ChaincodeMessage], _context: Context
    ) -> AsyncIterator[ChaincodeMessage]:
        stream = _ServerStream(requests)
        running = asyncio.create_task(peer.executor.runtime.serve(stream))
        try:
            async for message in _outgoing(stream, running):
                yield message
            await running
        except (DialFailed, ChaincodeFailed, FabricError) as error:
            raise RpcRefused(grpc.StatusCode.UNKNOWN, str(error)) from error
        finally:
            running.cancel()

    method = Method(
        "Register",
        register,
        ChaincodeMessage.FromString,
        ChaincodeMessage.SerializeToString,
        request_stream=True,
        response_stream=True,
    )
    return Service("protos.ChaincodeSupport", (method,))


async def _outgoing(
    stream: _ServerStream, running: asyncio.Task[None]
) -> AsyncIterator[ChaincodeMessage]:
    """What the handler sends, until it ends."""
    while True:
        waiting = asyncio.create_task(stream.outgoing.get())
        await asyncio.wait((waiting, running), return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            waiting.cancel()
            return
        yield waiting.result()
