# SPDX-License-Identifier: Apache-2.0
"""The peer's end of one stream with one chaincode (Fabric's core/chaincode/handler.go)."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.chaincode_pb2 import (
    ChaincodeAdditionalParams,
    ChaincodeInput,
    ChaincodeSpec,
)
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from fabric_protos.peer.proposal_pb2 import SignedProposal

from pedchain_fabric.shim.abilities import Abilities
from pedchain_fabric.shim.connection import Connection
from pedchain_fabric.shim.contracts import Contracts
from pedchain_fabric.shim.testing.answers import Answers
from pedchain_fabric.shim.testing.simulation import SimulationError

Completed = tuple[bytes, ChaincodeEvent | None]  # a serialized `Response`, and the event
Invoke = Callable[[str, ChaincodeInput], Awaitable[bytes]]

_FINAL: Final = (ChaincodeMessage.COMPLETED, ChaincodeMessage.ERROR)


class ProtocolError(AssertionError):
    """The chaincode did what a real peer would punish with silence or a closed stream."""


@dataclass(slots=True)
class Call:
    """A call under way: who answers its requests, and whether one of them is unanswered."""

    answers: Answers
    invoke: Invoke
    result: asyncio.Future[ChaincodeMessage]
    pending: bool = False


class Link:
    """Carries messages both ways, as bytes, each on a later turn of the event loop."""

    def __init__(self, name: str, contracts: Contracts, offered: Abilities) -> None:
        self._offered = offered
        self._calls: dict[str, Call] = {}
        self._connection = Connection(f"{name}:memory", contracts, self._take)
        self._started = False
        self.sent: list[str] = []  # the kinds of message the chaincode sent, for tests of it

    async def call(
        self,
        transaction_id: str,
        channel: str,
        call_input: ChaincodeInput,
        proposal: SignedProposal,
        answers: Answers,
        invoke: Invoke,
    ) -> ChaincodeMessage:
        """Run a transaction to its COMPLETED (or ERROR) message."""
        if transaction_id in self._calls:
            raise SimulationError(
                f"execute failed: error sending: txid: {transaction_id}({channel}) exists"
            )
        if not self._started:
            self._started = True
            self._connection.start()
        result: asyncio.Future[ChaincodeMessage] = asyncio.get_running_loop().create_future()
        self._calls[transaction_id] = Call(answers, invoke, result)
        self._give(
            ChaincodeMessage(
                type=ChaincodeMessage.TRANSACTION,
                payload=call_input.SerializeToString(),
                txid=transaction_id,
                channel_id=channel,
                proposal=proposal,
            )
        )
        try:
            return await result
        finally:
            del self._calls[transaction_id]

    def _give(self, message: ChaincodeMessage) -> None:
        copy = ChaincodeMessage.FromString(message.SerializeToString())
        asyncio.get_running_loop().call_soon(self._connection.receive, copy)

    def _take(self, message: bytes) -> None:
        copy = ChaincodeMessage.FromString(message)
        self.sent.append(ChaincodeMessage.Type.Name(copy.type))
        if copy.type == ChaincodeMessage.REGISTER:
            self._welcome()
            return
        call = self._calls.get(copy.txid)
        if call is None:
            return
        if copy.type in _FINAL:
            call.result.set_result(copy)
        elif call.pending:
            problem = "a second request while one is unanswered: a peer would drop it"
            call.result.set_exception(ProtocolError(problem))
        else:
            call.pending = True
            task = asyncio.create_task(self._answer(call, copy))
            task.add_done_callback(asyncio.Task.result)

    def _welcome(self) -> None:
        self._give(ChaincodeMessage(type=ChaincodeMessage.REGISTERED))
        offered = ChaincodeAdditionalParams(
            use_write_batch=bool(self._offered.write_batch),
            max_size_write_batch=self._offered.write_batch,
            use_get_multiple_keys=bool(self._offered.multiple_keys),
            max_size_get_multiple_keys=self._offered.multiple_keys,
        )
        payload = offered.SerializeToString()
        self._give(ChaincodeMessage(type=ChaincodeMessage.READY, payload=payload))

    async def _answer(self, call: Call, request: ChaincodeMessage) -> None:
        kind = ChaincodeMessage.RESPONSE
        try:
            if request.type == ChaincodeMessage.INVOKE_CHAINCODE:
                spec = ChaincodeSpec.FromString(request.payload)
                payload = await call.invoke(spec.chaincode_id.name, spec.input)
            else:
                payload = call.answers.answer(request.type, request.payload)
        except SimulationError as error:
            kind = ChaincodeMessage.ERROR
            name = ChaincodeMessage.Type.Name(request.type)
            payload = f"{name} failed: transaction ID: {request.txid}: {error}".encode()
        call.pending = False
        answer = ChaincodeMessage(
            type=kind, payload=payload, txid=request.txid, channel_id=request.channel_id
        )
        self._give(answer)
