# SPDX-License-Identifier: Apache-2.0
"""The peer's side of a chaincode stream, message by message."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import pytest
from fabric_protos.peer.chaincode_pb2 import ChaincodeID
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage, GetState, PutState
from fabric_protos.peer.proposal_pb2 import SignedProposal

from pedchain_fabric.embedded.chaincode.context import ChaincodeFailed, Context, Transaction
from pedchain_fabric.embedded.chaincode.dialer import DialFailed
from pedchain_fabric.embedded.chaincode.handler import Handler, additional_parameters
from pedchain_fabric.embedded.channel import Channel
from pedchain_fabric.wire.messages import serialize
from pedchain_fabric.wire.proposal import ProposalParts
from tests.unit.fabric.embedded_ledger.consortium import Consortium

M = ChaincodeMessage
CCID = "notes:1"


class FakeStream:
    """The chaincode's end: what it says, and what it was told."""

    def __init__(self) -> None:
        self._said: asyncio.Queue[M | None] = asyncio.Queue()
        self._told: asyncio.Queue[M] = asyncio.Queue()
        self.is_broken = False

    def say(self, message: M | None) -> None:
        self._said.put_nowait(message)

    async def told(self) -> M:
        return await asyncio.wait_for(self._told.get(), 5)

    async def read(self) -> M | None:
        return await self._said.get()

    async def write(self, message: M) -> None:
        if self.is_broken:
            raise DialFailed("EOF")
        self._told.put_nowait(message)


@dataclass
class FakeRegistry:
    """Remembers what happened; `refusal` is why a handler may not register."""

    refusal: str = ""
    events: list[str] = field(default_factory=list)

    def register(self, handler: Handler) -> None:
        if self.refusal:
            raise ChaincodeFailed(self.refusal)
        self.events.append(f"register {handler.ccid}")

    def ready(self, handler: Handler) -> None:
        self.events.append(f"ready {handler.ccid}")

    def failed(self, ccid: str, reason: str) -> None:
        self.events.append(f"failed {ccid}: {reason}")

    def deregister(self, handler: Handler) -> None:
        self.events.append(f"deregister {handler.ccid}")


async def no_calls(_context: Context, _payload: bytes) -> bytes:
    raise ChaincodeFailed("no such chaincode")


@dataclass
class Conversation:
    """One handler with the chaincode's end of its stream."""

    stream: FakeStream
    registry: FakeRegistry
    handler: Handler
    ended: asyncio.Task[None]
    transaction: Callable[[str], Transaction]

    async def registered(self) -> "Conversation":
        self.stream.say(register())
        assert [(await self.stream.told()).type for _ in range(2)] == [M.REGISTERED, M.READY]
        return self

    def call(self, name: str = "tx", timeout_s: float = 5.0) -> asyncio.Task[M]:
        context = Context(self.transaction(name), "notes", is_init=False)
        message = M(type=M.TRANSACTION, txid=name, channel_id="ped")
        return asyncio.create_task(self.handler.execute(context, message, timeout_s))


def register(ccid: str = CCID) -> M:
    return M(type=M.REGISTER, payload=serialize(ChaincodeID(name=ccid)))


def get(key: str = "k", name: str = "tx", channel: str = "ped") -> M:
    payload = serialize(GetState(key=key))
    return M(type=M.GET_STATE, payload=payload, txid=name, channel_id=channel)


def completed(name: str = "tx", kind: M.Type.ValueType = M.COMPLETED) -> M:
    return M(type=kind, payload=b"done", txid=name, channel_id="ped")


@pytest.fixture(scope="module")
def channel() -> Channel:
    return Channel(Consortium.start().ledger)


