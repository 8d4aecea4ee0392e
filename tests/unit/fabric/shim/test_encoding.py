# SPDX-License-Identifier: Apache-2.0
"""What is put together by hand is what protobuf makes of it."""

from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage, DelState, GetState, PutState
from hypothesis import given
from hypothesis import strategies as st

from pedchain_fabric.shim import encoding

TEXT = st.text(max_size=200)
BYTES = st.binary(max_size=200) | st.integers(0, 70_000).map(bytes)
KINDS = st.sampled_from([kind for kind in ChaincodeMessage.Type.values() if kind])


@given(KINDS, BYTES, TEXT, TEXT, st.none() | TEXT)
def test_a_message_is_as_protobuf_writes_it(
    kind: ChaincodeMessage.Type.ValueType, payload: bytes, txid: str, channel: str, name: str | None
) -> None:
    event = ChaincodeEvent(event_name=name, payload=payload) if name else None
    expected = ChaincodeMessage(
        type=kind, payload=payload, txid=txid, channel_id=channel, chaincode_event=event
    )
    told = event.SerializeToString() if event else b""
    made = encoding.Envelope(channel, txid).message(kind, payload, told)
    assert made == expected.SerializeToString()


@given(TEXT, BYTES, TEXT)
def test_reads_writes_and_deletes_are_as_protobuf_writes_them(
    key: str, value: bytes, collection: str
) -> None:
    name = key.encode()
    asked = GetState(key=key, collection=collection).SerializeToString()
    deleted = DelState(key=key, collection=collection).SerializeToString()
    written = PutState(key=key, value=value, collection=collection).SerializeToString()
    assert [encoding.get(name, collection)] * 2 == [asked, deleted]
    assert encoding.put(name, value, collection) == written
