# SPDX-License-Identifier: Apache-2.0
"""The gateway's calls over gRPC: with `stream`, the only place where gRPC's errors become ours."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

import grpc.aio
from fabric_protos.common.common_pb2 import Envelope
from fabric_protos.gateway import gateway_pb2 as gw
from fabric_protos.gateway.gateway_pb2_grpc import GatewayStub
from fabric_protos.peer.events_pb2 import DeliverResponse
from fabric_protos.peer.events_pb2_grpc import DeliverStub

from pedchain_fabric.client.status import CLOSED, describe, endorse_error
from pedchain_fabric.client.stream import Responses
from pedchain_fabric.errors import CommitStatusError, ErrorDetail, GatewayError, SubmitError

if TYPE_CHECKING:  # they exist in the type stubs only
    from fabric_protos.gateway.gateway_pb2_grpc import GatewayAsyncStub
    from fabric_protos.peer.events_pb2_grpc import DeliverAsyncStub

T = TypeVar("T")
_CLOCKS_DIFFER_S: Final = 0.1  # a peer is told in how many milliseconds the call ends
_COUNTED_S: Final = 1e9  # some 30 years
Fail = Callable[[str, str, tuple[ErrorDetail, ...]], GatewayError]


class Rpc:
    """The gateway's and the delivery service's calls, over a channel the caller owns."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._gateway: GatewayAsyncStub = GatewayStub(channel)
        self._deliver: DeliverAsyncStub = DeliverStub(channel)

    async def evaluate(self, request: gw.EvaluateRequest, deadline: float) -> gw.EvaluateResponse:
        """Raises `GatewayError`."""
        call = partial(self._gateway.Evaluate, request, timeout=_timeout(deadline))
        return await _answer(call, GatewayError, deadline)

    async def endorse(self, request: gw.EndorseRequest, deadline: float) -> gw.EndorseResponse:
        """Raises `EndorseError`, or `EndorsementMismatch`."""
        call = partial(self._gateway.Endorse, request, timeout=_timeout(deadline))
        fail = partial(endorse_error, transaction_id=request.transaction_id)
        return await _answer(call, fail, deadline)

    async def submit(self, request: gw.SubmitRequest, deadline: float) -> None:
        """Raises `SubmitError`."""
        call = partial(self._gateway.Submit, request, timeout=_timeout(deadline))
        fail = partial(SubmitError, transaction_id=request.transaction_id)
        await _answer(call, fail, deadline)

    async def commit_status(
        self, request: gw.SignedCommitStatusRequest, transaction_id: str, deadline: float
    ) -> gw.CommitStatusResponse:
        """Raises `CommitStatusError`."""
        call = partial(self._gateway.CommitStatus, request, timeout=_timeout(deadline))
        fail = partial(CommitStatusError, transaction_id=transaction_id)
        return await _answer(call, fail, deadline)

    async def chaincode_events(
        self, request: gw.SignedChaincodeEventsRequest
    ) -> Responses[gw.ChaincodeEventsResponse]:
        """The stream of a chaincode's events. Raises `GatewayError`."""
        try:
            return Responses(self._gateway.ChaincodeEvents(request))
        except grpc.aio.UsageError as error:
            raise GatewayError(*CLOSED) from error

    async def deliver(self, method: str, envelope: Envelope) -> Responses[DeliverResponse]:
        """The stream of blocks a signed seek asks for.

        `method` is Deliver, DeliverFiltered or DeliverWithPrivateData. Raises `GatewayError`.
        """
        stream = {
            "Deliver": self._deliver.Deliver,
            "DeliverFiltered": self._deliver.DeliverFiltered,
            "DeliverWithPrivateData": self._deliver.DeliverWithPrivateData,
        }[method]
        try:
            call = stream()
        except grpc.aio.UsageError as error:
            raise GatewayError(*CLOSED) from error
        await _answer(partial(call.write, envelope), GatewayError)
        return Responses(call)


def _timeout(deadline: float) -> float | None:
    """As gRPC takes it: what is longer than it can count would end the call at once, so such a
    deadline, `math.inf` too, is none."""
    return None if deadline > _COUNTED_S else deadline


async def _answer(call: Callable[[], Awaitable[T]], fail: Fail, deadline: float = math.inf) -> T:
    """The call's answer; whatever gRPC raises instead goes through `fail`."""
    begun = time.monotonic()
    try:
        return await call()
    except grpc.aio.AioRpcError as error:
        overdue = time.monotonic() - begun >= deadline - _CLOCKS_DIFFER_S
        raise fail(*describe(error, overdue=overdue)) from error
    except grpc.aio.UsageError as error:
        raise fail(*CLOSED) from error
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        # Nobody cancelled us: the channel was closed, and gRPC tells it in this way.
        raise fail(*CLOSED) from error
