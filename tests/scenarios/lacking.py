# SPDX-License-Identifier: Apache-2.0
"""Messages that lack a part, however deep it lies in bytes within bytes, signed anew: what a client
of ours with a bug would send, and what gets past the check of a signature."""

from collections.abc import Iterator
from typing import Final, TypeVar

from fabric_protos.common.common_pb2 import (
    ChannelHeader,
    Envelope,
    Header,
    Payload,
    SignatureHeader,
)
from fabric_protos.discovery.protocol_pb2 import Request, SignedRequest
from fabric_protos.gateway.gateway_pb2 import (
    ChaincodeEventsRequest,
    CommitStatusRequest,
    SignedChaincodeEventsRequest,
    SignedCommitStatusRequest,
)
from fabric_protos.msp.identities_pb2 import SerializedIdentity
from fabric_protos.peer.chaincode_pb2 import ChaincodeInvocationSpec
from fabric_protos.peer.proposal_pb2 import (
    ChaincodeAction,
    ChaincodeHeaderExtension,
    ChaincodeProposalPayload,
    Proposal,
    SignedProposal,
)
from fabric_protos.peer.proposal_response_pb2 import ProposalResponsePayload
from fabric_protos.peer.transaction_pb2 import ChaincodeActionPayload, Transaction
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from pedchain_fabric.wire.identity import SigningIdentity

M = TypeVar("M", bound=Message)

WITHIN: Final[dict[tuple[str, str], type[Message]]] = {
    ("SignedProposal", "proposal_bytes"): Proposal,
    ("Proposal", "header"): Header,
    ("Proposal", "payload"): ChaincodeProposalPayload,
    ("Header", "channel_header"): ChannelHeader,
    ("Header", "signature_header"): SignatureHeader,
    ("ChannelHeader", "extension"): ChaincodeHeaderExtension,
    ("SignatureHeader", "creator"): SerializedIdentity,
    ("ChaincodeProposalPayload", "input"): ChaincodeInvocationSpec,
    ("Envelope", "payload"): Payload,
    ("TransactionAction", "header"): SignatureHeader,
    ("TransactionAction", "payload"): ChaincodeActionPayload,
    ("ChaincodeActionPayload", "chaincode_proposal_payload"): ChaincodeProposalPayload,
    ("ChaincodeEndorsedAction", "proposal_response_payload"): ProposalResponsePayload,
    ("ProposalResponsePayload", "extension"): ChaincodeAction,
    ("SignedCommitStatusRequest", "request"): CommitStatusRequest,
    ("SignedChaincodeEventsRequest", "request"): ChaincodeEventsRequest,
    ("SignedRequest", "payload"): Request,
}
"""What bytes hold, by message and field."""

_SIGNED: Final = {
    SignedProposal: "proposal_bytes",
    Envelope: "payload",
    SignedCommitStatusRequest: "request",
    SignedChaincodeEventsRequest: "request",
    SignedRequest: "payload",
}


def lacking(message: M, data: type[Message] = Transaction) -> Iterator[M]:
    """The message without each part in turn, and with noise for each part that is bytes.

    `data` is what a `Payload` holds here.
    """
    for field, value in message.ListFields():
        yield _with(message, field, None)
        below = data if field.full_name == "common.Payload.data" else None
        below = below or WITHIN.get((type(message).DESCRIPTOR.name, field.name))
        if isinstance(value, Message):
            for part in lacking(value, data):
                yield _with(message, field, part)
        elif isinstance(value, bytes):
            yield _with(message, field, b"\xff\xff")
            if below is not None:
                for part in lacking(below.FromString(value), data):
                    yield _with(message, field, part.SerializeToString())
        elif _many(field, value):
            for part in lacking(value[0], data):
                yield _with(message, field, [part, *value[1:]])


def _many(field: FieldDescriptor, value: object) -> bool:
    """Whether it is a list of messages, of which the first is looked into."""
    entries = field.message_type is not None and field.message_type.GetOptions().map_entry
    return isinstance(value, list | tuple) or (
        field.message_type is not None and not entries and hasattr(value, "append")
    )


def _with(message: M, field: FieldDescriptor, value: object) -> M:
    made = type(message)()
    made.CopyFrom(message)
    made.ClearField(field.name)
    if isinstance(value, Message):
        getattr(made, field.name).CopyFrom(value)
    elif isinstance(value, list):
        getattr(made, field.name).extend(value)
    elif value is not None:
        setattr(made, field.name, value)
    return made


def signed(message: M, who: SigningIdentity) -> M:
    """The same, every signature that is there made anew over what it now signs."""
    name = _SIGNED.get(type(message))
    if name is not None and message.signature:  # type: ignore[attr-defined]  # all of them have it
        message.signature = who.sign(getattr(message, name))  # type: ignore[attr-defined]  # likewise
    for _, value in message.ListFields():
        if isinstance(value, Message):
            signed(value, who)
    return message
