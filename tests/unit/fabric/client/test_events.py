# SPDX-License-Identifier: Apache-2.0
import asyncio

import grpc
import pytest
from fabric_protos.common.common_pb2 import ChannelHeader, Payload
from fabric_protos.gateway.gateway_pb2 import ChaincodeEventsRequest
from fabric_protos.orderer.ab_pb2 import SeekInfo
from hypothesis import given
from hypothesis import strategies as st

from pedchain_fabric.client import ChaincodeEvent, Deadlines, Gateway, MemoryCheckpointer
from pedchain_fabric.client.blocks import BLOCK
from pedchain_fabric.client.events import after
from pedchain_fabric.errors import CheckpointError, GatewayError
from pedchain_fabric.wire.identity import SigningIdentity
from tests.unit.fabric.client.fakepeer import HEIGHT, events_of, refusal


async def take(stream, count):
    async with stream as opened:
        return [await anext(opened) for _ in range(count)]


@pytest.mark.complete("client-events")
async def test_events_come_one_by_one_in_the_ledgers_order(peer, network):
    peer.events = [events_of(1, "t1", "t2"), events_of(4, "t3")]
    found = await take(network.chaincode_events("cc"), 3)
    assert found[0] == ChaincodeEvent(1, "t1", "cc", "e", b"t1")
    assert [(each.block_number, each.transaction_id) for each in found[1:]] == [
        (1, "t2"),
        (4, "t3"),
    ]


@pytest.mark.parametrize(
    ("options", "kind", "number"),
    [
        ({}, "next_commit", 0),
        ({"start_block": 0}, "specified", 0),
        ({"start_block": 5}, "specified", 5),
        ({"start_block": 5, "checkpoint": MemoryCheckpointer()}, "specified", 5),
        ({"start_block": 5, "checkpoint": MemoryCheckpointer(2)}, "specified", 2),
        ({"checkpoint": MemoryCheckpointer(0, "t")}, "specified", 0),
        ({"checkpoint": MemoryCheckpointer()}, "next_commit", 0),
    ],
)
@pytest.mark.complete("client-start-block", "client-checkpoint")
async def test_where_listening_begins(peer, network, options, kind, number):
    peer.events = [events_of(20, "t1")]
    peer.places = {"t": 0}
    await take(network.chaincode_events("cc", **options), 1)
    asked = ChaincodeEventsRequest.FromString(peer.requests[-1].request)
    assert asked.start_position.WhichOneof("Type") == kind
    assert asked.start_position.specified.number == number
    assert asked.after_transaction_id == ""
    request = network.new_block_events_request(BLOCK, **options)
    seek = SeekInfo.FromString(Payload.FromString(request.message).data)
    assert seek.start.WhichOneof("Type") == kind
    assert seek.start.specified.number == number


@pytest.mark.complete("client-checkpoint")
async def test_a_listener_goes_on_after_the_transaction_it_noted(peer, network):
    peer.events = [events_of(3, "t1", "t2", "t3"), events_of(4, "t4")]
    peer.places = {"t2": 3}
    checkpoint = MemoryCheckpointer(3, "t2")
    found = await take(network.chaincode_events("cc", checkpoint=checkpoint), 2)
    assert [each.transaction_id for each in found] == ["t3", "t4"]


async def test_a_noted_transaction_without_event_gives_its_block_again(peer, network):
    peer.events = [events_of(3, "t1")]
    peer.places = {"silent": 3}
    checkpoint = MemoryCheckpointer(3, "silent")
    (found,) = await take(network.chaincode_events("cc", checkpoint=checkpoint), 1)
    assert found.transaction_id == "t1"


LISTENERS = {
    "chaincode": lambda network, checkpoint: network.chaincode_events("cc", checkpoint=checkpoint),
    "blocks": lambda network, checkpoint: network.block_events(checkpoint=checkpoint),
}


@pytest.mark.parametrize("listen", LISTENERS.values(), ids=LISTENERS)
@pytest.mark.parametrize(
    ("checkpoint", "said"),
    [
        (MemoryCheckpointer(3, "unknown"), "knows nothing of the checkpoint's transaction"),
        (MemoryCheckpointer(3, "elsewhere"), "stands in block 4 of ped, not in 3"),
        (MemoryCheckpointer(HEIGHT + 2), f"has only {HEIGHT + 1}"),
    ],
    ids=["unknown", "elsewhere", "beyond"],
)
@pytest.mark.complete("client-checkpoint")
async def test_a_checkpoint_of_another_ledger_is_refused_before_anything_is_listened_to(
    peer, user, channel, listen, checkpoint, said
):
    peer.places = {"elsewhere": 4}
    network = Gateway(user, channel, Deadlines(evaluate=0.2)).network("ped")
    with pytest.raises(CheckpointError, match=said):
        await anext(listen(network, checkpoint))
    assert len(peer.requests) == 1  # the question, and no stream


