# SPDX-License-Identifier: Apache-2.0
"""One test per validation code a committer gives before it looks at reads."""

import pytest
from fabric_protos.common.common_pb2 import (
    CONFIG_UPDATE,
    ChannelHeader,
    Envelope,
    Header,
    Payload,
    SignatureHeader,
)
from fabric_protos.ledger.rwset.rwset_pb2 import NsReadWriteSet, TxReadWriteSet

from pedchain_fabric.wire.messages import parse, serialize
from tests.unit.fabric.embedded_ledger.consortium import Consortium, Transaction, put
from tests.unit.fabric.embedded_ledger.organizations import organization


def resigned(consortium: Consortium, transaction: Transaction, change: str) -> Envelope:
    """The transaction with one part changed and, where it matters, signed again."""
    envelope = parse(Envelope, transaction.envelope)
    payload = parse(Payload, envelope.payload)
    channel = parse(ChannelHeader, payload.header.channel_header)
    signature = parse(SignatureHeader, payload.header.signature_header)
    match change:
        case "epoch":
            channel.epoch = 1
        case "type":
            channel.type = 99
        case "config update":
            channel.type = CONFIG_UPDATE
        case "id":
            channel.tx_id = "0" * 64
        case "nonce":
            signature.nonce = b""
        case "data":
            payload.data = b""
        case "extension":
            channel.extension = b"\xff"
    header = Header(channel_header=serialize(channel), signature_header=serialize(signature))
    payload.header.CopyFrom(header)
    envelope.payload = serialize(payload)
    client = consortium.organizations["DistrictA"].client
    envelope.signature = client.sign(envelope.payload)
    return envelope


def good(consortium: Consortium) -> Transaction:
    return consortium.endorse("open", consortium.simulate(put("open", "k")))


def test_a_transaction_endorsed_as_its_definition_demands_is_valid(consortium: Consortium) -> None:
    assert consortium.submit("district", put("district", "k")) == "VALID"
    assert consortium.get("district", "k") == b"1"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("epoch", "BAD_COMMON_HEADER"),
        ("type", "BAD_COMMON_HEADER"),
        ("nonce", "BAD_COMMON_HEADER"),
        ("config update", "UNSUPPORTED_TX_PAYLOAD"),
        ("id", "BAD_PROPOSAL_TXID"),
        ("data", "INVALID_ENDORSER_TRANSACTION"),
        ("extension", "INVALID_ENDORSER_TRANSACTION"),  # the proposal hash covers it
    ],
)
def test_a_changed_part_has_the_code_fabric_gives(
    consortium: Consortium, change: str, code: str
) -> None:
    assert consortium.commit(resigned(consortium, good(consortium), change)) == [code]
    assert consortium.get("open", "k") is None


def test_a_payload_that_is_no_payload_is_a_bad_payload(consortium: Consortium) -> None:
    assert consortium.commit(Envelope(payload=b"\xff", signature=b"s")) == ["BAD_PAYLOAD"]


def test_a_payload_without_header_has_a_bad_common_header(consortium: Consortium) -> None:
    empty = Envelope(payload=serialize(Payload(data=b"d")), signature=b"s")
    assert consortium.commit(empty) == ["BAD_COMMON_HEADER"]


def test_a_changed_creator_signature_is_refused(consortium: Consortium) -> None:
    envelope = parse(Envelope, good(consortium).envelope)
    envelope.signature = consortium.organizations["DSO"].client.sign(envelope.payload)
    assert consortium.commit(envelope) == ["BAD_CREATOR_SIGNATURE"]


def test_a_creator_of_no_member_organisation_is_refused(consortium: Consortium) -> None:
    stranger = organization("Stranger").client
    results = consortium.simulate(put("open", "k"))
    transaction = consortium.endorse("open", results, creator=stranger)
    assert consortium.commit(transaction) == ["BAD_CREATOR_SIGNATURE"]


def test_the_second_use_of_an_id_in_a_block_is_a_duplicate(consortium: Consortium) -> None:
    transaction = good(consortium)
    assert consortium.commit(transaction, transaction) == ["VALID", "DUPLICATE_TXID"]


def test_an_id_committed_before_is_a_duplicate_even_if_it_was_invalid(
    consortium: Consortium,
) -> None:
    results = consortium.simulate(put("district", "k"))
    nonce = b"n" * 24
    refused = consortium.endorse("district", results, ["DSO"], nonce=nonce)
    assert consortium.commit(refused) == ["ENDORSEMENT_POLICY_FAILURE"]
    again = consortium.endorse("district", results, nonce=nonce)
    assert consortium.commit(again) == ["DUPLICATE_TXID"]


def test_an_unknown_chaincode_is_invalid(consortium: Consortium) -> None:
    results = consortium.simulate(put("nowhere", "k"))
    assert consortium.commit(consortium.endorse("nowhere", results)) == ["INVALID_CHAINCODE"]


def test_writing_to_an_unknown_namespace_is_invalid(consortium: Consortium) -> None:
    results = consortium.simulate(put("nowhere", "k"))
    assert consortium.commit(consortium.endorse("open", results)) == ["INVALID_CHAINCODE"]


def test_an_answer_without_version_is_an_invalid_chaincode(consortium: Consortium) -> None:
    results = consortium.simulate(put("open", "k"))
    transaction = consortium.endorse("open", results, version="")
    assert consortium.commit(transaction) == ["INVALID_CHAINCODE"]


def test_a_read_write_set_that_is_none_is_a_bad_rwset(consortium: Consortium) -> None:
    assert consortium.commit(consortium.endorse("open", b"\xff")) == ["BAD_RWSET"]


def test_a_namespace_named_twice_is_an_illegal_write_set(consortium: Consortium) -> None:
    twice = [NsReadWriteSet(namespace="open"), NsReadWriteSet(namespace="open")]
    results = serialize(TxReadWriteSet(ns_rwset=twice))
    assert consortium.commit(consortium.endorse("open", results)) == ["ILLEGAL_WRITESET"]


def test_every_namespace_written_needs_its_own_policy(consortium: Consortium) -> None:
    results = consortium.simulate(put("district", "k"))
    by_one = consortium.endorse("open", results, ["DSO"])
    assert consortium.commit(by_one) == ["ENDORSEMENT_POLICY_FAILURE"]
    by_both = consortium.endorse("open", results, ["DSO", "DistrictA"])
    assert consortium.commit(by_both) == ["VALID"]


def test_an_invalid_transaction_does_not_harm_its_neighbours(consortium: Consortium) -> None:
    results = consortium.simulate(put("open", "k"))
    bad = consortium.endorse("nowhere", results)
    first = consortium.endorse("open", consortium.simulate(put("open", "a")))
    last = consortium.endorse("open", consortium.simulate(put("open", "b")))
    assert consortium.commit(first, bad, last) == ["VALID", "INVALID_CHAINCODE", "VALID"]
    assert consortium.get("open", "a") == consortium.get("open", "b") == b"1"
