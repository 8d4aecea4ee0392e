# SPDX-License-Identifier: Apache-2.0
"""What a gateway reads of a proposal, and the transaction it makes of endorsements."""

from collections.abc import Sequence
from dataclasses import dataclass

from fabric_protos.common.common_pb2 import ChannelHeader, Envelope, Header, Payload
from fabric_protos.peer.chaincode_pb2 import ChaincodeInvocationSpec
from fabric_protos.peer.proposal_pb2 import (
    ChaincodeAction,
    ChaincodeProposalPayload,
    Proposal,
    SignedProposal,
)
from fabric_protos.peer.proposal_response_pb2 import Endorsement, ProposalResponsePayload
from fabric_protos.peer.transaction_pb2 import (
    ChaincodeActionPayload,
    ChaincodeEndorsedAction,
    Transaction,
    TransactionAction,
)

from pedchain_fabric.errors import WireError
from pedchain_fabric.wire.messages import parse, require, serialize
from pedchain_fabric.wire.proposal import without_transient


@dataclass(frozen=True, slots=True)
class Target:
    """What a proposal asks for; the rest is for endorsers to judge."""

    channel: str
    chaincode: str
    has_transient: bool
    header: Header
    payload: ChaincodeProposalPayload


def read(signed: SignedProposal) -> Target:
    """Raises WireError if the proposal cannot be taken apart."""
    proposal = parse(Proposal, signed.proposal_bytes)
    header = parse(Header, proposal.header)
    channel_header = parse(ChannelHeader, header.channel_header)
    payload = parse(ChaincodeProposalPayload, proposal.payload)
    spec = parse(ChaincodeInvocationSpec, payload.input)
    return Target(
        channel=channel_header.channel_id,
        chaincode=spec.chaincode_spec.chaincode_id.name,
        has_transient=bool(payload.TransientMap),
        header=header,
        payload=payload,
    )


def require_complete(target: Target) -> None:
    """What Evaluate asks for before it looks for peers. Raises WireError."""
    require(target.channel, "no channel id provided")
    named = parse(ChaincodeInvocationSpec, target.payload.input)
    where = f"channel id [{target.channel}]"
    require(named.HasField("chaincode_spec"), f"no chaincode spec is provided, {where}")
    spec = named.chaincode_spec
    require(spec.HasField("chaincode_id"), f"no chaincode id is provided, {where}")
    require(target.chaincode, f"no chaincode name is provided, {where}")


def assemble(target: Target, payload: bytes, endorsements: Sequence[Endorsement]) -> Envelope:
    """The transaction to be signed by the client. Source: prepareTransaction in submit.go."""
    action = ChaincodeActionPayload(
        chaincode_proposal_payload=without_transient(target.payload),
        action=ChaincodeEndorsedAction(
            proposal_response_payload=payload, endorsements=endorsements
        ),
    )
    transaction = Transaction(
        actions=[
            TransactionAction(header=target.header.signature_header, payload=serialize(action))
        ]
    )
    return Envelope(payload=serialize(Payload(header=target.header, data=serialize(transaction))))


def chaincode_result(payload: bytes) -> bytes | None:
    """The chaincode's response payload inside a proposal response payload, if it is one."""
    try:
        extension = parse(ProposalResponsePayload, payload).extension
        return parse(ChaincodeAction, extension).response.payload
    except WireError:
        return None
