# SPDX-License-Identifier: Apache-2.0
"""Whole answers: status, message and payload, from a method and from a called chaincode."""

import json
from typing import Any

import pytest

from pedchain_fabric.shim import Context, Contract, Reply, evaluate, submit
from pedchain_fabric.shim.limits import MESSAGE_CHARACTERS, PAYLOAD_BYTES
from pedchain_fabric.shim.testing import MemoryPeer


class Answering(Contract):
    name = "answering"

    @submit
    async def answer(self, ctx: Context, status: int, message: str) -> Reply:
        await ctx.stub.set_event("Answered", b"")
        return Reply(b"payload", status, message)

    @evaluate
    async def large(self, ctx: Context, status: int) -> Reply:
        return Reply(bytes(PAYLOAD_BYTES), status)

    @evaluate
    async def call(self, ctx: Context, function: str, status: str, message: str) -> str:
        reply = await ctx.stub.call_chaincode("other", function, status, message)
        return json.dumps([reply.status, reply.message, reply.payload.decode()])


@pytest.mark.complete("shim-Success", "shim-Error")
@pytest.mark.parametrize("status", [200, 201, 399, 400, 500])
async def test_a_reply_is_answered_as_it_is_and_announces_only_a_success(
    scripted: Any, status: int
) -> None:
    peer = scripted(Answering())
    peer.call("Answer", str(status), "said")
    response = await peer.response()
    assert (response.status, response.message) == (status, "said")
    assert response.payload == b"payload"
    assert (await peer.hear(1)).HasField("chaincode_event") == (status < 400)


@pytest.mark.complete("shim-Success")
async def test_a_replys_message_is_bounded(scripted: Any) -> None:
    peer = scripted(Answering())
    peer.call("Answer", "200", "x" * (MESSAGE_CHARACTERS + 1))
    assert len((await peer.response()).message) == MESSAGE_CHARACTERS


@pytest.mark.complete("shim-Error")
@pytest.mark.parametrize("status", [200, 400])
async def test_a_reply_too_large_for_a_message_is_an_error(scripted: Any, status: int) -> None:
    peer = scripted(Answering())
    peer.call("Large", str(status))
    response = await peer.response()
    assert (response.status, response.message) == (500, "the answer is too large")


@pytest.mark.complete("shim-InvokeChaincode")
@pytest.mark.parametrize("status", [200, 202, 404])
async def test_a_called_chaincodes_whole_answer_can_be_had(status: int) -> None:
    peer = MemoryPeer()
    peer.install("answering", Answering())
    peer.install("other", Answering())
    answer = await peer.evaluate("answering", "Call", "Answer", str(status), "why")
    assert json.loads(answer) == [status, "why", "payload"]


def test_what_a_method_may_return_is_declared() -> None:
    assert Answering.transactions["Answer"].returns is Reply
    with pytest.raises(TypeError, match="str, bytes, Reply or None"):

        class Wrong(Contract):
            @evaluate
            async def number(self, ctx: Context) -> int:  # type: ignore[type-var]  # the point
                return 1
