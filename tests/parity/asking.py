# SPDX-License-Identifier: Apache-2.0
"""Direct proposals to a peer, and what it answers."""

from typing import Any

from fabric_protos.peer.proposal_response_pb2 import Response
from google.protobuf.message import Message

from pedchain_fabric.wire.identity import SigningIdentity
from tests.parity.target import CHANNEL, Fact, Target, plain, proposal


async def ask(
    target: Target, chaincode: str, *args: str | bytes, who: SigningIdentity | None = None,
    channel: str = CHANNEL, organization: str = "DSO",
) -> Response:  # fmt: skip
    """What a peer answers to a direct proposal."""
    identity = who or target.identity(organization, "admin")
    _, signed = proposal(identity, chaincode, *args, channel=channel)
    answer = await target.endorser(organization).ProcessProposal(signed)
    response: Response = answer.response
    return response


async def text(*args: Any, **named: Any) -> Fact:
    """Status and message, without what differs from run to run."""
    response = await ask(*args, **named)
    return response.status, plain(response.message)


async def lifecycle(target: Target, function: str, args: Message, **named: Any) -> Response:
    """A call of `_lifecycle`."""
    return await ask(target, "_lifecycle", function, args.SerializeToString(), **named)


async def lifecycle_text(target: Target, function: str, args: Message, **named: Any) -> Fact:
    """Its status and message."""
    response = await lifecycle(target, function, args, **named)
    return response.status, plain(response.message)
