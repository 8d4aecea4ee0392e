# SPDX-License-Identifier: Apache-2.0
"""Remembering good signatures must never make a bad one good."""

import pytest
from fabric_protos.common.common_pb2 import Envelope, Payload
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pedchain_fabric.errors import SignatureInvalid
from pedchain_fabric.wire.block import SignedData
from pedchain_fabric.wire.identity import Identity
from pedchain_fabric.wire.messages import parse, serialize
from tests.unit.fabric.embedded_ledger.consortium import Consortium, put


def test_a_good_signature_is_checked_once_and_a_bad_one_each_time(consortium: Consortium) -> None:
    client = consortium.organizations["DSO"].client
    verifier = consortium.ledger.verifier
    signature = client.sign(b"message")
    assert verifier.verify(client.creator, b"message", signature).msp_id == "DSOMSP"
    assert verifier.verify(client.creator, b"message", signature).roles == {"member", "client"}
    for message, bad in ((b"other", signature), (b"message", signature[:-1] + b"\0")):
        for _ in range(2):
            with pytest.raises(SignatureInvalid):
                verifier.verify(client.creator, message, bad)


def test_moving_bytes_from_the_message_to_the_certificate_does_not_pass(
    consortium: Consortium,
) -> None:
    client = consortium.organizations["DSO"].client
    verifier = consortium.ledger.verifier
    signature = client.sign(b"head and tail")
    verifier.verify(client.creator, b"head and tail", signature)
    longer = Identity(client.msp_id, client.certificate + b"head and ").creator
    with pytest.raises(SignatureInvalid):
        verifier.verify(longer, b"tail", signature)


def test_signers_are_those_who_signed_each_once_in_order(consortium: Consortium) -> None:
    dso, district = (consortium.organizations[name].peer for name in ("DSO", "DistrictA"))

    def claim(who: object, message: bytes, signature: bytes) -> SignedData:
        return SignedData(getattr(who, "creator", b"garbage"), message, signature)

    claims = [
        claim(district, b"m", district.sign(b"m")),
        claim(dso, b"m", b"no signature"),
        claim(None, b"m", b""),
        claim(dso, b"m", dso.sign(b"m")),
        claim(district, b"m", district.sign(b"m")),
    ]
    found = consortium.ledger.verifier.signers(claims)
    assert [each.msp_id for each in found] == ["DistrictAMSP", "DSOMSP"]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 4000), value=st.integers(0, 255), cut=st.booleans())
def test_no_change_of_a_transaction_stops_the_ledger(
    consortium: Consortium, place: int, value: int, cut: bool
) -> None:
    transaction = consortium.endorse("open", consortium.simulate(put("open", "k")), ["DSO"])
    envelope = parse(Envelope, transaction.envelope)
    payload = parse(Payload, envelope.payload)
    data = bytearray(payload.data)
    place %= len(data)
    if cut:
        del data[place:]
    else:
        data[place] = value
    payload.data = bytes(data)
    envelope.payload = serialize(payload)
    client = consortium.organizations["DistrictA"].client
    envelope.signature = client.sign(envelope.payload)
    height, before = consortium.ledger.height, consortium.get("open", "k")
    (code,) = consortium.commit(envelope)
    assert consortium.ledger.height == height + 1
    assert code == "VALID" or consortium.get("open", "k") == before
