# SPDX-License-Identifier: Apache-2.0
"""Blocks of real Fabric (tests/golden/wire) mean to us what they mean to its peers."""

import base64
import json
from functools import cache
from pathlib import Path

import pytest
from fabric_protos.common.common_pb2 import CONFIG
from fabric_protos.msp.msp_config_pb2 import MSPConfig
from fabric_protos.peer.transaction_pb2 import TxValidationCode

from pedchain_fabric.errors import IdentityError, SignatureInvalid, WireError
from pedchain_fabric.wire import block, compositekey, policy, rwset
from pedchain_fabric.wire.block import SignedData
from pedchain_fabric.wire.channelconfig import ChannelConfig
from pedchain_fabric.wire.identity import Identity
from pedchain_fabric.wire.messages import parse
from pedchain_fabric.wire.msp import Msp
from pedchain_fabric.wire.proposal import transaction_id
from pedchain_fabric.wire.rwset import KvWrite, Version
from pedchain_fabric.wire.transaction import parse_envelope

GOLDEN = Path(__file__).parents[4] / "tests" / "golden" / "wire"
NUMBERS = range(21)
CC_POLICY = policy.parse(
    "OutOf(2,'DSOMSP.peer','DistrictAMSP.peer','DistrictBMSP.peer','AggregatorMSP.peer')"
)


@cache
def load(number):
    return block.parse_block((GOLDEN / f"{number}.block").read_bytes())


@cache
def channel():
    return ChannelConfig.from_block(load(0))


def transactions(number):
    """The parsed transactions of a block, with the code Fabric gave each."""
    found = load(number)
    codes = map(TxValidationCode.Name, block.validation_codes(found))
    return list(zip(map(parse_envelope, found.data.data), codes, strict=True))


def namespace(number, name="cc", index=0):
    parts, _ = transactions(number)[index]
    (found,) = [each for each in rwset.decode(parts.results) if each.name == name]
    return found


@pytest.mark.parametrize("number", NUMBERS)
def test_a_block_is_encoded_as_it_came(number):
    assert load(number).SerializeToString() == (GOLDEN / f"{number}.block").read_bytes()


@pytest.mark.parametrize("number", NUMBERS[1:])
def test_headers_form_a_chain_and_hold_their_data(number):
    found = load(number)
    assert found.header.number == number
    assert found.header.previous_hash == block.header_hash(load(number - 1).header)
    block.check_data(found)
    assert block.last_config(found) == 0


@pytest.mark.parametrize("number", NUMBERS[1:])
def test_a_quorum_of_orderers_signed(number):
    channel().check_orderers(load(number))
    changed = block.parse_block(load(number).SerializeToString())
    changed.header.data_hash = bytes(32)
    with pytest.raises(SignatureInvalid):
        channel().check_orderers(changed)


def test_the_genesis_block_says_who_is_in_the_channel():
    found = channel()
    assert (found.channel_id, found.consensus_type, found.is_bft) == ("ped", "BFT", True)
    assert len(found.consenters) == 4
    assert found.msps.ids == ("AggregatorMSP", "DSOMSP", "DistrictAMSP", "DistrictBMSP")
    assert found.batch_size.max_message_count == 500
    assert found.application_orgs["DSO"].anchor_peers == (("127.0.0.1", 17051),)
    block.check_data(load(0))
    assert parse_envelope(load(0).data.data[0]).type == CONFIG


@pytest.mark.parametrize("number", NUMBERS[1:])
def test_creators_signed_their_transactions(number):
    for parts, _ in transactions(number):
        assert parts.transaction_id == transaction_id(parts.nonce, parts.creator)
        claim = SignedData(parts.creator, parts.payload_bytes, parts.signature)
        member = channel().msps.verify(claim)
        assert member.roles in ({"member", "admin"}, {"member", "client"})
        assert channel().policy("/Channel/Application/Writers").satisfied_by([claim])


@pytest.mark.parametrize("number", NUMBERS[1:])
def test_endorsers_signed_what_they_computed(number):
    for parts, _ in transactions(number):
        for each in parts.endorsements:
            message = parts.proposal_response_payload + each.endorser
            member = channel().msps.verify(SignedData(each.endorser, message, each.signature))
            assert "peer" in member.roles


@pytest.mark.parametrize("number", NUMBERS[1:])
def test_read_write_sets_are_encoded_byte_for_byte(number):
    for parts, _ in transactions(number):
        namespaces = rwset.decode(parts.results)
        assert rwset.encode(namespaces) == parts.results
        assert rwset.ordered(namespaces) == namespaces


PURGED = {"14.0", "15.0", "17.0"}  # held the key that block 17 purged


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.private")), ids=lambda path: path.stem)
def test_private_sets_are_encoded_byte_for_byte_and_hash_to_the_public_one(path):
    number, index = map(int, path.stem.split("."))
    private = rwset.decode_private(path.read_bytes())
    assert rwset.encode_private(private) == path.read_bytes()
    for each in private:
        public = {c.name: c for c in namespace(number, each.name, index).collections}
        for collection in each.collections:
            found = public[collection.name]
            matches = rwset.private_hash(collection) == found.private_hash
            assert matches == (path.stem not in PURGED)


