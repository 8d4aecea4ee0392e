# SPDX-License-Identifier: Apache-2.0
"""The Gateway service of one peer.

Source: internal/pkg/gateway (evaluate.go, submit.go, commitstatus.go, chaincodeevents.go).
"""

import asyncio
from collections.abc import AsyncIterator

import grpc
from fabric_protos.gateway.gateway_pb2 import (
    ChaincodeEventsRequest,
    ChaincodeEventsResponse,
    CommitStatusRequest,
    CommitStatusResponse,
    EndorseRequest,
    EndorseResponse,
    EvaluateRequest,
    EvaluateResponse,
    SignedChaincodeEventsRequest,
    SignedCommitStatusRequest,
    SubmitRequest,
    SubmitResponse,
)
from fabric_protos.peer.transaction_pb2 import TxValidationCode

from pedchain_fabric.embedded import limits
from pedchain_fabric.embedded.acl import AccessDenied
from pedchain_fabric.embedded.channel import Channel
from pedchain_fabric.embedded.gateway.endorse import endorse
from pedchain_fabric.embedded.gateway.evaluate import evaluate
from pedchain_fabric.embedded.gateway.events import follow, start_block
from pedchain_fabric.embedded.gateway.registry import Registry
from pedchain_fabric.embedded.gateway.submit import submit
from pedchain_fabric.embedded.rpc import Context, Method, RpcRefused, Service
from pedchain_fabric.errors import WireError
from pedchain_fabric.wire.block import SignedData
from pedchain_fabric.wire.messages import parse

_Code = grpc.StatusCode


class GatewayService:
    """Serves clients of one organisation, and through it all others."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def service(self) -> Service:
        """gateway.Gateway."""
        methods = (
            Method("Evaluate", self._evaluate, EvaluateRequest.FromString,
                   EvaluateResponse.SerializeToString),
            Method("Endorse", self._endorse, EndorseRequest.FromString,
                   EndorseResponse.SerializeToString),
            Method("Submit", self._submit, SubmitRequest.FromString,
                   SubmitResponse.SerializeToString),
            Method("CommitStatus", self._commit_status, SignedCommitStatusRequest.FromString,
                   CommitStatusResponse.SerializeToString),
            Method("ChaincodeEvents", self._events, SignedChaincodeEventsRequest.FromString,
                   ChaincodeEventsResponse.SerializeToString, response_stream=True),
        )  # fmt: skip
        return Service("gateway.Gateway", methods, limits.GATEWAY_CONCURRENCY)

    async def _evaluate(self, request: EvaluateRequest, _context: Context) -> EvaluateResponse:
        return EvaluateResponse(result=await evaluate(self._registry, request))

    async def _endorse(self, request: EndorseRequest, _context: Context) -> EndorseResponse:
        return EndorseResponse(prepared_transaction=await endorse(self._registry, request))

    async def _submit(self, request: SubmitRequest, _context: Context) -> SubmitResponse:
        """Sends the transaction to as many orderers as consensus needs."""
        if not request.HasField("prepared_transaction"):
            raise RpcRefused(_Code.INVALID_ARGUMENT, "a prepared transaction is required")
        envelope = request.prepared_transaction
        if not envelope.signature:
            raise RpcRefused(_Code.INVALID_ARGUMENT, "prepared transaction must be signed")
        channel = self._registry.local.joined.get(request.channel_id)
        if channel is None:
            raise RpcRefused(
                _Code.FAILED_PRECONDITION,
                f"failed to get config for channel [{request.channel_id}]: could not get last "
                f"config for channel {request.channel_id}",
            )
        submit(self._registry.orderers, channel.config, envelope)
        return SubmitResponse()

    async def _commit_status(
        self, signed: SignedCommitStatusRequest, _context: Context
    ) -> CommitStatusResponse:
        """Answers once the transaction is committed on this peer, valid or not."""
        request = _commit_request(signed)
        claim = SignedData(request.identity, signed.request, signed.signature)
        channel = self._authorized("gateway/CommitStatus", request.channel_id, claim)
        if channel is None:
            raise RpcRefused(_Code.ABORTED, f"channel does not exist: {request.channel_id}")
        ledger = channel.ledger
        while (found := ledger.transaction(request.transaction_id)) is None:
            await ledger.wait_height(ledger.height + 1)
        code = TxValidationCode.ValueType(found.code)
        return CommitStatusResponse(result=code, block_number=found.block)

    def _authorized(self, resource: str, name: str, claim: SignedData) -> Channel | None:
        channel = self._registry.local.joined.get(name)
        ledger = None if channel is None else channel.ledger
        try:
            self._registry.local.acl.check(resource, ledger, claim, name)
        except AccessDenied as denied:
            raise RpcRefused(_Code.PERMISSION_DENIED, str(denied)) from denied
        return channel

    async def _events(
        self, signed: SignedChaincodeEventsRequest, _context: Context
    ) -> AsyncIterator[ChaincodeEventsResponse]:
        if not signed.request:
            raise RpcRefused(_Code.INVALID_ARGUMENT, "a chaincode events request is required")
        try:
            request = parse(ChaincodeEventsRequest, signed.request)
        except WireError as error:
            raise RpcRefused(
                _Code.INVALID_ARGUMENT, f"invalid chaincode events request: {error}"
            ) from error
        claim = SignedData(request.identity, signed.request, signed.signature)
        channel = self._authorized("gateway/ChaincodeEvents", request.channel_id, claim)
        if channel is None:
            raise RpcRefused(_Code.NOT_FOUND, f"channel does not exist: {request.channel_id}")
        first = start_block(channel.ledger, request)
        async for response in follow(channel.ledger, request, first):
            yield response
            await asyncio.sleep(0)


def _commit_request(signed: SignedCommitStatusRequest) -> CommitStatusRequest:
    if not signed.request:
        raise RpcRefused(_Code.INVALID_ARGUMENT, "a commit status request is required")
    try:
        request = parse(CommitStatusRequest, signed.request)
    except WireError as error:
        raise RpcRefused(_Code.INVALID_ARGUMENT, f"invalid status request: {error}") from error
    for value, problem in (
        (request.identity, "no identity provided"),
        (request.channel_id, "no channel ID provided"),
        (request.transaction_id, "transaction ID should not be empty"),
    ):
        if not value:
            raise RpcRefused(_Code.INVALID_ARGUMENT, problem)
    return request
