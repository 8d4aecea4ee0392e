# SPDX-License-Identifier: Apache-2.0
"""Blocks, notes of peers and transactions that are not what they should be, one thing at a time."""

from collections.abc import Callable, Sequence

from fabric_protos.common.common_pb2 import Block, Envelope, Metadata
from fabric_protos.peer.transaction_pb2 import TxValidationCode

from pedchain_fabric.wire import block as wire_block
from pedchain_fabric.wire.rwset import KvWrite, Namespace
from tests.unit.audit import tampering as by
from tests.unit.audit.collusion import Authority, Collusion

A = "metering-DistrictA"
BATCH, TWO = 19, 32
VALID = TxValidationCode.VALID

Made = tuple[list[Block], by.Private]
Mutant = Callable[[Collusion], Made]


def metadata(block: Block, slot: int, value: bytes) -> None:
    block.metadata.metadata[slot] = value


# Blocks, their headers and who ordered them.


def left_out(forged: Collusion) -> Made:
    return [forged.copy(BATCH + 1), forged.copy(BATCH)], ()


def number(forged: Collusion) -> Made:
    block = forged.copy(BATCH)
    block.header.number = BATCH + 1
    forged.link(block, block.header.previous_hash)
    return [block], ()


def other_past(forged: Collusion) -> Made:
    block = forged.copy(BATCH)
    forged.link(block, bytes(32))
    return [block], ()


def changed_transaction(forged: Collusion) -> Made:
    block = forged.copy(BATCH)
    envelope = Envelope.FromString(block.data.data[0])
    envelope.signature = envelope.signature[:-1] + bytes([envelope.signature[-1] ^ 1])
    block.data.data[0] = envelope.SerializeToString(deterministic=True)
    return [block], ()


def data_hash(forged: Collusion) -> Made:
    block = forged.copy(BATCH)
    forged.link(block, block.header.previous_hash, bytes(32))
    return [block], ()


def trailing_bytes(forged: Collusion) -> Made:
    """The signature once more: an envelope that reads as before."""
    block = forged.copy(BATCH)
    signature = Envelope.FromString(block.data.data[0]).signature
    block.data.data[0] += b"\x12" + bytes([len(signature)]) + signature
    return [forged.relinked(block)], ()


def moved_bytes(forged: Collusion) -> Made:
    """The data hash runs over envelopes end to end: it stays the same."""
    block = forged.copy(TWO)
    first, second = block.data.data
    block.data.data[0], block.data.data[1] = first + second[:4], second[4:]
    return [block], ()


def empty_block(forged: Collusion) -> Made:
    block = forged.copy(BATCH)
    del block.data.data[:]
    metadata(block, wire_block.TRANSACTIONS_FILTER, b"")
    forged.link(block, block.header.previous_hash)
    return [block], ()


def ordered_by(consenters: Sequence[int], unit: str = "orderer") -> Mutant:
    def made(forged: Collusion) -> Made:
        block = forged.copy(BATCH)
        forged.sign(block, consenters, unit)
        return [block], ()

    return made


def another_header(forged: Collusion) -> Made:
    block, other = forged.copy(BATCH), forged.copy(BATCH + 1)
    signed = other.metadata.metadata[wire_block.SIGNATURES]
    metadata(block, wire_block.SIGNATURES, signed)
    return [block], ()


# A peer's notes.


def flag(code: TxValidationCode.ValueType) -> Mutant:
    def made(forged: Collusion) -> Made:
        block = forged.copy(BATCH)
        metadata(block, wire_block.TRANSACTIONS_FILTER, bytes([code]))
        return [block], by.private_of(forged, BATCH)

    return made


def too_few_flags(forged: Collusion) -> Made:
    block = forged.copy(BATCH)
    metadata(block, wire_block.TRANSACTIONS_FILTER, b"")
    return [block], by.private_of(forged, BATCH)


def commit_hash(forged: Collusion) -> Made:
    block = forged.copy(BATCH)
    noted = Metadata(value=bytes(32)).SerializeToString()
    metadata(block, wire_block.COMMIT_HASH, noted)
    return [block], by.private_of(forged, BATCH)


# Transactions that a peer calls valid and that are not.


def noted_valid(forged: Collusion, *envelopes: bytes) -> Made:
    block = forged.copy(BATCH)
    del block.data.data[:]
    block.data.data.extend(envelopes)
    forged.relinked(block)
    metadata(block, wire_block.TRANSACTIONS_FILTER, bytes([VALID] * len(envelopes)))
    return [block], ()


def writing(*keys: str, name: str = A) -> tuple[Namespace, ...]:
    return (Namespace(name, writes=tuple(KvWrite.of(key, b"1") for key in keys)),)


def endorsed_by(*organizations: str) -> Mutant:
    return lambda forged: noted_valid(
        forged,
        forged.transaction(writing("k"), forged.peers(*organizations), forged.client("DSO")),
    )


def endorsed_by_clients(forged: Collusion) -> Made:
    endorsers = [forged.client("DSO"), forged.client("DistrictA")]
    return noted_valid(forged, forged.transaction(writing("k"), endorsers, forged.client("DSO")))


def endorsed_otherwise(forged: Collusion) -> Made:
    """DistrictA's peer signed another transaction's results."""
    both, client = forged.peers("DSO", "DistrictA"), forged.client("DSO")
    one = by.with_endorsement(forged.transaction(writing("k"), both, client), client, both[1])
    return noted_valid(forged, one)


def created_by_revoked(forged: Collusion) -> Made:
    peers = forged.peers("DSO", "DistrictA")
    return noted_valid(forged, forged.transaction(writing("k"), peers, forged.outcast))


def created_by_stranger(forged: Collusion) -> Made:
    stranger = Authority("DSOMSP").member("client")
    peers = forged.peers("DSO", "DistrictA")
    return noted_valid(forged, forged.transaction(writing("k"), peers, stranger))


def not_signed_by_creator(forged: Collusion) -> Made:
    peers = forged.peers("DSO", "DistrictA")
    envelope = Envelope.FromString(forged.transaction(writing("k"), peers, forged.client("DSO")))
    envelope.signature = forged.client("DistrictA").sign(envelope.payload)
    return noted_valid(forged, envelope.SerializeToString(deterministic=True))


def same_id_again(forged: Collusion) -> Made:
    return noted_valid(forged, forged.blocks[15].data.data[0])


def same_id_in_a_block(forged: Collusion) -> Made:
    peers = forged.peers("DSO", "DistrictA")
    one = forged.transaction(writing("k"), peers, forged.client("DSO"))
    return noted_valid(forged, one, one)


def event_of_one(forged: Collusion) -> Made:
    """An event for a district's definition, by its operator alone."""
    alone = forged.transaction(
        (Namespace(A),), forged.peers("DistrictA"), forged.client("DistrictA"), event="certified"
    )
    return noted_valid(forged, alone)


def defined_by_two(forged: Collusion) -> Made:
    """A definition's policy changed without a majority."""
    key = f"namespaces/fields/{A}/ValidationInfo"
    peers = forged.peers("DSO", "DistrictA")
    changed = writing(key, name="_lifecycle")
    return noted_valid(
        forged, forged.transaction(changed, peers, forged.client("DSO"), "_lifecycle")
    )


def other_organisations_own(forged: Collusion) -> Made:
    """What is DistrictB's own affair is written by DSO and DistrictA."""
    own = by.traced(A, [KvWrite.of("k", b"1")], "_implicit_org_DistrictBMSP")
    peers = forged.peers("DSO", "DistrictA")
    return noted_valid(forged, forged.transaction((own,), peers, forged.client("DSO")))
