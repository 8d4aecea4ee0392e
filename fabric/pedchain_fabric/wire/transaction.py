# SPDX-License-Identifier: Apache-2.0
"""Transactions: endorsed proposals put together, and envelopes taken apart.

Taking apart follows the committer's order of checks, in three steps, so that a `WireError`
carries the validation code every Fabric committer gives: `parse_header`
(core/common/validation/msgvalidation.go), `parse_body` (the same file, once the creator's
signature was checked) and `parse_action` (txvalidator/v20/plugindispatcher, once the
transaction id was found to be new). `parse_envelope` does all three.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fabric_protos.common.common_pb2 import (
    CONFIG,
    CONFIG_UPDATE,
    ENDORSER_TRANSACTION,
    ChannelHeader,
    Envelope,
    Header,
    HeaderType,
    Payload,
    SignatureHeader,
)
from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.chaincode_pb2 import ChaincodeID, ChaincodeInvocationSpec
from fabric_protos.peer.proposal_pb2 import (
    ChaincodeAction,
    ChaincodeHeaderExtension,
    ChaincodeProposalPayload,
    Proposal,
)
from fabric_protos.peer.proposal_response_pb2 import (
    Endorsement as EndorsementMessage,
)
from fabric_protos.peer.proposal_response_pb2 import (
    ProposalResponse,
    ProposalResponsePayload,
    Response,
)
from fabric_protos.peer.transaction_pb2 import (
    ChaincodeActionPayload,
    ChaincodeEndorsedAction,
    Transaction,
    TransactionAction,
)

from pedchain_fabric.wire.messages import parse, require, serialize
from pedchain_fabric.wire.proposal import (
    hash_of,
    timestamp_ns,
    transaction_id,
    without_transient,
)

_BAD_HEADER: Final = "BAD_COMMON_HEADER"
_BAD_BODY: Final = "INVALID_ENDORSER_TRANSACTION"
_OTHER: Final = "INVALID_OTHER_REASON"
_TYPES: Final = (ENDORSER_TRANSACTION, CONFIG_UPDATE, CONFIG)


@dataclass(frozen=True, slots=True)
class Endorsement:
    """An endorser's identity bytes and its signature."""

    endorser: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class HeaderParts:
    """An envelope's header and what it wraps. `timestamp` is the client's claim, in ns UTC."""

    type: HeaderType.ValueType
    channel_id: str
    transaction_id: str
    creator: bytes
    nonce: bytes
    timestamp: int
    signature: bytes
    payload_bytes: bytes
    channel_header: bytes
    signature_header: bytes
    extension: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class BodyParts:
    """An endorser transaction's single action, its proposal hash checked."""

    proposal_payload: bytes
    proposal_response_payload: bytes
    proposal_hash: bytes
    action: bytes
    endorsements: tuple[Endorsement, ...]


@dataclass(frozen=True, slots=True)
class ActionParts:
    """What the chaincode answered. `results` is the read-write set (see `wire.rwset`)."""

    chaincode_id: ChaincodeID
    results: bytes
    response: Response
    event: ChaincodeEvent | None


