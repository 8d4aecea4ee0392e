# SPDX-License-Identifier: Apache-2.0
"""Blocks as orderers make them: metadata and signatures, SmartBFT's by numbered consenters.

Source: orderer/consensus/smartbft/assembler.go, signer.go, signature.go, chain.go (Deliver);
orderer/common/multichannel/blockwriter.go.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fabric_protos.common.common_pb2 import (
    Block,
    BlockData,
    BlockHeader,
    IdentifierHeader,
    LastConfig,
    Metadata,
    MetadataSignature,
    OrdererBlockMetadata,
    SignatureHeader,
)

from pedchain_fabric.wire import block as wire
from pedchain_fabric.wire.identity import SigningIdentity
from pedchain_fabric.wire.keys import Signer
from pedchain_fabric.wire.messages import serialize
from pedchain_fabric.wire.proposal import new_nonce


@dataclass(frozen=True, slots=True)
class End:
    """Where a chain ends: the next block's number, its predecessor's hash, the block of the last
    configuration (the next one itself if it is a configuration)."""

    number: int
    previous_hash: bytes
    last_config: int


@dataclass(frozen=True, slots=True)
class Consenter:
    """One consenter's number in the channel's mapping, and its key."""

    number: int
    signer: Signer


def assemble(end: End, envelopes: Sequence[bytes], consenter_metadata: bytes) -> Block:
    """The next block, unsigned."""
    data = BlockData(data=envelopes)
    header = BlockHeader(
        number=end.number, previous_hash=end.previous_hash, data_hash=wire.data_hash(data)
    )
    block = Block(header=header, data=data)
    wire.init_metadata(block)
    last = LastConfig(index=end.last_config)
    signed = OrdererBlockMetadata(last_config=last, consenter_metadata=consenter_metadata)
    block.metadata.metadata[wire.SIGNATURES] = serialize(Metadata(value=serialize(signed)))
    block.metadata.metadata[wire.LAST_CONFIG] = serialize(Metadata(value=serialize(last)))
    return block


def view_metadata(sequence: int) -> bytes:
    """smartbftprotos.ViewMetadata of the nth decision: ours all fall in view 0.

    Its fields are view_id = 1, latest_sequence = 2, decisions_in_view = 3, all varints; zero
    is left out.
    """
    decisions = sequence - 1
    encoded = b"\x10" + _varint(sequence)
    return encoded + b"\x18" + _varint(decisions) if decisions else encoded


def sign(block: Block, consenters: Sequence[Consenter]) -> None:
    """Puts each consenter's signature, under its number, into the block's metadata."""
    value = _signed_value(block)
    signatures = [_signature(block.header, value, consenter) for consenter in consenters]
    metadata = Metadata(value=value, signatures=signatures)
    block.metadata.metadata[wire.SIGNATURES] = serialize(metadata)


def sign_alone(block: Block, identity: SigningIdentity) -> None:
    """Puts one orderer's signature, under its name, into the block's metadata (Raft)."""
    value = _signed_value(block)
    header = serialize(SignatureHeader(creator=identity.creator, nonce=new_nonce()))
    signature = identity.sign(wire.signed_message(value, header, block.header))
    signed = MetadataSignature(signature_header=header, signature=signature)
    metadata = Metadata(value=value, signatures=[signed])
    block.metadata.metadata[wire.SIGNATURES] = serialize(metadata)


def as_ordered(block: Block) -> Block:
    """The block as orderers keep it: without what committers note in its metadata."""
    ordered = Block()
    ordered.CopyFrom(block)
    wire.init_metadata(ordered)
    ordered.metadata.metadata[wire.TRANSACTIONS_FILTER] = b""
    ordered.metadata.metadata[wire.COMMIT_HASH] = b""
    return ordered


def _signature(header: BlockHeader, value: bytes, consenter: Consenter) -> MetadataSignature:
    identifier = serialize(IdentifierHeader(identifier=consenter.number, nonce=new_nonce()))
    message = wire.signed_message(value, identifier, header)
    return MetadataSignature(signature=consenter.signer.sign(message), identifier_header=identifier)


def _signed_value(block: Block) -> bytes:
    return Metadata.FromString(block.metadata.metadata[wire.SIGNATURES]).value


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
