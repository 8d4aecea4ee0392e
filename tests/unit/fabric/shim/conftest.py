# SPDX-License-Identifier: Apache-2.0
"""A peer's end of a `Connection`, message by message."""

import asyncio
from collections.abc import Callable

import pytest
from fabric_protos.peer.chaincode_pb2 import ChaincodeAdditionalParams, ChaincodeInput
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from fabric_protos.peer.proposal_response_pb2 import Response

from pedchain_fabric.shim import Contract
from pedchain_fabric.shim.connection import Connection
from pedchain_fabric.shim.contracts import Contracts

READY = ChaincodeAdditionalParams(
    use_write_batch=True,
    max_size_write_batch=1000,
    use_get_multiple_keys=True,
    max_size_get_multiple_keys=1000,
).SerializeToString()


class ScriptedPeer:
    """Says what a test tells it to say, and keeps what it hears."""

    def __init__(self, contract: Contract) -> None:
        self.heard: list[ChaincodeMessage] = []
        self.connection = Connection("demo:1", Contracts([contract]), self._take)
        self._changed = asyncio.Event()

    def shake_hands(self, ready: bytes = READY) -> None:
        self.connection.start()
        self.say(ChaincodeMessage.REGISTERED)
        self.say(ChaincodeMessage.READY, ready)
        self.heard.clear()

    def say(
        self, kind: ChaincodeMessage.Type.ValueType, payload: bytes = b"", txid: str = "tx"
    ) -> None:
        message = ChaincodeMessage(type=kind, payload=payload, txid=txid, channel_id="ped")
        self.connection.receive(message)

    def call(self, function: str, *args: str, txid: str = "tx") -> None:
        arguments = ChaincodeInput(args=[part.encode() for part in (function, *args)])
        self.say(ChaincodeMessage.TRANSACTION, arguments.SerializeToString(), txid)

    async def hear(self, count: int = 1) -> ChaincodeMessage:
        """The last of the first `count` messages, once they have come."""
        async with asyncio.timeout(10):
            while len(self.heard) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.heard[count - 1]

    def _take(self, message: bytes) -> None:
        self.heard.append(ChaincodeMessage.FromString(message))
        self._changed.set()

    async def settle(self) -> None:
        """Let everything run that can run without another message."""
        for _ in range(50):
            await asyncio.sleep(0)

    async def response(self, count: int = 1) -> Response:
        message = await self.hear(count)
        assert message.type == ChaincodeMessage.COMPLETED
        return Response.FromString(message.payload)


@pytest.fixture
def scripted() -> Callable[[Contract], ScriptedPeer]:
    def make(contract: Contract) -> ScriptedPeer:
        peer = ScriptedPeer(contract)
        peer.shake_hands()
        return peer

    return make
