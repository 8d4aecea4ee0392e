# SPDX-License-Identifier: Apache-2.0
"""What became of a block's transactions."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from fabric_protos.common.common_pb2 import Block, ChannelHeader, Envelope, Payload, SignatureHeader
from fabric_protos.peer.transaction_pb2 import TxValidationCode

from pedchain_fabric.errors import WireError
from pedchain_fabric.wire.block import header_hash, validation_codes
from pedchain_fabric.wire.messages import parse, serialize
from pedchain_fabric.wire.proposal import transaction_id
from pedchain_fabric.wire.transaction import TransactionParts, parse_envelope


@dataclass(frozen=True, slots=True)
class TransactionOutcome:
    """One transaction's verdict.

    `parts` is None if the envelope cannot be taken apart. `event` is the serialized
    ChaincodeEvent, empty if there is none; it stands here even if the transaction is invalid.
    """

    index: int
    transaction_id: str
    code: TxValidationCode.ValueType
    parts: TransactionParts | None

    @property
    def valid(self) -> bool:
        """Whether its writes took effect."""
        return self.code == TxValidationCode.VALID

    @property
    def type(self) -> int:
        """The header type (`common.HeaderType`), -1 if the envelope cannot be taken apart."""
        return -1 if self.parts is None else self.parts.type

    @property
    def creator(self) -> bytes:
        """Who submitted it."""
        return b"" if self.parts is None else self.parts.creator

    @property
    def chaincode(self) -> str:
        """The chaincode called, empty for a config transaction."""
        return "" if self.parts is None else self.parts.chaincode_name

    @property
    def event(self) -> bytes:
        """The serialized ChaincodeEvent, empty if there is none."""
        event = None if self.parts is None else self.parts.event
        return b"" if event is None else serialize(event)


@dataclass(frozen=True, slots=True)
class BlockOutcome:
    """A committed block: its number, its header's hash, and its transactions in order."""

    number: int
    hash: bytes
    transactions: tuple[TransactionOutcome, ...]

    @property
    def codes(self) -> tuple[int, ...]:
        """The validation codes in order."""
        return tuple(each.code for each in self.transactions)

    @classmethod
    def of(cls, block: Block, known: Sequence[TransactionParts | None] = ()) -> "BlockOutcome":
        """The outcome a stored block tells. `known` are transactions taken apart already."""
        found = [
            TransactionOutcome(index, claimed_id(raw), code, parts or _parts(raw))
            for index, (raw, code, parts) in enumerate(
                zip_longest(block.data.data, validation_codes(block), known)
            )
        ]
        return cls(block.header.number, header_hash(block.header), tuple(found))


def _parts(raw: bytes) -> TransactionParts | None:
    try:
        return parse_envelope(raw)
    except WireError:
        return None


def claimed_id(raw: bytes) -> str:
    """The id an envelope is indexed under, whatever else is wrong with it.

    Its header's, or if it names none the one computed from its nonce and creator (protoutil,
    GetOrComputeTxIDFromEnvelope); empty if it cannot be read.
    """
    try:
        header = parse(Payload, parse(Envelope, raw).payload).header
        claimed = parse(ChannelHeader, header.channel_header).tx_id
        signature = parse(SignatureHeader, header.signature_header)
    except WireError:
        return ""
    return claimed or transaction_id(signature.nonce, signature.creator)
