# SPDX-License-Identifier: Apache-2.0
import contextlib
import hashlib

import pytest
from fabric_protos.common.common_pb2 import ChannelHeader, Header, SignatureHeader
from fabric_protos.peer.chaincode_pb2 import ChaincodeInvocationSpec
from fabric_protos.peer.proposal_pb2 import (
    ChaincodeHeaderExtension,
    ChaincodeProposalPayload,
    SignedProposal,
)
from fabric_protos.peer.proposal_pb2 import Proposal as ProposalMessage
from hypothesis import given
from hypothesis import strategies as st

from pedchain_fabric.errors import WireError
from pedchain_fabric.wire.proposal import (
    build_proposal,
    new_nonce,
    parse_signed_proposal,
    proposal_hash,
    transaction_id,
)

NOW = 1_700_000_000_123_456_789


def signed(**changes):
    arguments = {
        "creator": b"creator",
        "channel": "ped",
        "chaincode": "registry",
        "args": [b"Put", b"\0\xff"],
        "timestamp": NOW,
    }
    built = build_proposal(**{**arguments, **changes})
    return SignedProposal(proposal_bytes=built.proposal_bytes, signature=b"s")


def changed(*, channel=None, signature=None, extension=None, payload=None, spec=None):
    """A good proposal with one of its messages changed by a function."""
    proposal = ProposalMessage.FromString(signed().proposal_bytes)
    header = Header.FromString(proposal.header)
    channel_header = ChannelHeader.FromString(header.channel_header)
    signature_header = SignatureHeader.FromString(header.signature_header)
    header_extension = ChaincodeHeaderExtension.FromString(channel_header.extension)
    body = ChaincodeProposalPayload.FromString(proposal.payload)
    invocation = ChaincodeInvocationSpec.FromString(body.input)
    for change, message in (
        (extension, header_extension),
        (spec, invocation),
        (channel, channel_header),
        (signature, signature_header),
    ):
        if change:
            change(message)
    if extension:
        channel_header.extension = header_extension.SerializeToString()
    body.input = invocation.SerializeToString()
    if payload:
        payload(body)
    header.channel_header = channel_header.SerializeToString()
    header.signature_header = signature_header.SerializeToString()
    proposal.header, proposal.payload = header.SerializeToString(), body.SerializeToString()
    return SignedProposal(proposal_bytes=proposal.SerializeToString(), signature=b"s")


def test_the_transaction_id_is_the_digest_of_nonce_and_creator():
    assert transaction_id(b"n", b"c") == hashlib.sha256(b"nc").hexdigest()
    assert len(new_nonce()) == 24
    assert new_nonce() != new_nonce()


@given(
    st.lists(st.binary(max_size=20), max_size=4),
    st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), st.binary()),
    st.integers(0, 2**62),
)
def test_what_was_proposed_is_read_back(args, transient, timestamp):
    parts = parse_signed_proposal(signed(args=args, transient=transient, timestamp=timestamp))
    assert parts.args == tuple(args)
    assert dict(parts.transient) == transient
    assert parts.timestamp == timestamp
    assert (parts.channel_id, parts.chaincode_name, parts.creator) == (
        "ped",
        "registry",
        b"creator",
    )
    assert parts.transaction_id == transaction_id(parts.nonce, b"creator")
    assert not parts.is_init


def test_the_proposal_hash_leaves_out_transient_data_and_covers_the_rest():
    def digest(**changes):
        parts = parse_signed_proposal(signed(nonce=b"n" * 24, **changes))
        return proposal_hash(parts.header_bytes, parts.payload_bytes)

    assert digest() == digest(transient={"secret": b"1"})
    assert digest() != digest(args=[b"Put"])
    assert digest() != digest(channel="other")


BAD = {
    "invalid header type 12": {"channel": lambda m: setattr(m, "type", 12)},
    "invalid header type DELIVER_SEEK_INFO": {"channel": lambda m: setattr(m, "type", 5)},
    "epoch": {"channel": lambda m: setattr(m, "epoch", 1)},
    "txid": {"channel": lambda m: setattr(m, "tx_id", "00")},
    "nonce is empty": {"signature": lambda m: m.ClearField("nonce")},
    "creator is empty": {"signature": lambda m: m.ClearField("creator")},
    "ChaincodeId is nil": {"extension": lambda m: m.ClearField("chaincode_id")},
    "Name is empty": {"extension": lambda m: m.chaincode_id.ClearField("name")},
    "did not contain chaincode spec": {"spec": lambda m: m.ClearField("chaincode_spec")},
    "did not contain any input": {"spec": lambda m: m.chaincode_spec.ClearField("input")},
    "not a ChaincodeInvocationSpec": {"payload": lambda m: setattr(m, "input", b"\xff")},
    "not a ChaincodeHeaderExtension": {"channel": lambda m: setattr(m, "extension", b"\xff")},
}


@pytest.mark.parametrize("words", BAD)
def test_a_proposal_fabric_refuses_is_refused(words):
    with pytest.raises(WireError, match=words):
        parse_signed_proposal(changed(**BAD[words]))


def test_a_proposal_without_signature_is_refused():
    good = signed()
    with pytest.raises(WireError, match="signature"):
        parse_signed_proposal(SignedProposal(proposal_bytes=good.proposal_bytes))


def test_an_unchanged_proposal_is_accepted():
    assert parse_signed_proposal(changed()).args == (b"Put", b"\0\xff")


@given(st.binary(max_size=200))
def test_garbage_raises_wire_errors_only(data):
    with pytest.raises(WireError):
        parse_signed_proposal(SignedProposal(proposal_bytes=data, signature=b"s"))
    with contextlib.suppress(WireError):
        proposal_hash(data, data)


@given(st.data())
def test_a_damaged_proposal_raises_wire_errors_only(data):
    body = bytearray(signed(transient={"a": b"b"}).proposal_bytes)
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(WireError):
        parse_signed_proposal(SignedProposal(proposal_bytes=bytes(body), signature=b"s"))
