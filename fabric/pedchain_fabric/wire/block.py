# SPDX-License-Identifier: Apache-2.0
"""Blocks: what is hashed, what orderers sign, what committers note (protoutil/blockutils.go)."""

import hashlib
from collections.abc import Iterable
from typing import Final, NamedTuple

from fabric_protos.common.common_pb2 import (
    CONFIG,
    Block,
    BlockData,
    BlockHeader,
    BlockMetadata,
    ChannelHeader,
    Envelope,
    IdentifierHeader,
    LastConfig,
    Metadata,
    MetadataSignature,
    OrdererBlockMetadata,
    Payload,
    SignatureHeader,
)
from fabric_protos.common.configuration_pb2 import Consenter
from fabric_protos.peer.transaction_pb2 import TxValidationCode

from pedchain_fabric.errors import WireError
from pedchain_fabric.wire import der
from pedchain_fabric.wire.identity import Identity
from pedchain_fabric.wire.messages import parse, require, serialize

# Places in `BlockMetadata.metadata`. Orderers sign the value in SIGNATURES with the header;
# TRANSACTIONS_FILTER and COMMIT_HASH are each committer's own notes, signed by nobody.
SIGNATURES: Final = 0
LAST_CONFIG: Final = 1
TRANSACTIONS_FILTER: Final = 2
ORDERER: Final = 3
COMMIT_HASH: Final = 4
SLOTS: Final = 5


class SignedData(NamedTuple):
    """A claim to be checked: who says so, about which bytes, with which signature."""

    creator: bytes
    message: bytes
    signature: bytes


def parse_block(data: bytes) -> Block:
    """Decode a block; header, data and metadata must be there. Raises `WireError`."""
    block = parse(Block, data)
    require(block.HasField("header"), "block without a header")
    require(block.HasField("data"), "block without data")
    require(block.HasField("metadata"), "block without metadata")
    return block


def header_bytes(header: BlockHeader) -> bytes:
    """The header as ASN.1: SEQUENCE of number, previous hash, data hash."""
    return der.sequence(
        der.integer(header.number),
        der.octet_string(header.previous_hash),
        der.octet_string(header.data_hash),
    )


def header_hash(header: BlockHeader) -> bytes:
    """What the next block's `previous_hash` holds: SHA-256 of the header's ASN.1."""
    return hashlib.sha256(header_bytes(header)).digest()


def data_hash(data: BlockData) -> bytes:
    """What the header's `data_hash` holds: SHA-256 of the envelopes, run together.

    Nothing marks where one envelope ends, so other envelopes may give the same hash: whoever
    trusts it also needs `check_well_formed`.
    """
    return hashlib.sha256(b"".join(data.data)).digest()


def is_config(data: BlockData) -> bool:
    """Whether the block's only envelope changes the channel's configuration."""
    if len(data.data) != 1:
        return False
    try:
        payload = parse(Payload, parse(Envelope, data.data[0]).payload)
        header = parse(ChannelHeader, payload.header.channel_header)
    except WireError:
        return False
    return payload.HasField("header") and header.type == CONFIG


def check_well_formed(data: BlockData) -> None:
    """Raise `WireError` unless every envelope is exactly its own canonical encoding.

    Without it `data_hash` would fit other envelopes too. Config blocks, which cannot hold a
    second envelope, are exempt (protoutil, VerifyTransactionsAreWellFormed).
    """
    require(data.data, "empty block")
    if is_config(data):
        return
    for index, raw in enumerate(data.data):
        envelope = parse(Envelope, raw)
        require(envelope.payload, f"transaction {index} has no payload")
        require(envelope.signature, f"transaction {index} has no signature")
        canonical = serialize(envelope)
        require(canonical == raw, f"transaction {index} is not in its canonical encoding")


def check_data(block: Block) -> None:
    """Raise `WireError` unless the envelopes are well formed and the header holds their hash."""
    check_well_formed(block.data)
    require(data_hash(block.data) == block.header.data_hash, "data hash does not match")


def metadata(block: Block, slot: int) -> bytes:
    """The raw bytes of a metadata slot, empty if there are none."""
    slots = block.metadata.metadata
    return slots[slot] if slot < len(slots) else b""


def init_metadata(block: Block) -> None:
    """Give the block all its metadata slots, empty where missing."""
    missing = SLOTS - len(block.metadata.metadata)
    block.metadata.metadata.extend([b""] * max(missing, 0))


def last_config(block: Block) -> int:
    """The number of the block with the configuration this block was made under.

    Raises `WireError` if the metadata does not say.
    """
    signed = parse(Metadata, metadata(block, SIGNATURES))
    if signed.value:
        return parse(OrdererBlockMetadata, signed.value).last_config.index
    return parse(LastConfig, parse(Metadata, metadata(block, LAST_CONFIG)).value).index


def validation_codes(block: Block) -> tuple[TxValidationCode.ValueType, ...]:
    """The committer's verdict on each envelope, in order.

    Raises `WireError` unless there is one known code for each.
    """
    flags = metadata(block, TRANSACTIONS_FILTER)
    require(len(flags) == len(block.data.data), "validation codes do not match the transactions")
    unknown = set(flags) - set(TxValidationCode.values())
    require(not unknown, f"unknown validation codes {sorted(unknown)}")
    return tuple(TxValidationCode.ValueType(flag) for flag in flags)


def commit_hash(block: Block) -> bytes:
    """The committer's running hash over validation codes and updates, empty if not noted."""
    return parse(Metadata, metadata(block, COMMIT_HASH)).value


def signed_message(value: bytes, signature_header: bytes, header: BlockHeader) -> bytes:
    """What an orderer signs: metadata value, its own header, the block header's ASN.1.

    `signature_header` is the raw `SignatureHeader`, or under BFT the raw `IdentifierHeader`.
    """
    return value + signature_header + header_bytes(header)


def orderer_signatures(
    header: BlockHeader,
    block_metadata: BlockMetadata,
    consenters: Iterable[Consenter] = (),
) -> list[SignedData]:
    """The orderers' claims, ready for the channel's BlockValidation policy.

    Under BFT a signature names its consenter by number; names of no consenter are left out,
    as Fabric does. Pass no `consenters` for other orderer types. Raises `WireError`.
    """
    require(block_metadata.metadata, "no signatures in block metadata")
    signed = parse(Metadata, block_metadata.metadata[SIGNATURES])
    by_id = {each.id: Identity(each.msp_id, each.identity).creator for each in consenters}
    claims = []
    for each in signed.signatures:
        creator, own_header = _signer(each, by_id)
        if creator:
            message = signed_message(signed.value, own_header, header)
            claims.append(SignedData(creator, message, each.signature))
    return claims


def _signer(signature: MetadataSignature, by_id: dict[int, bytes]) -> tuple[bytes, bytes]:
    """Who made it (empty: no consenter), and the header the signature covers."""
    if by_id and not signature.signature_header and signature.identifier_header:
        identifier = parse(IdentifierHeader, signature.identifier_header).identifier
        return by_id.get(identifier, b""), signature.identifier_header
    header = parse(SignatureHeader, signature.signature_header)
    return header.creator, signature.signature_header
