# SPDX-License-Identifier: Apache-2.0
"""One peer asked to process a proposal, and what the gateway makes of its answer.

Source: responseStatus in internal/pkg/gateway/apiutils.go.
"""

import asyncio
from dataclasses import dataclass

import grpc
from fabric_protos.peer.proposal_pb2 import SignedProposal
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse

from pedchain_fabric.embedded import limits
from pedchain_fabric.embedded.endorser import ProposalRefused
from pedchain_fabric.embedded.peer import Peer

_NOT_OK = 400
_PEER_FAILED = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """`code` OK means success; `retry` whether another peer may do better."""

    code: grpc.StatusCode
    message: str
    retry: bool
    response: ProposalResponse | None


async def ask(peer: Peer, signed: SignedProposal, local: Peer) -> Answer:
    """Has the peer process the proposal, at most for the endorsement timeout."""
    try:
        response = await asyncio.wait_for(
            peer.endorser.process(signed), limits.ENDORSEMENT_TIMEOUT_S
        )
    except TimeoutError:
        text = "rpc error: code = DeadlineExceeded desc = context deadline exceeded"
        return Answer(grpc.StatusCode.UNAVAILABLE, text, True, None)
    except ProposalRefused as refused:
        return _refused(refused, is_local=peer is local)
    status = response.response.status
    if 200 <= status < _NOT_OK:
        return Answer(grpc.StatusCode.OK, "", False, response)
    if status == _PEER_FAILED and not response.payload:
        return Answer(grpc.StatusCode.ABORTED, response.response.message, True, None)
    message = f"chaincode response {status}, {response.response.message}"
    return Answer(grpc.StatusCode.UNKNOWN, message, False, None)


def _refused(refused: ProposalRefused, *, is_local: bool) -> Answer:
    """A refusal reaches a gateway as an error; from another peer it has crossed gRPC."""
    if not is_local:
        text = f"rpc error: code = Unknown desc = {refused}"
        return Answer(grpc.StatusCode.UNAVAILABLE, text, True, None)
    if refused.answered:
        return Answer(grpc.StatusCode.FAILED_PRECONDITION, str(refused), False, None)
    return Answer(grpc.StatusCode.UNAVAILABLE, str(refused), True, None)
