# SPDX-License-Identifier: Apache-2.0
"""Gateway.Evaluate. Source: internal/pkg/gateway/evaluate.go."""

import grpc
from fabric_protos.gateway.gateway_pb2 import ErrorDetail, EvaluateRequest
from fabric_protos.peer.proposal_response_pb2 import Response

from pedchain_fabric.embedded.discovery.plan import PlanImpossible
from pedchain_fabric.embedded.gateway import proposals
from pedchain_fabric.embedded.gateway.calls import Answer, ask
from pedchain_fabric.embedded.gateway.layouts import Plan, detail
from pedchain_fabric.embedded.gateway.proposals import Target
from pedchain_fabric.embedded.gateway.registry import Registry
from pedchain_fabric.embedded.peer import Peer
from pedchain_fabric.embedded.rpc import RpcRefused
from pedchain_fabric.errors import WireError

_Code = grpc.StatusCode


async def evaluate(registry: Registry, request: EvaluateRequest) -> Response:
    """One peer's answer; other peers are asked only if a peer, not chaincode, failed.

    Raises RpcRefused.
    """
    signed = request.proposed_transaction
    if not signed.proposal_bytes:
        raise _unreadable("a signed proposal is required")
    try:
        target = proposals.read(signed)
        proposals.require_complete(target)
    except WireError as error:
        raise _unreadable(str(error)) from error
    plan = _plan(registry, target, list(request.target_organizations))
    errors: list[ErrorDetail] = []
    peer: Peer | None = plan.endorsers()[0]
    while peer is not None:
        answer = await ask(peer, signed, registry.local)
        if answer.response is not None:
            return _result(answer)
        errors.append(detail(peer, answer.message))
        if not answer.retry:
            message = f"evaluate call to endorser returned error: {answer.message}"
            raise RpcRefused(answer.code, message, errors)
        peer = plan.following(peer)
    raise RpcRefused(
        answer.code, "failed to evaluate transaction, see attached details for more info", errors
    )


def _unreadable(reason: str) -> RpcRefused:
    message = f"failed to unpack transaction proposal: {reason}"
    return RpcRefused(_Code.INVALID_ARGUMENT, message)


def _plan(registry: Registry, target: Target, msp_ids: list[str]) -> Plan:
    channel = registry.local.joined.get(target.channel)
    if channel is None:
        raise RpcRefused(
            _Code.UNAVAILABLE,
            f"failed to get config for channel [{target.channel}]: could not get last config for "
            f"channel {target.channel}",
        )
    guarded = target.has_transient and not msp_ids
    wanted = [registry.local.msp_id] if guarded else msp_ids
    try:
        return registry.evaluators(channel, target.chaincode, wanted)
    except PlanImpossible as error:
        prefix = (
            "no endorsers found in the gateway's organization; retry specifying target "
            "organization(s) to protect transient data: "
        )
        message = f"{prefix}{error}" if guarded else str(error)
        raise RpcRefused(_Code.FAILED_PRECONDITION, message) from error


def _result(answer: Answer) -> Response:
    """The response, its payload preferably the one that was endorsed."""
    result = Response()
    if answer.response is not None:
        result.CopyFrom(answer.response.response)
        endorsed = proposals.chaincode_result(answer.response.payload)
        if answer.response.payload and endorsed is not None:
            result.payload = endorsed
    return result
