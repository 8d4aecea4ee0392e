# SPDX-License-Identifier: Apache-2.0
"""The protocol's rules, at the chaincode's end of a stream."""

import asyncio
from typing import Any

import pytest
from fabric_protos.peer.chaincode_pb2 import ChaincodeAdditionalParams, ChaincodeID
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage, WriteBatchState
from hypothesis import given
from hypothesis import strategies as st

from pedchain_fabric.errors import WireError
from pedchain_fabric.shim import Context, Contract, Refusal, submit
from pedchain_fabric.shim.abilities import Abilities
from pedchain_fabric.shim.connection import Connection
from pedchain_fabric.shim.contracts import Contracts

M = ChaincodeMessage


class Demo(Contract):
    name = "demo"

    @submit
    async def read_two(self, ctx: Context) -> bytes:
        first, second = await asyncio.gather(ctx.stub.get_state("a"), ctx.stub.get_state("b"))
        return (first or b"-") + (second or b"-")

    @submit
    async def impatient(self, ctx: Context) -> bytes:
        waiting = asyncio.create_task(ctx.stub.get_state("a"))
        await asyncio.sleep(0)
        waiting.cancel()
        return await ctx.stub.get_state("b") or b""

    @submit
    async def careless(self, ctx: Context) -> bytes:
        self.stray = asyncio.create_task(ctx.stub.get_state("a"))
        await asyncio.sleep(0)
        return b"done"

    @submit
    async def write(self, ctx: Context) -> None:
        await ctx.stub.put_state("a", b"1")

    @submit
    async def write_batch(self, ctx: Context) -> None:
        ctx.stub.start_write_batch()
        await ctx.stub.put_state("a", b"1")

    @submit
    async def refuse_with_batch(self, ctx: Context) -> None:
        ctx.stub.start_write_batch()
        await ctx.stub.put_state("a", b"1")
        raise Refusal("no")

    @submit
    async def large(self, ctx: Context, size: int) -> bytes:
        return bytes(size)

    @submit
    async def sleep(self, ctx: Context) -> None:
        await asyncio.Event().wait()


@pytest.fixture
def peer(scripted: Any) -> Any:
    return scripted(Demo())


@pytest.mark.complete("shim-ChaincodeServer-CCID")
async def test_the_chaincode_speaks_first_and_names_its_package() -> None:
    heard: list[bytes] = []
    Connection("label:hash", Contracts([Demo()]), heard.append).start()
    first = ChaincodeMessage.FromString(heard[0])
    assert first.type == M.REGISTER
    assert ChaincodeID.FromString(first.payload).name == "label:hash"


@pytest.mark.parametrize(
    "kinds", [[M.READY], [M.REGISTERED, M.REGISTERED], [M.TRANSACTION], [M.REGISTERED, M.RESPONSE]]
)
async def test_messages_out_of_order_end_the_stream(kinds: list[M.Type.ValueType]) -> None:
    heard: list[bytes] = []
    connection = Connection("demo:1", Contracts([Demo()]), heard.append)
    for kind in kinds[:-1]:
        connection.receive(ChaincodeMessage(type=kind))
    with pytest.raises(WireError):
        connection.receive(ChaincodeMessage(type=kinds[-1]))


async def test_a_message_the_peer_never_sends_ends_the_stream(peer: Any) -> None:
    with pytest.raises(WireError, match="GET_STATE"):
        peer.say(M.GET_STATE)


async def test_ready_tells_what_the_peer_can_do_with_a_floor_of_100() -> None:
    offered = ChaincodeAdditionalParams(use_write_batch=True, max_size_write_batch=3)
    assert Abilities.from_ready(offered.SerializeToString()) == Abilities(100, 0)
    assert Abilities.from_ready(bytes.fromhex("080110e807180120e807")) == Abilities(1000, 1000)
    assert Abilities.from_ready(b"") == Abilities(0, 0)


