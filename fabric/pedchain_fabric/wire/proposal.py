# SPDX-License-Identifier: Apache-2.0
"""Proposals: what a client asks endorsers to simulate (Fabric protoutil/proputils.go)."""

import hashlib
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from fabric_protos.common.common_pb2 import (
    CONFIG,
    ENDORSER_TRANSACTION,
    ChannelHeader,
    Header,
    HeaderType,
    SignatureHeader,
)
from fabric_protos.peer.chaincode_pb2 import (
    ChaincodeID,
    ChaincodeInput,
    ChaincodeInvocationSpec,
    ChaincodeSpec,
)
from fabric_protos.peer.proposal_pb2 import (
    ChaincodeHeaderExtension,
    ChaincodeProposalPayload,
    SignedProposal,
)
from fabric_protos.peer.proposal_pb2 import (
    Proposal as ProposalMessage,
)
from google.protobuf.timestamp_pb2 import Timestamp

from pedchain_fabric.wire.limits import NONCE_BYTES
from pedchain_fabric.wire.messages import parse, require, serialize

_NO_TRANSIENT: Mapping[str, bytes] = MappingProxyType({})
_SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Proposal:
    """An unsigned proposal: its transaction id, and the bytes to be signed."""

    transaction_id: str
    proposal_bytes: bytes


@dataclass(frozen=True, slots=True)
class ProposalParts:
    """A signed proposal, taken apart and checked for form (not for its signature).

    `timestamp` is the client's claim, in nanoseconds since 1970 UTC. `header_bytes` and
    `payload_bytes` are as received.
    """

    channel_id: str
    transaction_id: str
    creator: bytes
    nonce: bytes
    timestamp: int
    chaincode_name: str
    args: tuple[bytes, ...]
    transient: Mapping[str, bytes]
    proposal_bytes: bytes
    header_bytes: bytes
    payload_bytes: bytes
    signature: bytes
    is_init: bool
    decorations: Mapping[str, bytes]
    tls_certificate_hash: bytes = b""


def new_nonce() -> bytes:
    """Fresh random bytes that make one creator's transactions differ."""
    return secrets.token_bytes(NONCE_BYTES)


def transaction_id(nonce: bytes, creator: bytes) -> str:
    """Lower-case hex SHA-256 of nonce and creator (protoutil, ComputeTxID)."""
    return hashlib.sha256(nonce + creator).hexdigest()


def build_proposal(
    creator: bytes,
    channel: str,
    chaincode: str,
    args: Sequence[bytes],
    *,
    transient: Mapping[str, bytes] = _NO_TRANSIENT,
    nonce: bytes | None = None,
    timestamp: int | None = None,
    is_init: bool = False,
) -> Proposal:
    """A proposal to call `chaincode` with `args` (the function's name first).

    `timestamp` is in nanoseconds since 1970 UTC, now by default. `transient` reaches the
    endorsers only, never the ledger.
    """
    nonce = new_nonce() if nonce is None else nonce
    name = ChaincodeID(name=chaincode)
    identifier = transaction_id(nonce, creator)
    channel_header = ChannelHeader(
        type=ENDORSER_TRANSACTION,
        timestamp=timestamp_message(time.time_ns() if timestamp is None else timestamp),
        channel_id=channel,
        tx_id=identifier,
        extension=serialize(ChaincodeHeaderExtension(chaincode_id=name)),
    )
    header = Header(
        channel_header=serialize(channel_header),
        signature_header=serialize(SignatureHeader(creator=creator, nonce=nonce)),
    )
    call = ChaincodeInput(args=args, is_init=is_init)
    spec = ChaincodeSpec(type=ChaincodeSpec.GOLANG, chaincode_id=name, input=call)
    payload = ChaincodeProposalPayload(
        input=serialize(ChaincodeInvocationSpec(chaincode_spec=spec)), TransientMap=transient
    )
    message = ProposalMessage(header=serialize(header), payload=serialize(payload))
    return Proposal(identifier, serialize(message))


def parse_signed_proposal(signed: SignedProposal) -> ProposalParts:
    """Take a signed proposal apart, with the endorser's checks of form.

    As Fabric's core/endorser/msgvalidation.go: header type, epoch 0, nonce and creator there,
    transaction id computed from them, chaincode named, a signature there. The creator's
    identity and signature are the caller's to check. Raises `WireError`.
    """
    parts = parse_proposal(signed.proposal_bytes, signed.signature)
    require(parts.signature, "empty signature bytes")
    return parts


