# SPDX-License-Identifier: Apache-2.0
import contextlib

import pytest
from fabric_protos.common.common_pb2 import (
    CONFIG,
    CONFIG_UPDATE,
    ENDORSER_TRANSACTION,
    ChannelHeader,
    Envelope,
    Header,
    Payload,
    SignatureHeader,
)
from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.chaincode_pb2 import ChaincodeID
from fabric_protos.peer.proposal_pb2 import ChaincodeAction, ChaincodeHeaderExtension
from fabric_protos.peer.proposal_pb2 import Proposal as ProposalMessage
from fabric_protos.peer.proposal_response_pb2 import (
    Endorsement,
    ProposalResponse,
    ProposalResponsePayload,
    Response,
)
from fabric_protos.peer.transaction_pb2 import ChaincodeActionPayload, Transaction
from hypothesis import given
from hypothesis import strategies as st

from pedchain_fabric.errors import WireError
from pedchain_fabric.wire.proposal import build_proposal, proposal_hash
from pedchain_fabric.wire.transaction import assemble, parse_envelope

PROPOSAL = build_proposal(
    b"creator", "ped", "registry", [b"Put", b"1"], transient={"secret": b"x"}, nonce=b"n" * 24
)
EVENT = ChaincodeEvent(chaincode_id="registry", event_name="put").SerializeToString()


def endorsed(endorser=b"e1", *, status=200, event=EVENT, result=b"rw", name="registry"):
    message = ProposalMessage.FromString(PROPOSAL.proposal_bytes)
    action = ChaincodeAction(
        results=result,
        events=event,
        response=Response(status=status, payload=b"answer"),
        chaincode_id=ChaincodeID(name=name, version="1"),
    )
    payload = ProposalResponsePayload(
        proposal_hash=proposal_hash(message.header, message.payload),
        extension=action.SerializeToString(),
    )
    return ProposalResponse(
        payload=payload.SerializeToString(),
        response=Response(status=status),
        endorsement=Endorsement(endorser=endorser, signature=b"sig-" + endorser),
    )


def envelope():
    made = assemble(PROPOSAL.proposal_bytes, [endorsed(), endorsed(b"e2")])
    made.signature = b"s"
    return made


def changed(*, channel=None, signature=None, transaction=None, cap=None, prp=None, action=None):
    """A good envelope with one of its messages changed by a function."""
    made = envelope()
    payload = Payload.FromString(made.payload)
    channel_header = ChannelHeader.FromString(payload.header.channel_header)
    signature_header = SignatureHeader.FromString(payload.header.signature_header)
    body = Transaction.FromString(payload.data)
    inner = ChaincodeActionPayload.FromString(body.actions[0].payload)
    response = ProposalResponsePayload.FromString(inner.action.proposal_response_payload)
    answer = ChaincodeAction.FromString(response.extension)
    if action:
        action(answer)
        response.extension = answer.SerializeToString()
    if prp:
        prp(response)
    inner.action.proposal_response_payload = response.SerializeToString()
    if cap:
        cap(inner)
    body.actions[0].payload = inner.SerializeToString()
    if transaction:
        transaction(body)
    payload.data = body.SerializeToString()
    if channel:
        channel(channel_header)
        payload.header.channel_header = channel_header.SerializeToString()
    if signature:
        signature(signature_header)
        payload.header.signature_header = signature_header.SerializeToString()
    made.payload = payload.SerializeToString()
    return made.SerializeToString()


def rehashed(change):
    """The same for the channel header's extension, with the proposal hash made right again."""

    def apply(header):
        extension = ChaincodeHeaderExtension.FromString(header.extension)
        change(extension)
        header.extension = extension.SerializeToString()

    made = Envelope.FromString(changed(channel=apply))
    payload = Payload.FromString(made.payload)
    body = Transaction.FromString(payload.data)
    inner = ChaincodeActionPayload.FromString(body.actions[0].payload)
    response = ProposalResponsePayload.FromString(inner.action.proposal_response_payload)
    response.proposal_hash = proposal_hash(
        payload.header.SerializeToString(), inner.chaincode_proposal_payload
    )
    inner.action.proposal_response_payload = response.SerializeToString()
    body.actions[0].payload = inner.SerializeToString()
    payload.data = body.SerializeToString()
    made.payload = payload.SerializeToString()
    return made.SerializeToString()


def test_an_assembled_transaction_is_read_back():
    parts = parse_envelope(envelope().SerializeToString())
    assert parts.type == ENDORSER_TRANSACTION
    assert parts.transaction_id == PROPOSAL.transaction_id
    assert (parts.channel_id, parts.creator, parts.signature) == ("ped", b"creator", b"s")
    assert (parts.chaincode_name, parts.chaincode_version) == ("registry", "1")
    assert parts.args == (b"Put", b"1")
    assert parts.results == b"rw"
    assert parts.response.payload == b"answer"
    assert parts.event is not None
    assert parts.event.event_name == "put"
    assert [each.endorser for each in parts.endorsements] == [b"e1", b"e2"]


def test_transient_data_never_gets_into_a_transaction():
    assert b"secret" in PROPOSAL.proposal_bytes
    assert b"secret" not in envelope().SerializeToString()


def test_one_endorsement_per_endorser_in_order_of_arrival():
    answers = [endorsed(b"b"), endorsed(b"a"), endorsed(b"b")]
    made = assemble(PROPOSAL.proposal_bytes, answers)
    parts = parse_envelope(made.SerializeToString())
    assert [each.endorser for each in parts.endorsements] == [b"b", b"a"]