@pytest.mark.parametrize("listen", LISTENERS.values(), ids=LISTENERS)
async def test_a_checkpoint_at_the_ledgers_end_is_of_this_ledger(peer, network, listen):
    async with listen(network, MemoryCheckpointer(HEIGHT + 1)):
        await peer.arrived(2)


async def test_that_the_peer_cannot_be_asked_about_a_checkpoint_is_no_word_on_it(peer, network):
    peer.fail["CommitStatus"] = refusal(grpc.StatusCode.UNAVAILABLE, "gone")
    with pytest.raises(GatewayError) as caught:
        await anext(network.chaincode_events("cc", checkpoint=MemoryCheckpointer(3, "t")))
    assert caught.value.code == "UNAVAILABLE"


@given(st.lists(st.integers(0, 3), max_size=6), st.integers(0, 3))
def test_nothing_after_the_noted_transaction_is_left_out(transactions, done):
    events = [ChaincodeEvent(1, str(each), "cc", "e", b"") for each in transactions]
    left = after(events, 1, str(done))
    assert left == events[len(events) - len(left) :]
    assert str(done) not in [each.transaction_id for each in left]
    if len(left) < len(events):
        assert events[-len(left) - 1].transaction_id == str(done)
    assert after(events, 2, str(done)) == events


@pytest.mark.complete("client-evaluate-error", "client-stream-end")
async def test_a_refused_stream_says_why(peer, network):
    peer.fail["ChaincodeEvents"] = refusal(grpc.StatusCode.PERMISSION_DENIED, "no")
    with pytest.raises(GatewayError) as caught:
        await anext(network.chaincode_events("cc"))
    assert caught.value.code == "PERMISSION_DENIED"


@pytest.mark.complete("client-stream-end", "client-cancel")
async def test_closing_ends_an_iteration_under_way(peer, network):
    peer.events = [events_of(1, "t1")]
    stream = network.chaincode_events("cc")
    assert (await anext(stream)).transaction_id == "t1"
    waiting = asyncio.create_task(collect(stream))
    await asyncio.sleep(0)
    await stream.aclose()
    assert await waiting == []
    assert await collect(stream) == []


async def collect(stream):
    return [each async for each in stream]


@pytest.mark.complete("client-cancel")
async def test_cancelling_the_listener_is_not_mistaken_for_an_end(peer, network):
    stream = network.chaincode_events("cc")
    waiting = asyncio.create_task(collect(stream))
    await peer.arrived()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await stream.aclose()


@pytest.mark.complete("client-blocks", "client-filtered-blocks", "client-private-blocks")
async def test_all_three_kinds_of_blocks_end_after_the_last_one_wanted(network):
    whole = network.block_events(start_block=1, stop_block=2)
    assert [each.header.number async for each in whole] == [1, 2]
    filtered = network.filtered_block_events(start_block=0, stop_block=1)
    assert [each.number async for each in filtered] == [0, 1]
    private = network.block_and_private_data_events(start_block=2, stop_block=2)
    assert [each.block.header.number async for each in private] == [2]


async def test_without_an_end_blocks_are_waited_for(network):
    stream = network.block_events(checkpoint=MemoryCheckpointer(HEIGHT))
    async with stream:
        assert (await anext(stream)).header.number == HEIGHT
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(stream), 0.05)


async def test_a_refused_seek_is_an_error_with_fabrics_status(user, channel):
    stranger = SigningIdentity("StrangerMSP", user.certificate, user.signer)
    network = Gateway(stranger, channel).network("ped")
    with pytest.raises(GatewayError) as caught:
        await anext(network.block_events(start_block=0))
    assert caught.value.code == "FORBIDDEN"


@pytest.mark.complete("client-stream-end")
async def test_a_broken_stream_of_blocks_is_an_error(peer, network):
    peer.fail["Deliver"] = refusal(grpc.StatusCode.UNAVAILABLE, "gone")
    with pytest.raises(GatewayError) as caught:
        await anext(network.block_events(start_block=0))
    assert caught.value.code == "UNAVAILABLE"


@pytest.mark.complete("client-tls-hash")
async def test_seeks_are_bound_to_the_tls_certificate_where_asked(user, channel):
    gateway = Gateway(user, channel, tls_certificate_hash=b"digest")
    request = gateway.network("ped").new_block_events_request(BLOCK, start_block=0)
    header = Payload.FromString(request.message).header
    assert ChannelHeader.FromString(header.channel_header).tls_cert_hash == b"digest"