def parse_proposal(proposal_bytes: bytes, signature: bytes = b"") -> ProposalParts:
    """The same for a proposal that may not be signed yet. Raises `WireError`."""
    proposal = parse(ProposalMessage, proposal_bytes)
    header = parse(Header, proposal.header)
    channel_header = parse(ChannelHeader, header.channel_header)
    signature_header = parse(SignatureHeader, header.signature_header)
    extension = parse(ChaincodeHeaderExtension, channel_header.extension)
    payload = parse(ChaincodeProposalPayload, proposal.payload)
    invocation = parse(ChaincodeInvocationSpec, payload.input)
    spec = invocation.chaincode_spec
    require(extension.HasField("chaincode_id"), "ChaincodeHeaderExtension.ChaincodeId is nil")
    require(extension.chaincode_id.name, "ChaincodeHeaderExtension.ChaincodeId.Name is empty")
    require(
        invocation.HasField("chaincode_spec"),
        "chaincode invocation spec did not contain chaincode spec",
    )
    require(spec.HasField("input"), "chaincode input did not contain any input")
    _check_headers(channel_header, signature_header)
    return ProposalParts(
        channel_id=channel_header.channel_id,
        transaction_id=channel_header.tx_id,
        creator=signature_header.creator,
        nonce=signature_header.nonce,
        timestamp=timestamp_ns(channel_header.timestamp),
        chaincode_name=extension.chaincode_id.name,
        args=tuple(spec.input.args),
        transient=MappingProxyType(dict(payload.TransientMap)),
        proposal_bytes=proposal_bytes,
        header_bytes=proposal.header,
        payload_bytes=proposal.payload,
        signature=signature,
        is_init=spec.input.is_init,
        decorations=MappingProxyType(dict(spec.input.decorations)),
        tls_certificate_hash=channel_header.tls_cert_hash,
    )


def _check_headers(channel_header: ChannelHeader, signature_header: SignatureHeader) -> None:
    expected = transaction_id(signature_header.nonce, signature_header.creator)
    require(
        channel_header.type in (ENDORSER_TRANSACTION, CONFIG),
        f"invalid header type {_type_name(channel_header.type)}",
    )
    require(channel_header.epoch == 0, "epoch is non-zero")
    require(signature_header.nonce, "nonce is empty")
    require(signature_header.creator, "creator is empty")
    require(
        channel_header.tx_id == expected,
        f"incorrectly computed txid '{channel_header.tx_id}' -- expected '{expected}'",
    )


def _type_name(kind: int) -> str:
    """As Go prints an enum."""
    known = HeaderType.DESCRIPTOR.values_by_number.get(kind)
    return str(kind) if known is None else known.name


def proposal_hash(header: bytes, payload: bytes) -> bytes:
    """What `ProposalResponsePayload.proposal_hash` holds for this proposal.

    SHA-256 of channel header, signature header, and the payload without its transient map
    (protoutil, GetProposalHash1). `header` and `payload` are `Proposal`'s fields. Raises
    `WireError`.
    """
    parts = parse(Header, header)
    require(parts.channel_header and parts.signature_header and payload, "incomplete proposal")
    visible = without_transient(parse(ChaincodeProposalPayload, payload))
    return hash_of(parts.channel_header, parts.signature_header, visible)


def hash_of(channel_header: bytes, signature_header: bytes, visible_payload: bytes) -> bytes:
    """SHA-256 over the three parts in order (protoutil, GetProposalHash2)."""
    return hashlib.sha256(channel_header + signature_header + visible_payload).digest()


def without_transient(payload: ChaincodeProposalPayload) -> bytes:
    """The payload's bytes as they go into a transaction: the input alone."""
    return serialize(ChaincodeProposalPayload(input=payload.input))


def timestamp_message(ns: int) -> Timestamp:
    """The protobuf form of a time in nanoseconds since 1970 UTC."""
    return Timestamp(seconds=ns // _SECOND_NS, nanos=ns % _SECOND_NS)


def timestamp_ns(timestamp: Timestamp) -> int:
    """A protobuf time in nanoseconds since 1970 UTC, out of form or not: it is a claim."""
    return timestamp.seconds * _SECOND_NS + timestamp.nanos
