# SPDX-License-Identifier: Apache-2.0
"""The gateway's calls over gRPC: the only place where gRPC's errors become ours."""

from collections.abc import Awaitable
from typing import TYPE_CHECKING, TypeVar

import grpc.aio
from fabric_protos.common.common_pb2 import Envelope
from fabric_protos.gateway import gateway_pb2 as gw
from fabric_protos.gateway.gateway_pb2_grpc import GatewayStub
from fabric_protos.peer.events_pb2 import DeliverResponse
from fabric_protos.peer.events_pb2_grpc import DeliverStub

from pedchain_fabric.client.status import gateway_error, transaction_error
from pedchain_fabric.client.stream import Responses
from pedchain_fabric.errors import (
    CommitStatusError,
    EndorseError,
    SubmitError,
    TransactionError,
)

if TYPE_CHECKING:  # they exist in the type stubs only
    from fabric_protos.gateway.gateway_pb2_grpc import GatewayAsyncStub
    from fabric_protos.peer.events_pb2_grpc import DeliverAsyncStub

T = TypeVar("T")


class Rpc:
    """The gateway's and the delivery service's calls, over a channel the caller owns."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._gateway: "GatewayAsyncStub" = GatewayStub(channel)
        self._deliver: "DeliverAsyncStub" = DeliverStub(channel)

    async def evaluate(self, request: gw.EvaluateRequest, deadline: float) -> gw.EvaluateResponse:
        """Raises `GatewayError`."""
        try:
            return await self._gateway.Evaluate(request, timeout=deadline)
        except grpc.aio.AioRpcError as error:
            raise gateway_error(error) from error

    async def endorse(self, request: gw.EndorseRequest, deadline: float) -> gw.EndorseResponse:
        """Raises `EndorseError`, or `EndorsementMismatch`."""
        call = self._gateway.Endorse(request, timeout=deadline)
        return await _step(call, EndorseError, request.transaction_id)

    async def submit(self, request: gw.SubmitRequest, deadline: float) -> None:
        """Raises `SubmitError`."""
        call = self._gateway.Submit(request, timeout=deadline)
        await _step(call, SubmitError, request.transaction_id)

    async def commit_status(
        self, request: gw.SignedCommitStatusRequest, transaction_id: str, deadline: float
    ) -> gw.CommitStatusResponse:
        """Raises `CommitStatusError`."""
        call = self._gateway.CommitStatus(request, timeout=deadline)
        return await _step(call, CommitStatusError, transaction_id)

    async def chaincode_events(
        self, request: gw.SignedChaincodeEventsRequest
    ) -> Responses[gw.ChaincodeEventsResponse]:
        """The stream of a chaincode's events."""
        return Responses(self._gateway.ChaincodeEvents(request))

    async def deliver(self, method: str, envelope: Envelope) -> Responses[DeliverResponse]:
        """The stream of blocks a signed seek asks for.

        `method` is Deliver, DeliverFiltered or DeliverWithPrivateData. Raises `GatewayError`.
        """
        call = {
            "Deliver": self._deliver.Deliver,
            "DeliverFiltered": self._deliver.DeliverFiltered,
            "DeliverWithPrivateData": self._deliver.DeliverWithPrivateData,
        }[method]()
        try:
            await call.write(envelope)
        except grpc.aio.AioRpcError as error:
            raise gateway_error(error) from error
        return Responses(call)


async def _step(call: Awaitable[T], kind: type[TransactionError], transaction_id: str) -> T:
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        raise transaction_error(error, kind, transaction_id) from error
