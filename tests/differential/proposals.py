# SPDX-License-Identifier: Apache-2.0
"""Signed proposals, and everything that can be wrong with one."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fabric_protos.common.common_pb2 import (
    CONFIG,
    ENDORSER_TRANSACTION,
    MESSAGE,
    ChannelHeader,
    Header,
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
    Proposal,
    SignedProposal,
)

from pedchain_fabric.wire.identity import SigningIdentity
from pedchain_fabric.wire.proposal import new_nonce, timestamp_message, transaction_id
from tests.parity.target import CHANNEL, Target

GARBAGE = b"\xff\xff\xff"


@dataclass
class Request:
    """A proposal in parts, each of which may still be spoilt."""

    target: Target
    client: SigningIdentity
    channel_header: ChannelHeader
    nonce: bytes
    spec: ChaincodeSpec
    transient: Mapping[str, bytes]
    header: bytes | None = None
    payload: bytes | None = None
    message: bytes | None = None
    signature: bytes | None = None

    @property
    def transaction_id(self) -> str:
        """What its header says."""
        return self.channel_header.tx_id

    def become(self, client: SigningIdentity) -> None:
        """Somebody else asks, rightly in all else."""
        self.client = client
        self.channel_header.tx_id = transaction_id(self.nonce, client.creator)

    def signed(self) -> SignedProposal:
        """All of it, signed."""
        header = self.header
        if header is None:
            signature_header = SignatureHeader(creator=self.client.creator, nonce=self.nonce)
            header = Header(
                channel_header=self.channel_header.SerializeToString(),
                signature_header=signature_header.SerializeToString(),
            ).SerializeToString()
        payload = self.payload
        if payload is None:
            invocation = ChaincodeInvocationSpec(chaincode_spec=self.spec)
            payload = ChaincodeProposalPayload(
                input=invocation.SerializeToString(), TransientMap=dict(self.transient)
            ).SerializeToString()
        message = self.message
        if message is None:
            message = Proposal(header=header, payload=payload).SerializeToString()
        signature = self.signature
        if signature is None:
            signature = self.client.sign(message)
        return SignedProposal(proposal_bytes=message, signature=signature)


def request(
    target: Target,
    client: SigningIdentity,
    chaincode: str,
    args: list[bytes],
    transient: Mapping[str, bytes],
) -> Request:
    """A proposal as it should be."""
    nonce = new_nonce()
    header = ChannelHeader(
        type=ENDORSER_TRANSACTION,
        channel_id=CHANNEL,
        tx_id=transaction_id(nonce, client.creator),
        extension=ChaincodeHeaderExtension(
            chaincode_id=ChaincodeID(name=chaincode)
        ).SerializeToString(),
    )
    header.timestamp.CopyFrom(timestamp_message(time.time_ns()))
    spec = ChaincodeSpec(
        type=ChaincodeSpec.GOLANG,
        chaincode_id=ChaincodeID(name=chaincode),
        input=ChaincodeInput(args=args),
    )
    return Request(target, client, header, nonce, spec, transient)


Flaw = Callable[[Request], object]


def _seconds(offset: int) -> Flaw:
    def spoil(made: Request) -> None:
        made.channel_header.timestamp.seconds += offset

    return spoil


def _header(**fields: object) -> Flaw:
    def spoil(made: Request) -> None:
        for name, value in fields.items():
            setattr(made.channel_header, name, value)

    return spoil


def _extension(name: str) -> Flaw:
    def spoil(made: Request) -> None:
        made.channel_header.extension = ChaincodeHeaderExtension(
            chaincode_id=ChaincodeID(name=name)
        ).SerializeToString()

    return spoil


def _nonce(made: Request) -> None:
    """An id that fits, of no nonce at all."""
    made.nonce = b""
    made.channel_header.tx_id = transaction_id(b"", made.client.creator)


def _named(name: str) -> Flaw:
    def spoil(made: Request) -> None:
        _extension(name)(made)
        made.spec.chaincode_id.name = name

    return spoil


FLAWS: Mapping[str, Flaw] = {
    "": lambda _: None,
    "wrong-signature": lambda made: setattr(made, "signature", made.client.sign(b"other")),
    "no-signature": lambda made: setattr(made, "signature", b""),
    "unreadable-signature": lambda made: setattr(made, "signature", GARBAGE),
    "of-stranger": lambda made: made.become(made.target.stranger("AlphaMSP")),
    "of-nobody": lambda made: made.become(made.target.stranger("NobodyMSP")),
    "of-expired": lambda made: made.become(made.target.issued("Alpha", days=0)),
    "of-issued": lambda made: made.become(made.target.issued("Beta", days=3)),
    "of-other-msp": lambda made: made.become(
        SigningIdentity("BetaMSP", made.client.certificate, made.client.signer)
    ),
    "old": _seconds(-16 * 60),
    "older-still-taken": _seconds(-14 * 60),
    "future": _seconds(16 * 60),
    "no-timestamp": lambda made: made.channel_header.ClearField("timestamp"),
    "other-channel": _header(channel_id="elsewhere"),
    "no-channel": _header(channel_id=""),
    "epoch": _header(epoch=1),
    "type-config": _header(type=CONFIG),
    "type-message": _header(type=MESSAGE),
    "other-transaction-id": _header(tx_id="0" * 64),
    "no-transaction-id": _header(tx_id=""),
    "no-nonce": _nonce,
    "no-extension": _header(extension=b""),
    "unreadable-extension": _header(extension=GARBAGE),
    "extension-of-other": _extension("callee"),
    "extension-without-name": _extension(""),
    "unknown-chaincode": _named("nobody"),
    "no-chaincode": _named(""),
    "chaincode-with-version": _named("main:1"),
    "no-header": lambda made: setattr(made, "header", b""),
    "unreadable-header": lambda made: setattr(made, "header", GARBAGE),
    "no-payload": lambda made: setattr(made, "payload", b""),
    "unreadable-payload": lambda made: setattr(made, "payload", GARBAGE),
    "no-proposal": lambda made: setattr(made, "message", b""),
    "unreadable-proposal": lambda made: setattr(made, "message", GARBAGE),
    "no-arguments": lambda made: made.spec.input.ClearField("args"),
    "init": lambda made: setattr(made.spec.input, "is_init", True),
    "decorated": lambda made: made.spec.input.decorations.update({"d": b"1"}),
}
"""What can be wrong with a proposal."""

ONLY_THE_CODE = frozenset(
    {"unreadable-extension", "unreadable-header", "unreadable-payload", "unreadable-proposal"}
)
"""Whose text is the protobuf library's (docs/differences.md)."""