@given(st.binary(max_size=40))
def test_ready_we_cannot_read_means_no_abilities(payload: bytes) -> None:
    assert min(Abilities.from_ready(payload).write_batch, 0) == 0


async def test_keepalive_is_echoed_before_and_after_the_handshake(peer: Any) -> None:
    heard: list[bytes] = []
    Connection("demo:1", Contracts([Demo()]), heard.append).receive(M(type=M.KEEPALIVE))
    peer.say(M.KEEPALIVE)
    assert [M.FromString(heard[-1]), peer.heard[-1]] == [M(type=M.KEEPALIVE)] * 2


@pytest.mark.complete("shim-Chaincode-Invoke")
async def test_a_second_request_of_one_transaction_is_queued(peer: Any) -> None:
    peer.call("ReadTwo")
    await peer.settle()
    assert [message.type for message in peer.heard] == [M.GET_STATE]
    peer.say(M.RESPONSE, b"1")
    assert (await peer.hear(2)).type == M.GET_STATE
    peer.say(M.RESPONSE, b"2")
    assert (await peer.response(3)).payload == b"12"


async def test_requests_of_different_transactions_do_not_wait_for_each_other(peer: Any) -> None:
    for txid in ("t1", "t2", "t3"):
        peer.call("Write", txid=txid)
    await peer.settle()
    assert [(message.type, message.txid) for message in peer.heard] == [
        (M.PUT_STATE, "t1"),
        (M.PUT_STATE, "t2"),
        (M.PUT_STATE, "t3"),
    ]
    for txid in ("t2", "t3", "t1"):
        peer.say(M.RESPONSE, txid=txid)
    await peer.hear(6)
    assert [message.txid for message in peer.heard[3:]] == ["t2", "t3", "t1"]


async def test_a_cancelled_request_keeps_the_line_until_the_peer_has_answered(peer: Any) -> None:
    peer.call("Impatient")
    await peer.settle()
    assert len(peer.heard) == 1
    peer.say(M.RESPONSE, b"of the cancelled request")
    await peer.hear(2)
    peer.say(M.RESPONSE, b"of the second")
    assert (await peer.response(3)).payload == b"of the second"


async def test_an_error_answer_raises(peer: Any) -> None:
    peer.call("Write")
    await peer.hear()
    peer.say(M.ERROR, b"PUT_STATE failed: no")
    response = await peer.response(2)
    assert (response.status, response.message) == (500, "PUT_STATE failed: no")


async def test_requests_left_under_way_fail_the_transaction(peer: Any) -> None:
    peer.call("Careless")
    await peer.settle()
    assert [message.type for message in peer.heard] == [M.GET_STATE]
    peer.say(M.RESPONSE, b"1")
    assert (await peer.response(2)).message == "the contract left requests under way"


async def test_an_answer_nobody_waits_for_is_dropped(peer: Any) -> None:
    peer.say(M.RESPONSE, txid="long gone")
    peer.say(M.ERROR, txid="long gone")
    assert peer.heard == []


async def test_a_transaction_that_still_runs_is_not_begun_again(peer: Any) -> None:
    peer.call("Write")
    await peer.hear()
    peer.call("Write")
    assert (await peer.hear(2)).type == M.ERROR
    peer.say(M.RESPONSE)
    assert (await peer.response(3)).status == 200