@asynccontextmanager
async def conversation(
    channel: Channel, *, refusal: str = "", keepalive_s: float = 0.0
) -> AsyncIterator[Conversation]:
    stream, registry = FakeStream(), FakeRegistry(refusal)
    handler = Handler(stream, registry, no_calls, keepalive_s)
    ended = asyncio.create_task(handler.run())

    def transaction(name: str) -> Transaction:
        simulator = channel.ledger.simulator(name, "DSOMSP")
        return Transaction(name, channel, simulator, cast(ProposalParts, None), SignedProposal())

    yield Conversation(stream, registry, handler, ended, transaction)
    ended.cancel()
    await asyncio.gather(ended, return_exceptions=True)


@pytest.fixture
async def chat(channel: Channel) -> AsyncIterator[Conversation]:
    async with conversation(channel) as made:
        yield await made.registered()


async def test_registration_ends_with_ready_and_its_parameters(channel: Channel) -> None:
    async with conversation(channel) as chat:
        before = chat.handler.is_ready
        chat.stream.say(register())
        assert (await chat.stream.told()).type == M.REGISTERED
        ready = await chat.stream.told()
        assert (ready.type, ready.payload.hex()) == (M.READY, "080110e807180120e807")
        assert ready.payload == additional_parameters()
        assert (before, chat.handler.is_ready) == (False, True)
        assert chat.registry.events == [f"register {CCID}", f"ready {CCID}"]


async def test_a_chaincode_that_may_not_register_is_told_nothing(channel: Channel) -> None:
    async with conversation(channel, refusal="duplicate chaincodeID: x") as chat:
        chat.stream.say(register())
        chat.stream.say(register(""))
        chat.stream.say(None)
        await chat.ended
        assert chat.registry.events == [
            f"failed {CCID}: duplicate chaincodeID: x",
            "failed : error in handling register chaincode, chaincodeID name is empty",
        ]


async def test_nothing_is_said_before_registering(channel: Channel) -> None:
    async with conversation(channel) as chat:
        chat.stream.say(get())
        with pytest.raises(ChaincodeFailed, match=r"GET_STATE.* while in created state"):
            await chat.ended


async def test_an_unknown_message_ends_the_stream(chat: Conversation) -> None:
    chat.stream.say(M(type=M.REGISTERED, txid="tx"))
    with pytest.raises(ChaincodeFailed, match=r"REGISTERED.* while in ready state"):
        await chat.ended
    assert chat.registry.events[-1] == f"deregister {CCID}"


@pytest.mark.parametrize("kind", [M.COMPLETED, M.ERROR])
async def test_a_call_ends_with_the_chaincodes_answer(
    chat: Conversation, kind: M.Type.ValueType
) -> None:
    call = chat.call()
    assert (await chat.stream.told()).type == M.TRANSACTION
    chat.stream.say(completed(kind=kind))
    assert (await call).payload == b"done"


async def test_a_state_request_is_answered_under_its_transaction(chat: Conversation) -> None:
    call = chat.call()
    await chat.stream.told()
    put = serialize(PutState(key="k", value=b"v"))
    chat.stream.say(M(type=M.PUT_STATE, payload=put, txid="tx", channel_id="ped"))
    answer = await chat.stream.told()
    assert (answer.type, answer.txid, answer.channel_id) == (M.RESPONSE, "tx", "ped")
    chat.stream.say(get())
    assert (await chat.stream.told()).payload == b""
    chat.stream.say(completed())
    await call


async def test_a_second_request_while_one_is_outstanding_is_dropped(chat: Conversation) -> None:
    call = chat.call()
    await chat.stream.told()
    chat.stream.say(get("a"))
    chat.stream.say(get("b"))
    assert (await chat.stream.told()).type == M.RESPONSE
    chat.stream.say(completed())
    await call
    assert chat.stream._told.empty()


async def test_requests_of_different_transactions_do_not_wait_for_each_other(
    chat: Conversation,
) -> None:
    calls = [chat.call(name) for name in ("one", "two")]
    for _ in calls:
        await chat.stream.told()
    for name in ("one", "two"):
        chat.stream.say(get(name=name))
    assert {(await chat.stream.told()).txid for _ in calls} == {"one", "two"}
    for name in ("two", "one"):
        chat.stream.say(completed(name))
    await asyncio.gather(*calls)