@pytest.mark.parametrize(
    ("responses", "words"),
    [
        ([], "at least one"),
        ([endorsed(status=400)], "unsuccessful"),
        ([endorsed(status=199)], "unsuccessful"),
        ([endorsed(), endorsed(b"e2", result=b"other")], "do not match"),
        ([ProposalResponse(response=Response(status=200), payload=b"p")], "no endorsements"),
    ],
)
def test_responses_that_make_no_transaction_are_refused(responses, words):
    with pytest.raises(WireError, match=words):
        assemble(PROPOSAL.proposal_bytes, responses)


def drop_actions(body):
    del body.actions[:]


def double_action(body):
    body.actions.append(body.actions[0])


BAD = [
    ({"channel": lambda m: setattr(m, "type", 2**30)}, "BAD_COMMON_HEADER"),
    ({"channel": lambda m: setattr(m, "epoch", 1)}, "BAD_COMMON_HEADER"),
    ({"signature": lambda m: m.ClearField("nonce")}, "BAD_COMMON_HEADER"),
    ({"signature": lambda m: m.ClearField("creator")}, "BAD_COMMON_HEADER"),
    ({"channel": lambda m: setattr(m, "type", CONFIG_UPDATE)}, "UNSUPPORTED_TX_PAYLOAD"),
    ({"channel": lambda m: setattr(m, "tx_id", "00")}, "BAD_PROPOSAL_TXID"),
    ({"transaction": drop_actions}, "INVALID_ENDORSER_TRANSACTION"),
    ({"transaction": double_action}, "INVALID_ENDORSER_TRANSACTION"),
    ({"transaction": lambda m: m.actions[0].ClearField("header")}, "INVALID_ENDORSER_TRANSACTION"),
    ({"transaction": lambda m: m.actions[0].ClearField("payload")}, "INVALID_ENDORSER_TRANSACTION"),
    ({"cap": lambda m: m.ClearField("action")}, "INVALID_ENDORSER_TRANSACTION"),
    ({"cap": lambda m: m.ClearField("chaincode_proposal_payload")}, "INVALID_ENDORSER_TRANSACTION"),
    ({"prp": lambda m: setattr(m, "proposal_hash", b"x")}, "INVALID_ENDORSER_TRANSACTION"),
    ({"channel": lambda m: setattr(m, "channel_id", "x")}, "INVALID_ENDORSER_TRANSACTION"),
    ({"prp": lambda m: m.ClearField("extension")}, "BAD_RESPONSE_PAYLOAD"),
    ({"prp": lambda m: setattr(m, "extension", b"\xff")}, "BAD_RESPONSE_PAYLOAD"),
    ({"action": lambda m: m.ClearField("chaincode_id")}, "INVALID_OTHER_REASON"),
    ({"action": lambda m: setattr(m, "events", b"\xff")}, "INVALID_OTHER_REASON"),
    ({"action": lambda m: setattr(m.chaincode_id, "name", "x")}, "INVALID_CHAINCODE"),
    ({"action": lambda m: m.chaincode_id.ClearField("version")}, "INVALID_CHAINCODE"),
]


@pytest.mark.parametrize(("change", "code"), BAD)
def test_a_malformed_transaction_has_the_committers_code(change, code):
    with pytest.raises(WireError) as caught:
        parse_envelope(changed(**change))
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda m: m.ClearField("chaincode_id"), "INVALID_OTHER_REASON"),
        (lambda m: m.chaincode_id.ClearField("name"), "INVALID_CHAINCODE"),
        (lambda m: setattr(m.chaincode_id, "name", "x"), "INVALID_CHAINCODE"),
    ],
)
def test_the_headers_chaincode_must_be_the_actions(change, code):
    with pytest.raises(WireError) as caught:
        parse_envelope(rehashed(change))
    assert caught.value.code == code


def test_an_event_of_another_chaincode_is_refused():
    other = ChaincodeEvent(chaincode_id="other").SerializeToString()
    made = assemble(PROPOSAL.proposal_bytes, [endorsed(event=other)])
    with pytest.raises(WireError, match="another chaincode"):
        parse_envelope(made.SerializeToString())


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"\xff", "INVALID_OTHER_REASON"),
        (Envelope(payload=b"\xff").SerializeToString(), "BAD_PAYLOAD"),
        (b"", "BAD_COMMON_HEADER"),
    ],
)
def test_what_is_no_envelope_has_the_committers_code_too(raw, code):
    with pytest.raises(WireError) as caught:
        parse_envelope(raw)
    assert caught.value.code == code


def test_of_a_config_transaction_only_the_header_is_read():
    header = Header(channel_header=ChannelHeader(type=CONFIG, channel_id="c").SerializeToString())
    payload = Payload(header=header, data=b"config")
    parts = parse_envelope(Envelope(payload=payload.SerializeToString()).SerializeToString())
    assert (parts.type, parts.channel_id, parts.data) == (CONFIG, "c", b"config")
    assert parts.endorsements == ()
    assert parts.results == parts.proposal_response_payload == b""
    assert parts.event is None


@given(st.binary(max_size=100))
def test_garbage_raises_wire_errors_only(data):
    with pytest.raises(WireError):
        parse_envelope(data)
    with pytest.raises(WireError):
        assemble(data, [])


@given(st.data())
def test_a_damaged_envelope_raises_wire_errors_only(data):
    body = bytearray(envelope().SerializeToString())
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(WireError):
        _ = parse_envelope(bytes(body)).args