def test_a_peer_hands_out_private_data_without_the_keys_purged_since():
    (private,) = rwset.decode_private((GOLDEN / "14.0.private").read_bytes())
    (collection,) = private.collections
    left = [rwset.HashedWrite.of(each.key, each.value) for each in collection.writes]
    public = namespace(14).collections[0].writes
    assert [each.key for each in collection.writes] == ["a"]
    assert left == list(public[:1])
    assert public[1].key_hash == namespace(17).collections[0].writes[0].key_hash


def endorsers(parts):
    return channel().msps.signers(
        (each.endorser, parts.proposal_response_payload + each.endorser, each.signature)
        for each in parts.endorsements
    )


@pytest.mark.parametrize("number", range(6, 18))
def test_the_chaincodes_policy_tells_who_endorsed_enough(number):
    for parts, code in transactions(number):
        holds = policy.evaluate(CC_POLICY, endorsers(parts), channel().msps.satisfies)
        private = bool(namespace(number).collections)
        assert holds == (code != "ENDORSEMENT_POLICY_FAILURE" and not private)


def test_lifecycle_was_endorsed_by_a_majority():
    ((parts, code),) = transactions(3)
    assert (parts.chaincode_name, code) == ("_lifecycle", "VALID")
    majority = channel().policy("/Channel/Application/LifecycleEndorsement")
    assert majority.satisfied_by_identities(endorsers(parts))
    assert not majority.satisfied_by_identities(endorsers(parts)[:2])


@pytest.mark.parametrize(
    ("number", "codes"),
    [
        (6, ["VALID"]),
        (7, ["ENDORSEMENT_POLICY_FAILURE"]),
        (8, ["VALID", "MVCC_READ_CONFLICT"]),
        (11, ["PHANTOM_READ_CONFLICT"]),
        (12, ["PHANTOM_READ_CONFLICT"]),
        (19, ["ENDORSEMENT_POLICY_FAILURE"]),
        (20, ["VALID"]),
    ],
)
def test_the_peers_verdicts_are_read(number, codes):
    assert [code for _, code in transactions(number)] == codes
    assert len(block.commit_hash(load(number))) == 32


def test_an_event_stands_in_its_transaction():
    ((parts, _),) = transactions(6)
    assert parts.event is not None
    assert (parts.event.event_name, parts.event.payload) == ("put", b"k1")
    assert parts.args == (b"Put", b"k1", b"v1")
    assert parts.response.payload == b"ok:v1"


def test_both_increments_read_the_same_version():
    reads = [namespace(8, index=index).reads for index in (0, 1)]
    assert reads[0] == reads[1]
    assert reads[0][0].version == Version(6, 0)


def test_range_queries_are_raw_or_condensed():
    long, short = (namespace(number).range_queries[0] for number in (11, 12))
    assert long.merkle is not None
    assert long.reads is None
    assert short.reads is not None
    assert len(short.reads) == 10
    assert short.exhausted


def test_keys_of_every_kind_are_read():
    writes = namespace(9).writes
    assert len(writes) == 71
    assert compositekey.split(writes[0].key) == ("site", ("A", "é"))
    assert namespace(13).writes == (KvWrite.of("k1", b""),)


def test_purges_and_deletions_of_private_keys_are_told_apart():
    deleted, purged = (namespace(number).collections[0].writes[0] for number in (16, 17))
    assert deleted.deletes
    assert not deleted.is_purge
    assert purged.deletes
    assert purged.is_purge


def test_a_keys_policy_is_metadata():
    ((key, entries),) = [(w.key, dict(w.entries)) for w in namespace(18).metadata_writes]
    assert key == "f0001"
    assert set(entries) == {"VALIDATION_PARAMETER"}


def test_swapping_bytes_between_envelopes_is_found_though_the_data_hash_is_the_same():
    changed = block.parse_block(load(8).SerializeToString())
    first, second = changed.data.data
    changed.data.data[:] = [first + second[:1], second[1:]]
    assert block.data_hash(changed.data) == changed.header.data_hash
    with pytest.raises(WireError):
        block.check_data(changed)


IDENTITIES = json.loads((GOLDEN / "identities.json").read_text())
MSP = Msp.from_config(parse(MSPConfig, base64.b64decode(IDENTITIES["msp"])))


@pytest.mark.parametrize("name", IDENTITIES["identities"])
def test_an_identity_is_to_us_what_it_was_to_a_peer(name):
    found = IDENTITIES["identities"][name]
    identity = Identity("DSOMSP", found["certificate"].encode())
    try:
        verdict = "invalid" if MSP.resolve(identity).problem else "valid"
    except IdentityError:
        verdict = "unknown"
    assert verdict == found["verdict"]
    assert MSP.satisfies(identity, policy.principal("DSOMSP", "member")) == (verdict == "valid")