@pytest.mark.complete("shim-ChaincodeServer-Start")
async def test_too_many_transactions_at_once_are_refused(
    peer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pedchain_fabric.shim.connection.TRANSACTIONS_PER_STREAM", 2)
    for txid in ("t1", "t2", "t3"):
        peer.call("Sleep", txid=txid)
    assert [(message.type, message.txid) for message in peer.heard] == [(M.ERROR, "t3")]
    await peer.connection.close()


@pytest.mark.complete("shim-StartWriteBatch")
async def test_a_batch_is_sent_at_the_end_of_the_transaction(peer: Any) -> None:
    peer.call("WriteBatch")
    sent = await peer.hear()
    assert sent.type == M.WRITE_BATCH_STATE
    assert [record.key for record in WriteBatchState.FromString(sent.payload).rec] == ["a"]
    peer.say(M.RESPONSE)
    assert (await peer.response(2)).status == 200


@pytest.mark.complete("shim-StartWriteBatch")
async def test_a_batch_is_sent_after_a_refusal_as_single_writes_would_have_been(peer: Any) -> None:
    peer.call("RefuseWithBatch")
    assert (await peer.hear()).type == M.WRITE_BATCH_STATE
    peer.say(M.RESPONSE)
    response = await peer.response(2)
    assert (response.status, response.message) == (400, "no")


async def test_a_refusal_is_told_even_if_its_batch_is_refused_too(peer: Any) -> None:
    peer.call("RefuseWithBatch")
    await peer.hear()
    peer.say(M.ERROR, b"WRITE_BATCH_STATE failed: no")
    assert (await peer.response(2)).message == "no"


async def test_the_same_transaction_may_call_again_as_soon_as_it_is_answered(peer: Any) -> None:
    answered: list[int] = []
    take = peer.connection._send

    def call_again(message: bytes) -> None:
        take(message)
        if ChaincodeMessage.FromString(message).type == M.COMPLETED and not answered:
            answered.append(1)
            peer.call("Large", "1")

    peer.connection._send = call_again
    peer.call("Large", "1")
    assert (await peer.response(2)).status == 200


async def test_a_refused_batch_fails_the_transaction(peer: Any) -> None:
    peer.call("WriteBatch")
    await peer.hear()
    peer.say(M.ERROR, b"WRITE_BATCH_STATE failed: no")
    assert (await peer.response(2)).message == "WRITE_BATCH_STATE failed: no"


async def test_an_answer_too_large_for_a_message_is_an_error_response(
    peer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pedchain_fabric.shim.execution.PAYLOAD_BYTES", 1_000)
    peer.call("Large", "2000")
    assert (await peer.response()).message == "the answer is too large"
    peer.call("Large", "900", txid="within")
    assert (await peer.response(2)).status == 200


async def test_a_request_too_large_for_a_message_is_refused_before_it_is_sent(
    peer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pedchain_fabric.shim.exchange.PAYLOAD_BYTES", 3)
    peer.call("Write")
    assert "bytes is too large" in (await peer.response()).message


async def test_a_stopping_connection_finishes_what_runs_and_refuses_the_rest(peer: Any) -> None:
    peer.call("Write", txid="t1")
    await peer.hear()
    draining = asyncio.create_task(peer.connection.drain())
    await peer.settle()
    peer.call("Write", txid="t2")
    assert (peer.heard[1].type, peer.heard[1].payload) == (M.ERROR, b"the chaincode is stopping")
    assert not draining.done()
    peer.say(M.RESPONSE, txid="t1")
    assert (await peer.response(3)).status == 200
    await asyncio.wait_for(draining, 10)


async def test_the_end_of_the_stream_cancels_what_runs(peer: Any) -> None:
    peer.call("Sleep")
    await peer.settle()
    await asyncio.wait_for(peer.connection.close(), 10)
    assert peer.heard == []


@pytest.mark.complete("shim-ChaincodeServer-Start")
async def test_a_transaction_beyond_the_time_limit_is_ended(
    peer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pedchain_fabric.shim.execution.TRANSACTION_SECONDS", 0.0)
    peer.call("Sleep")
    assert (await peer.response()).message == "internal error"


async def test_input_that_is_none_is_answered(peer: Any) -> None:
    peer.say(M.TRANSACTION, b"\xff\xff")
    assert (await peer.response()).status == 500
    peer.say(M.TRANSACTION, b"", txid="no function")
    assert (await peer.response(2)).message == "unknown-transaction: no function named"


@pytest.mark.complete("shim-Chaincode-Init")
async def test_init_runs_the_named_transaction_too(peer: Any) -> None:
    peer.say(M.INIT, b"")
    assert (await peer.response()).message == "unknown-transaction: no function named"