@dataclass(frozen=True, slots=True)
class TransactionParts:
    """An envelope taken apart. Of a config transaction only the header and `data` are set."""

    header: HeaderParts
    body: BodyParts | None = None
    action: ActionParts | None = None

    @property
    def type(self) -> HeaderType.ValueType:
        """What kind of transaction it is."""
        return self.header.type

    @property
    def channel_id(self) -> str:
        """The channel it names."""
        return self.header.channel_id

    @property
    def transaction_id(self) -> str:
        """The id it claims; checked for endorser transactions."""
        return self.header.transaction_id

    @property
    def creator(self) -> bytes:
        """Who submitted it."""
        return self.header.creator

    @property
    def nonce(self) -> bytes:
        """The creator's nonce."""
        return self.header.nonce

    @property
    def timestamp(self) -> int:
        """The client's claim, in nanoseconds since 1970 UTC."""
        return self.header.timestamp

    @property
    def signature(self) -> bytes:
        """The creator's signature over `payload_bytes`."""
        return self.header.signature

    @property
    def payload_bytes(self) -> bytes:
        """What the creator signed."""
        return self.header.payload_bytes

    @property
    def data(self) -> bytes:
        """The payload's data: a `Transaction`, or a `ConfigEnvelope`."""
        return self.header.data

    @property
    def endorsements(self) -> tuple[Endorsement, ...]:
        """The endorsements, as they came."""
        return self.body.endorsements if self.body else ()

    @property
    def proposal_response_payload(self) -> bytes:
        """What endorsers sign, followed by their own identity."""
        return self.body.proposal_response_payload if self.body else b""

    @property
    def args(self) -> tuple[bytes, ...]:
        """The chaincode's arguments, the function's name first. Raises `WireError`."""
        payload = parse(ChaincodeProposalPayload, self.body.proposal_payload if self.body else b"")
        spec = parse(ChaincodeInvocationSpec, payload.input).chaincode_spec
        return tuple(spec.input.args)

    @property
    def chaincode_name(self) -> str:
        """The chaincode called, empty for a config transaction."""
        return self.action.chaincode_id.name if self.action else ""

    @property
    def chaincode_version(self) -> str:
        """The version that answered, empty for a config transaction."""
        return self.action.chaincode_id.version if self.action else ""

    @property
    def results(self) -> bytes:
        """The read-write set's bytes."""
        return self.action.results if self.action else b""

    @property
    def response(self) -> Response:
        """The chaincode's status, message and payload."""
        return self.action.response if self.action else Response()

    @property
    def event(self) -> ChaincodeEvent | None:
        """The chaincode's event, if any. It stands here even if the transaction is invalid."""
        return self.action.event if self.action else None


def parse_envelope(data: bytes) -> TransactionParts:
    """Take a transaction's envelope apart, with the committer's checks of form.

    Signatures are the caller's to check. Raises `WireError` with a validation code.
    """
    header = parse_header(data)
    if header.type == CONFIG:
        return TransactionParts(header)
    body = parse_body(header)
    return TransactionParts(header, body, parse_action(header, body))


def parse_header(data: bytes) -> HeaderParts:
    """Step 1: the envelope's header.

    A config transaction may lack creator and nonce, as the genesis block's does. Raises
    `WireError`: INVALID_OTHER_REASON, BAD_PAYLOAD or BAD_COMMON_HEADER.
    """
    envelope = parse(Envelope, data, code=_OTHER)
    payload = parse(Payload, envelope.payload, code="BAD_PAYLOAD")
    require(payload.HasField("header"), "nil header", code=_BAD_HEADER)
    channel = parse(ChannelHeader, payload.header.channel_header, code=_BAD_HEADER)
    signature = parse(SignatureHeader, payload.header.signature_header, code=_BAD_HEADER)
    require(channel.type in _TYPES, f"invalid header type {channel.type}", code=_BAD_HEADER)
    require(channel.epoch == 0, "invalid epoch", code=_BAD_HEADER)
    if channel.type != CONFIG:
        require(signature.nonce, "no nonce", code=_BAD_HEADER)
        require(signature.creator, "no creator", code=_BAD_HEADER)
    return HeaderParts(
        type=HeaderType.ValueType(channel.type),
        channel_id=channel.channel_id,
        transaction_id=channel.tx_id,
        creator=signature.creator,
        nonce=signature.nonce,
        timestamp=timestamp_ns(channel.timestamp),
        signature=envelope.signature,
        payload_bytes=envelope.payload,
        channel_header=payload.header.channel_header,
        signature_header=payload.header.signature_header,
        extension=channel.extension,
        data=payload.data,
    )


