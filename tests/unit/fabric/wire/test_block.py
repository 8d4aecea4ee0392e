# SPDX-License-Identifier: Apache-2.0
import contextlib
import hashlib

import pytest
from fabric_protos.common.common_pb2 import (
    CONFIG,
    Block,
    BlockData,
    BlockHeader,
    BlockMetadata,
    ChannelHeader,
    Envelope,
    Header,
    IdentifierHeader,
    LastConfig,
    Metadata,
    MetadataSignature,
    OrdererBlockMetadata,
    Payload,
    SignatureHeader,
)
from fabric_protos.common.configuration_pb2 import Consenter
from hypothesis import given
from hypothesis import strategies as st

from pedchain_fabric.errors import WireError
from pedchain_fabric.wire import block
from pedchain_fabric.wire.identity import Identity


def envelope(payload=b"p", signature=b"s"):
    return Envelope(payload=payload, signature=signature).SerializeToString()


def config_envelope():
    header = Header(channel_header=ChannelHeader(type=CONFIG).SerializeToString())
    return Envelope(payload=Payload(header=header).SerializeToString()).SerializeToString()


def test_header_bytes_are_the_asn1_of_go():
    header = BlockHeader(number=200, previous_hash=b"\x01" * 2, data_hash=b"")
    assert block.header_bytes(header).hex() == "300a" + "020200c8" + "04020101" + "0400"
    assert block.header_hash(header) == hashlib.sha256(block.header_bytes(header)).digest()


@pytest.mark.parametrize(
    ("number", "content"), [(0, "00"), (128, "0080"), (2**64 - 1, "00" + "ff" * 8)]
)
def test_block_numbers_are_unsigned(number, content):
    assert content in block.header_bytes(BlockHeader(number=number)).hex()


def test_the_data_hash_alone_cannot_tell_where_an_envelope_ends():
    one, two = BlockData(data=[b"ab", b"c"]), BlockData(data=[b"a", b"bc"])
    assert block.data_hash(one) == block.data_hash(two)


def test_canonical_envelopes_are_well_formed():
    block.check_well_formed(BlockData(data=[envelope(), envelope(b"q")]))


# Field 2 before field 1: the same message to a lenient reader.
SWAPPED = b"\x12\x01s\x0a\x01p"


@pytest.mark.parametrize(
    "data",
    [
        [],
        [envelope(b"")],
        [envelope(signature=b"")],
        [envelope(), envelope() + envelope()],
        [SWAPPED],
        [b"\xff"],
        [config_envelope(), envelope()],
    ],
)
def test_other_encodings_of_envelopes_are_refused(data):
    with pytest.raises(WireError):
        block.check_well_formed(BlockData(data=data))


def test_a_config_envelope_alone_is_exempt():
    data = BlockData(data=[config_envelope()])
    assert block.is_config(data)
    block.check_well_formed(data)


def test_data_that_is_not_the_headers_is_refused():
    data = BlockData(data=[envelope()])
    good = Block(header=BlockHeader(data_hash=block.data_hash(data)), data=data)
    block.check_data(good)
    good.data.data[0] = envelope(b"other")
    with pytest.raises(WireError, match="data hash"):
        block.check_data(good)


@pytest.mark.parametrize("missing", ["header", "data", "metadata"])
def test_a_block_lacking_a_part_is_refused(missing):
    whole = Block(header=BlockHeader(), data=BlockData(), metadata=BlockMetadata())
    assert block.parse_block(whole.SerializeToString()) == whole
    whole.ClearField(missing)
    with pytest.raises(WireError, match=missing):
        block.parse_block(whole.SerializeToString())


def noted(*codes):
    return Block(
        data=BlockData(data=[b""] * 2), metadata=BlockMetadata(metadata=[b"", b"", bytes(codes)])
    )


def test_validation_codes_are_one_per_transaction():
    assert block.validation_codes(noted(0, 11)) == (0, 11)
    for bad in (noted(0), noted(0, 0, 0), noted(0, 99), Block(data=BlockData(data=[b""]))):
        with pytest.raises(WireError):
            block.validation_codes(bad)


def test_metadata_slots_are_filled_up_and_missing_ones_are_empty():
    made = noted(0, 0)
    assert block.metadata(made, block.COMMIT_HASH) == b""
    block.init_metadata(made)
    assert len(made.metadata.metadata) == block.SLOTS
    block.init_metadata(made)
    assert len(made.metadata.metadata) == block.SLOTS


def with_slot(slot, value):
    slots = [b""] * block.SLOTS
    slots[slot] = Metadata(value=value.SerializeToString()).SerializeToString()
    return Block(metadata=BlockMetadata(metadata=slots))


def test_the_last_config_block_is_named_in_either_place():
    signed = OrdererBlockMetadata(last_config=LastConfig(index=7))
    assert block.last_config(with_slot(block.SIGNATURES, signed)) == 7
    assert block.last_config(with_slot(block.LAST_CONFIG, LastConfig(index=5))) == 5


def test_orderer_signatures_cover_value_own_header_and_block_header():
    header = BlockHeader(number=3)
    named = SignatureHeader(creator=b"c", nonce=b"n").SerializeToString()
    numbered = IdentifierHeader(identifier=2, nonce=b"n").SerializeToString()
    stranger = IdentifierHeader(identifier=9).SerializeToString()
    signatures = [
        MetadataSignature(signature_header=named, signature=b"1"),
        MetadataSignature(identifier_header=numbered, signature=b"2"),
        MetadataSignature(identifier_header=stranger, signature=b"3"),
    ]
    slot = Metadata(value=b"v", signatures=signatures).SerializeToString()
    consenter = Consenter(id=2, msp_id="OrgMSP", identity=b"pem")
    claims = block.orderer_signatures(header, BlockMetadata(metadata=[slot]), [consenter])
    rest = block.header_bytes(header)
    assert claims == [
        (b"c", b"v" + named + rest, b"1"),
        (Identity("OrgMSP", b"pem").creator, b"v" + numbered + rest, b"2"),
    ]
    assert len(block.orderer_signatures(header, BlockMetadata(metadata=[slot]))) == 1


def test_a_block_without_signature_slot_is_refused():
    with pytest.raises(WireError, match="no signatures"):
        block.orderer_signatures(BlockHeader(), BlockMetadata())


@given(st.binary(max_size=100))
def test_garbage_raises_wire_errors_only(data):
    with contextlib.suppress(WireError):
        block.parse_block(data)
    slots = BlockMetadata(metadata=[data] * 5)
    made = Block(data=BlockData(data=[data]), metadata=slots)
    for read in (block.last_config, block.validation_codes, block.commit_hash, block.check_data):
        with contextlib.suppress(WireError):
            read(made)
    with contextlib.suppress(WireError):
        block.orderer_signatures(BlockHeader(), slots)
