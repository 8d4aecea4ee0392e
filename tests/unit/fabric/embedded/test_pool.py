# SPDX-License-Identifier: Apache-2.0
"""How envelopes wait, and how batches are cut from them."""

import pytest
from fabric_protos.common.common_pb2 import (
    CONFIG,
    ENDORSER_TRANSACTION,
    ChannelHeader,
    Envelope,
    Header,
    Payload,
    SignatureHeader,
)
from fabric_protos.common.configtx_pb2 import ConfigEnvelope
from hypothesis import given
from hypothesis import strategies as st

from pedchain_fabric.embedded.orderer.pool import (
    Cut,
    Request,
    RequestPool,
    RequestRefused,
    request_of,
)
from pedchain_fabric.errors import WireError
from pedchain_fabric.wire.messages import serialize

ROOMY = Cut(max_count=10, max_bytes=1000)


def request(name: str, *, size: int = 10, config: bool = False) -> Request:
    return Request(name, bytes(size), config)


def pool(*requests: Request) -> RequestPool:
    made = RequestPool()
    for each in requests:
        made.add("o1", each, 100)
    return made


def names(batch: list[Request]) -> list[str]:
    return [each.id for each in batch]


def test_the_first_come_is_the_first_ordered() -> None:
    assert names(pool(request("a"), request("b"), request("c")).batch(ROOMY)) == ["a", "b", "c"]


def test_a_batch_has_at_most_so_many_requests() -> None:
    waiting = pool(request("a"), request("b"), request("c"))
    assert not waiting.is_full(Cut(4, 1000))
    assert waiting.is_full(Cut(3, 1000))
    assert names(waiting.batch(Cut(2, 1000))) == ["a", "b"]


def test_a_batch_has_at_most_so_many_bytes() -> None:
    waiting = pool(request("a", size=40), request("b", size=60), request("c", size=1))
    assert not waiting.is_full(Cut(10, 102))
    assert waiting.is_full(Cut(10, 101))
    assert names(waiting.batch(Cut(10, 100))) == ["a", "b"]
    assert names(waiting.batch(Cut(10, 99))) == ["a"]


def test_a_request_larger_than_a_batch_is_ordered_alone() -> None:
    waiting = pool(request("a", size=5000), request("b"))
    assert names(waiting.batch(ROOMY)) == ["a"]


def test_a_configuration_is_ordered_alone() -> None:
    waiting = pool(request("a"), request("b", config=True), request("c"))
    taken = []
    while len(waiting):
        batch = waiting.batch(ROOMY)
        taken.append(names(batch))
        waiting.processed(batch)
    assert taken == [["a"], ["b"], ["c"]]


def test_one_orderer_takes_a_request_once() -> None:
    waiting = pool(request("a"))
    with pytest.raises(RequestRefused, match="request already exists"):
        waiting.add("o1", request("a"), 100)


def test_the_same_request_at_several_orderers_is_ordered_once() -> None:
    waiting = pool(request("a"))
    waiting.add("o2", request("a"), 100)
    batch = waiting.batch(ROOMY)
    assert names(batch) == ["a"]
    waiting.processed(batch)
    assert not len(waiting)


def test_a_request_that_was_ordered_is_not_taken_again() -> None:
    waiting = pool(request("a"))
    waiting.processed(waiting.batch(ROOMY))
    with pytest.raises(RequestRefused, match="request already processed"):
        waiting.add("o2", request("a"), 100)


def test_a_dropped_request_may_come_again() -> None:
    waiting = pool(request("a"))
    waiting.drop(request("a"))
    waiting.add("o1", request("a"), 100)
    assert names(waiting.batch(ROOMY)) == ["a"]


def test_a_full_pool_takes_nothing_new() -> None:
    waiting = RequestPool()
    waiting.add("o1", request("a"), 1)
    with pytest.raises(RequestRefused, match="timeout submitting to request pool"):
        waiting.add("o1", request("b"), 1)
    waiting.add("o2", request("a"), 1)
    waiting.processed(waiting.batch(ROOMY))
    waiting.add("o1", request("b"), 1)


@given(
    st.lists(st.tuples(st.integers(1, 200), st.booleans()), max_size=30),
    st.integers(1, 8),
    st.integers(1, 300),
)
def test_every_request_is_ordered_once_in_order_within_the_limits(
    sizes: list[tuple[int, bool]], max_count: int, max_bytes: int
) -> None:
    requests = [
        request(str(number), size=size, config=config)
        for number, (size, config) in enumerate(sizes)
    ]
    waiting, cut = pool(*requests), Cut(max_count, max_bytes)
    ordered: list[Request] = []
    while len(waiting):
        batch = waiting.batch(cut)
        assert 1 <= len(batch) <= max_count
        assert len(batch) == 1 or sum(len(each.envelope) for each in batch) <= max_bytes
        assert len(batch) == 1 or not any(each.is_config for each in batch)
        waiting.processed(batch)
        ordered += batch
    assert ordered == requests
    assert waiting.waiting() == []


def envelope(kind: int, *, nonce: bytes = b"n", data: bytes = b"", signature: bytes = b"") -> bytes:
    header = Header(
        channel_header=serialize(ChannelHeader(type=kind)),
        signature_header=serialize(SignatureHeader(creator=b"c", nonce=nonce)),
    )
    payload = serialize(Payload(header=header, data=data))
    return serialize(Envelope(payload=payload, signature=signature))


def test_a_transaction_is_known_by_nonce_and_creator() -> None:
    one = request_of(envelope(ENDORSER_TRANSACTION))
    again = request_of(envelope(ENDORSER_TRANSACTION, data=b"other", signature=b"s"))
    other = request_of(envelope(ENDORSER_TRANSACTION, nonce=b"m"))
    assert one.id == again.id != other.id
    assert not one.is_config


def test_a_configuration_is_known_by_its_update_whoever_proposes_it() -> None:
    update = ConfigEnvelope(last_update=Envelope(payload=b"update"))
    one = request_of(envelope(CONFIG, data=serialize(update)))
    other = request_of(envelope(CONFIG, nonce=b"m", data=serialize(update)))
    assert one.id == other.id
    assert one.is_config


def test_garbage_makes_no_request() -> None:
    with pytest.raises(WireError):
        request_of(b"\xff")