def parse_body(header: HeaderParts) -> BodyParts:
    """Step 2: the endorsed action.

    Its transaction id and proposal hash are computed again. Raises `WireError`:
    UNSUPPORTED_TX_PAYLOAD, BAD_PROPOSAL_TXID or INVALID_ENDORSER_TRANSACTION.
    """
    is_endorsed = header.type == ENDORSER_TRANSACTION
    require(is_endorsed, "not an endorser transaction", code="UNSUPPORTED_TX_PAYLOAD")
    expected = transaction_id(header.nonce, header.creator)
    require(header.transaction_id == expected, "wrong txid", code="BAD_PROPOSAL_TXID")
    actions = parse(Transaction, header.data, code=_BAD_BODY).actions
    require(len(actions) == 1, f"{len(actions)} actions instead of one", code=_BAD_BODY)
    inner = parse(SignatureHeader, actions[0].header, code=_BAD_BODY)
    require(inner.nonce and inner.creator, "action without nonce or creator", code=_BAD_BODY)
    payload = parse(ChaincodeActionPayload, actions[0].payload, code=_BAD_BODY)
    response = parse(
        ProposalResponsePayload, payload.action.proposal_response_payload, code=_BAD_BODY
    )
    require(header.channel_header and payload.chaincode_proposal_payload, "empty", code=_BAD_BODY)
    computed = hash_of(header.channel_header, actions[0].header, payload.chaincode_proposal_payload)
    require(computed == response.proposal_hash, "proposal hash differs", code=_BAD_BODY)
    return BodyParts(
        proposal_payload=payload.chaincode_proposal_payload,
        proposal_response_payload=payload.action.proposal_response_payload,
        proposal_hash=response.proposal_hash,
        action=response.extension,
        endorsements=tuple(
            Endorsement(each.endorser, each.signature) for each in payload.action.endorsements
        ),
    )


def parse_action(header: HeaderParts, body: BodyParts) -> ActionParts:
    """Step 3: the chaincode's answer, consistent with the header's chaincode.

    Raises `WireError`: BAD_HEADER_EXTENSION, BAD_RESPONSE_PAYLOAD, INVALID_CHAINCODE or
    INVALID_OTHER_REASON. The read-write set is not decoded (`rwset.decode`: BAD_RWSET).
    """
    extension = parse(ChaincodeHeaderExtension, header.extension, code="BAD_HEADER_EXTENSION")
    require(body.action, "no chaincode action", code="BAD_RESPONSE_PAYLOAD")
    action = parse(ChaincodeAction, body.action, code="BAD_RESPONSE_PAYLOAD")
    require(extension.HasField("chaincode_id"), "no chaincode in the header", code=_OTHER)
    require(action.HasField("chaincode_id"), "no chaincode in the action", code=_OTHER)
    name = extension.chaincode_id.name
    consistent = name and name == action.chaincode_id.name and action.chaincode_id.version
    require(consistent, "inconsistent chaincode name or no version", code="INVALID_CHAINCODE")
    event = parse(ChaincodeEvent, action.events, code=_OTHER) if action.events else None
    if event is not None:
        require(event.chaincode_id == name, "event of another chaincode", code=_OTHER)
    return ActionParts(action.chaincode_id, action.results, action.response, event)


def assemble(proposal_bytes: bytes, responses: Sequence[ProposalResponse]) -> Envelope:
    """The envelope of an endorsed proposal, its signature still empty.

    As protoutil's CreateSignedTx: every response successful, all payloads equal, one
    endorsement per endorser. Raises `WireError` if they are not.
    """
    proposal = parse(Proposal, proposal_bytes)
    header = parse(Header, proposal.header)
    require(responses, "at least one proposal response is required")
    for each in responses:
        status, message = each.response.status, each.response.message
        require(200 <= status < 400, f"unsuccessful response {status}: {message}")
        require(each.payload == responses[0].payload, "ProposalResponsePayloads do not match")
    endorsed: dict[bytes, EndorsementMessage] = {}
    for each in responses:
        if each.HasField("endorsement"):
            endorsed.setdefault(each.endorsement.endorser, each.endorsement)
    require(endorsed, "no endorsements")
    action = ChaincodeActionPayload(
        chaincode_proposal_payload=without_transient(
            parse(ChaincodeProposalPayload, proposal.payload)
        ),
        action=ChaincodeEndorsedAction(
            proposal_response_payload=responses[0].payload,
            endorsements=endorsed.values(),
        ),
    )
    wrapped = TransactionAction(header=header.signature_header, payload=serialize(action))
    transaction = Transaction(actions=[wrapped])
    return Envelope(payload=serialize(Payload(header=header, data=serialize(transaction))))