@pytest.mark.parametrize("request_", [get(name="other"), get(channel="other")])
async def test_a_request_without_its_transaction_is_refused(
    chat: Conversation, request_: M
) -> None:
    call = chat.call()
    await chat.stream.told()
    chat.stream.say(request_)
    answer = await chat.stream.told()
    assert answer.type == M.ERROR
    assert answer.payload.decode() == (
        f"GET_STATE failed: transaction ID: {request_.txid}: no ledger context"
    )
    chat.stream.say(completed())
    await call


async def test_a_request_after_the_answer_is_refused(chat: Conversation) -> None:
    call = chat.call()
    await chat.stream.told()
    chat.stream.say(completed())
    await call
    chat.stream.say(get())
    assert (await chat.stream.told()).payload.endswith(b"no ledger context")
    chat.stream.say(M(type=M.INVOKE_CHAINCODE, txid="tx", channel_id="ped"))
    assert (await chat.stream.told()).payload.endswith(b"could not get valid transaction")


async def test_a_request_that_cannot_be_read_is_an_error_of_that_request(
    chat: Conversation,
) -> None:
    call = chat.call()
    await chat.stream.told()
    chat.stream.say(M(type=M.GET_STATE, payload=b"\xff", txid="tx", channel_id="ped"))
    assert (await chat.stream.told()).type == M.ERROR
    chat.stream.say(completed())
    await call


async def test_an_answer_nobody_waits_for_is_ignored(chat: Conversation) -> None:
    chat.stream.say(completed("none"))
    call = chat.call()
    await chat.stream.told()
    chat.stream.say(completed())
    chat.stream.say(completed(kind=M.ERROR))
    assert (await call).type == M.COMPLETED


async def test_a_call_takes_no_longer_than_its_time(chat: Conversation) -> None:
    with pytest.raises(ChaincodeFailed, match="timeout expired while executing transaction"):
        await chat.call(timeout_s=0.05)
    again = chat.call()
    for _ in range(2):
        await chat.stream.told()
    chat.stream.say(completed())
    assert (await again).type == M.COMPLETED


async def test_one_transaction_runs_once_at_a_time(chat: Conversation) -> None:
    call = chat.call()
    await chat.stream.told()
    with pytest.raises(ChaincodeFailed, match=r"txid: tx\(ped\) exists"):
        await chat.call()
    chat.stream.say(completed())
    await call


async def test_calls_end_with_their_stream(chat: Conversation) -> None:
    calls = [chat.call(name) for name in ("one", "two")]
    for _ in calls:
        await chat.stream.told()
    chat.stream.say(None)
    for call in calls:
        with pytest.raises(ChaincodeFailed, match="chaincode stream terminated"):
            await call
    assert not chat.handler.is_ready
    with pytest.raises(ChaincodeFailed, match="chaincode stream terminated"):
        await chat.call("three")


async def test_a_call_on_a_broken_stream_fails_at_once(chat: Conversation) -> None:
    chat.stream.is_broken = True
    with pytest.raises(ChaincodeFailed, match="chaincode stream terminated"):
        await chat.call()


async def test_a_stream_that_breaks_while_answering_fails_the_call(chat: Conversation) -> None:
    call = chat.call()
    await chat.stream.told()
    chat.stream.is_broken = True
    chat.stream.say(get())
    with pytest.raises(ChaincodeFailed, match="error sending RESPONSE: EOF"):
        await call


async def test_keepalives_are_sent_and_swallowed(channel: Channel) -> None:
    async with conversation(channel, keepalive_s=0.01) as chat:
        chat.stream.say(M(type=M.KEEPALIVE))
        assert (await chat.stream.told()).type == M.KEEPALIVE
        chat.stream.is_broken = True
        await asyncio.sleep(0.05)
        assert not chat.ended.done()
